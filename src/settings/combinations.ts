/** Settings of `tune` that exclude each other, or that a method does not have. Pure. */
import { withValues } from '../words/program-words.ts';
import { fieldOf } from './fields.ts';
import { preferenceMethods, trainsAdapter, tuneMethods } from './methods.ts';
import { type TuneOptionName, type TuneValues, tuneOptions } from './options.ts';
import { type Given, optionLabel } from './parse-settings.ts';

const adapters = tuneMethods.filter(trainsAdapter);
/** Rows of one answer are not what preferences are learnt from. */
const answerMethods = tuneMethods.filter((method) => !preferenceMethods.some((each) => each === method));
/** Options that only some methods have. In a recipe they may stand for others, too: a recipe serves many runs. */
const methodsOf: { readonly [Name in TuneOptionName]?: readonly TuneValues['method'][] } = {
  rank: adapters,
  alpha: adapters,
  dropout: adapters,
  rslora: adapters,
  targetModules: adapters,
  initialAdapter: adapters,
  frozenAdapter: adapters,
  precision: adapters,
  engine: adapters,
  sampleShare: adapters,
  outputType: ['full'],
  mixBase: answerMethods,
  keepAlignment: answerMethods,
  basePrompts: answerMethods,
  loss: ['lora'],
  neftuneAlpha: answerMethods,
  promptWeight: answerMethods,
  beta: preferenceMethods,
  lossType: ['dpo'],
  labelSmoothing: ['dpo'],
  gamma: ['simpo'],
  sftShare: ['dpo', 'simpo'],
  desirableWeight: ['kto'],
  undesirableWeight: ['kto'],
};

/** Which methods have it, in words. */
const havers = (methods: readonly TuneValues['method'][]): string =>
  methods.length === 1 ? `${withValues({ method: methods[0] })} has it` : `the methods ${methods.join(', ')} have it`;

const methodFaults = (flags: Given, method: unknown): string[] =>
  Object.entries(methodsOf).flatMap(([name, only]) =>
    (flags[name] ?? null) !== null && !only.some((each) => each === method)
      ? [`${optionLabel(name)}: only ${havers(only)}`]
      : [],
  );

/** What preferences cannot be learnt with. */
function preferenceFaults(flags: Given, { lossType, method, supervise, tooLong }: Given): string[] {
  if (!preferenceMethods.some((each) => each === method)) return [];
  return [
    ...(supervise === 'all'
      ? ["`supervise: 'all'`: preferences are about answers; both sides have the same prompt"]
      : []),
    ...(tooLong === 'split' ? ["`tooLong: 'split'`: an answer that is split is no answer"] : []),
    ...(method === 'dpo' && (flags['labelSmoothing'] ?? null) !== null && lossType !== 'robust'
      ? ["`labelSmoothing`: only `lossType: 'robust'` has it"]
      : []),
  ];
}

/** What the base would be asked where nothing asks it. */
const basePromptsFaults = ({ basePrompts, keepAlignment, mixBase }: Given): string[] =>
  (basePrompts ?? null) !== null && !keepAlignment && !Number(mixBase ?? 0)
    ? ['`basePrompts`: only `mixBase` and `keepAlignment` ask the base anything']
    : [];

/** All tokens count 1 already. */
const promptFaults = ({ promptWeight, supervise }: Given): string[] =>
  Number(promptWeight ?? 0) > 0 && supervise === 'all'
    ? ["`promptWeight`: with `supervise: 'all'` every token is learnt already"]
    : [];

const deviceFaults = ({ device, engine, precision }: Given): string[] =>
  device !== 'webgpu'
    ? []
    : [
        ...(precision === 'int8'
          ? ["`precision: 'int8'`: `device: 'webgpu'` computes in float32, the graphics card has no int8 kernels here"]
          : []),
        ...(engine === 'native' ? ["`engine: 'native'`: `device: 'webgpu'` is onnxruntime's alone"] : []),
      ];

/** What is wrong with values together; `flags` are those that were given, not in a recipe. */
export const combinationFaults = (flags: Given, values: Given): string[] => [
  ...methodFaults(flags, values['method'] ?? fieldOf(tuneOptions.method).fallback),
  ...deviceFaults(values),
  ...basePromptsFaults(values),
  ...promptFaults(values),
  ...preferenceFaults(flags, values),
];
