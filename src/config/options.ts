/**
 * Every option of `tune`: name, kind, default, bounds and help in one table. Flags (kebab-case), recipe keys and library options
 * (camelCase) are all made from it.
 */
import { projections } from '../lora/adapter.ts';
import { initSchemes } from '../models/random-model.ts';
import { pretrainSizes } from '../models/sizes.ts';
import { templateNames } from '../text/named-templates.ts';

/** In a pretraining run's folder, the model that it began with. */
export const startModelName = 'start.gguf';

interface Base {
  readonly help: string;
  /** The flag's argument in the help text. */
  readonly argument?: string;
}
export type Option = Base &
  (
    | {
        readonly kind: 'number';
        readonly default: number | null;
        readonly least: number;
        readonly most: number;
        readonly whole?: boolean;
      }
    | { readonly kind: 'size'; readonly default: number | null }
    | { readonly kind: 'boolean'; readonly default: boolean }
    | { readonly kind: 'choice'; readonly default: string; readonly choices: readonly string[] }
    | { readonly kind: 'text'; readonly default: string | null }
    | { readonly kind: 'list'; readonly default: readonly string[]; readonly choices: readonly string[] }
  );

const number = (fallback: number | null, least: number, most: number, help: string): Option => ({
  kind: 'number',
  default: fallback,
  least,
  most,
  help,
  argument: 'X',
});
const whole = (fallback: number | null, least: number, most: number, help: string): Option => ({
  kind: 'number',
  default: fallback,
  least,
  most,
  whole: true,
  help,
  argument: 'N',
});

/** A step count beyond this is a slip of the finger. */
const manySteps = 10_000_000;

/** The model that comes with the package. */
export const defaultModel = 'nomoat-mini';

export const tuneOptions = {
  model: {
    kind: 'text',
    default: defaultModel,
    argument: 'NAME|FILE.gguf',
    help: 'the base model: a file, or a name that `nomoat models` lists',
  },
  method: {
    kind: 'choice',
    default: 'lora',
    choices: ['lora', 'full'],
    help: 'train an adapter, or every weight of a small model',
  },
  run: { kind: 'text', default: null, argument: 'DIR', help: 'the folder of the run; default runs/<data>-<model>' },
  validation: {
    kind: 'text',
    default: null,
    argument: 'FILE|FRACTION',
    help: 'held-out data: a file, or a fraction of the training data such as 0.1',
  },
  format: {
    kind: 'choice',
    default: 'auto',
    choices: ['auto', 'messages', 'prompt-completion', 'text', 'alpaca', 'sharegpt', 'csv'],
    help: 'format of the data; auto detects it',
  },
  promptColumn: { kind: 'text', default: null, argument: 'NAME', help: 'CSV column of the prompts' },
  completionColumn: { kind: 'text', default: null, argument: 'NAME', help: 'CSV column of the completions' },
  textColumn: { kind: 'text', default: null, argument: 'NAME', help: 'CSV column of plain texts' },
  tooLong: {
    kind: 'choice',
    default: 'truncate-left',
    choices: ['truncate-left', 'truncate-right', 'split', 'refuse'],
    help: 'rows beyond the sequence length: which side is cut, or split or refuse them',
  },
  supervise: {
    kind: 'choice',
    default: 'answers',
    choices: ['answers', 'all'],
    help: 'tokens that are learnt: the answers with their end-of-turn token, or all',
  },
  specialTokens: {
    kind: 'choice',
    default: 'auto',
    choices: ['auto', 'text', 'control'],
    help: 'control tokens spelled in the data: text, or control tokens; auto: text inside messages and prompts, control tokens in plain texts and in prompts that hold chat markup',
  },
  chatTemplate: {
    kind: 'text',
    default: null,
    argument: 'FILE|NAME',
    help: `chat template to train and chat with instead of the model's own: a file, or ${templateNames.join(', ')}`,
  },
  epochs: number(null, 0.01, 1000, 'passes over the data; default: chosen from the data'),
  maxSteps: whole(null, 1, manySteps, 'stop after this many steps'),
  batchSize: whole(null, 1, 4096, 'conversations per optimizer step; default: chosen from the data'),
  microBatchSize: whole(null, 1, 4096, 'conversations computed at once; default: as many as 512 tokens hold'),
  sequenceLength: whole(null, 8, 131072, 'longest row in tokens; default: chosen from the data'),
  learningRate: number(null, 1e-8, 1, 'top of the learning rate schedule; default: chosen for the model'),
  schedule: {
    kind: 'choice',
    default: 'cosine',
    choices: ['linear', 'cosine', 'constant'],
    help: 'how the learning rate falls after the warm-up',
  },
  warmupSteps: whole(5, 0, manySteps, 'steps over which the learning rate rises'),
  rank: whole(null, 1, 256, 'rank of the adapter; default: chosen from the data'),
  alpha: number(16, 1e-3, 10000, 'the adapter is scaled by alpha / rank'),
  dropout: number(0, 0, 0.99, 'dropout on the inputs of the adapter'),
  rslora: { kind: 'boolean', default: false, help: 'scale by alpha / sqrt(rank) instead' },
  targetModules: {
    kind: 'list',
    default: projections,
    choices: projections,
    argument: 'q_proj,...',
    help: 'the adapted projections',
  },
  weightDecay: number(0, 0, 1, 'weight decay of AdamW'),
  beta2: number(0.999, 0.5, 0.99999, "AdamW's decay of the second moment"),
  maxGradientNorm: number(1, 1e-6, 1e6, 'gradients are clipped to this norm'),
  seed: whole(0, 0, 2 ** 31 - 1, 'seed of everything random'),
  shuffle: { kind: 'boolean', default: true, help: 'keep the order of the data' },
  packing: { kind: 'boolean', default: true, help: 'pad the rows of a micro-batch instead of laying them end to end' },
  sharePrefix: {
    kind: 'boolean',
    default: true,
    help: 'compute what all rows begin with, such as a system prompt, in each row instead of once per micro-batch',
  },
  initialAdapter: {
    kind: 'text',
    default: null,
    argument: 'DIR|FILE',
    help: 'start from this adapter (PEFT folder, another run, .gguf, or .safetensors: without its config, alpha is that of --alpha)',
  },
  precision: {
    kind: 'choice',
    default: 'auto',
    choices: ['auto', 'f32', 'int8'],
    help: 'arithmetic of the frozen weights; auto takes int8 where it is faster and measured to be close',
  },
  device: {
    kind: 'choice',
    default: 'cpu',
    choices: ['cpu', 'webgpu'],
    help: 'where training computes: the processor, or a graphics card through WebGPU, in float32 (experimental)',
  },
  memory: {
    kind: 'size',
    default: null,
    argument: 'SIZE',
    help: 'memory that training may take, such as 8GB: within it activations are kept, kept as float16, recomputed, or the model is read from the disk; default: what is free',
  },
  threads: whole(
    null,
    1,
    1024,
    'threads to compute with, no more than the machine runs at once; default: physical cores',
  ),
  nice: {
    kind: 'boolean',
    default: false,
    help: 'train in the background: at the lowest priority, behind all other programs',
  },
  checkpointEvery: whole(null, 1, manySteps, 'steps between checkpoints; default: a quarter of the run, at most 50'),
  validateEvery: whole(null, 1, manySteps, 'steps between validations; default: a quarter of the run'),
  earlyStop: whole(null, 1, 1000, 'stop after this many validations without improvement'),
  outputType: {
    kind: 'choice',
    default: 'F16',
    choices: ['F16', 'Q8_0'],
    help: 'type of the written matrices, for method full',
  },
} as const satisfies Record<string, Option>;

const {
  run,
  maxSteps,
  microBatchSize,
  schedule,
  maxGradientNorm,
  seed,
  shuffle,
  packing,
  device,
  threads,
  nice,
  checkpointEvery,
  validateEvery,
  earlyStop,
  outputType,
} = tuneOptions;

/** Every option of `pretrain`. */
export const pretrainOptions = {
  size: {
    kind: 'choice',
    default: 'micro',
    choices: Object.keys(pretrainSizes),
    help: 'shape of the model',
  },
  tokenizer: {
    kind: 'text',
    default: null,
    argument: 'FILE.gguf',
    help: "use this model's tokenizer; default: train one",
  },
  vocabulary: whole(null, 259, 262144, 'tokens of the trained tokenizer; default: by size'),
  init: {
    kind: 'choice',
    default: 'gpt2',
    choices: Object.keys(initSchemes),
    help: 'scale of the random weights',
  },
  run: { ...run, help: 'the folder of the run; default runs/<text>-<size>' },
  textColumn: { kind: 'text', default: null, argument: 'NAME', help: 'field or column of a data file that holds the texts; default: text' }, // biome-ignore format: one line
  validation: {
    kind: 'text',
    default: '0.05',
    argument: 'FILE|FRACTION',
    help: 'held-out text: a file, or a fraction of the documents (of a single text its end)',
  },
  epochs: number(1, 0.01, 1000, 'passes over the text'),
  maxSteps,
  batchSize: whole(32, 1, 4096, 'rows of text per optimizer step'),
  microBatchSize,
  sequenceLength: whole(256, 8, 131072, 'longest row in tokens'),
  learningRate: number(1e-3, 1e-8, 1, 'top of the learning rate schedule'),
  schedule,
  warmupSteps: whole(
    null,
    0,
    manySteps,
    'steps over which the learning rate rises; default: 100, or a tenth of all where that is less',
  ),
  weightDecay: number(0.1, 0, 1, 'weight decay of AdamW, on matrices only'),
  beta2: number(0.95, 0.5, 0.99999, "AdamW's decay of the second moment"),
  maxGradientNorm,
  seed,
  shuffle,
  packing,
  device,
  threads,
  nice,
  checkpointEvery,
  validateEvery,
  earlyStop,
  outputType,
} as const satisfies Record<string, Option>;

export type OptionTable = Readonly<Record<string, Option>>;
export type PretrainOptionName = keyof typeof pretrainOptions;

export type TuneOptionName = keyof typeof tuneOptions;

export const flagOf = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
