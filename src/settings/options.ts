/**
 * Every option of `tune` and `pretrain`, as zod schemas: flags (kebab-case), recipe keys and library options (camelCase), their types and
 * JSON Schema are all made from them.
 */
import { z } from 'zod';
import { projections } from '../lora/adapter.ts';
import { lossTypes } from '../losses/pair-losses.ts';
import { tokenLosses } from '../losses/token-losses.ts';
import { type InitScheme, initSchemes } from '../models/random-model.ts';
import { type PretrainSizeName, pretrainSizes } from '../models/sizes.ts';
import { templateNames } from '../text/named-templates.ts';
import { choice, fileOrFraction, number, openSize, openText, someOf, text, toggle, whole } from './fields.ts';
import { leastBeta, tuneMethods } from './methods.ts';

/** In a pretraining run's folder, the model that it began with. */
export const startModelName = 'start.gguf';

/** A step count beyond this is a slip of the finger. */
const manySteps = 10_000_000;

/** The model that comes with the package. */
export const defaultModel = 'nomoat-mini';

export const tuneOptions = {
  model: text(defaultModel, 'NAME|FILE.gguf', 'the base model: a file, or a name that `listModels()` lists'),
  method: choice(
    'lora',
    tuneMethods,
    'train an adapter, or every weight of a small model; or an adapter on preferences: on pairs of answers (dpo, orpo, simpo) or on answers with a label (kto)',
  ),
  loss: choice(
    'cross-entropy',
    tokenLosses,
    'what method lora minimises: the cross-entropy, or DFT, which weights the loss of each token by its own probability; validation is by the cross-entropy',
  ),
  neftuneAlpha: number(
    0,
    [0, 100],
    'NEFTune: uniform noise on the embedded tokens while training, of this over the root of their number times the width, such as 5; 0: none',
  ),
  promptWeight: number(
    0,
    [0, 1],
    'what the loss of tokens outside of answers counts in training, such as 0.1; 0: nothing is learnt of them',
  ),
  beta: number(
    null,
    [leastBeta, 100],
    'preferences: how much differences of log-probabilities count; in dpo and kto a higher one stays closer to the base; default: by the method',
  ),
  lossType: choice('sigmoid', lossTypes, 'loss of dpo; sigmoid-norm and ipo take means over the tokens of an answer'),
  labelSmoothing: number(
    null,
    [0, 0.49],
    'share of pairs taken to be the wrong way round, for the loss robust; default: 0.1',
  ),
  gamma: number(null, [0, 100], 'margin that simpo wants between two answers; default: half of beta'),
  sftShare: number(0, [0, 100], 'weight of the cross-entropy of the chosen answers beside the loss of dpo or simpo'),
  desirableWeight: number(1, [0, 100], 'what good answers count, in kto'),
  undesirableWeight: number(1, [0, 100], 'what bad answers count, in kto'),
  run: openText('DIR', 'the folder of the run; default runs/<data>-<model>'),
  validation: fileOrFraction(null, 'held-out data: a file, or a fraction of the training data such as 0.1'),
  format: choice(
    'auto',
    ['auto', 'messages', 'prompt-completion', 'text', 'alpaca', 'sharegpt', 'preference', 'openai-preference', 'csv'],
    'format of the data; auto detects it',
  ),
  promptColumn: openText('NAME', 'CSV column of the prompts'),
  completionColumn: openText('NAME', 'CSV column of the completions'),
  textColumn: openText('NAME', 'CSV column of plain texts'),
  tooLong: choice(
    'truncate-left',
    ['truncate-left', 'truncate-right', 'split', 'refuse'],
    'rows beyond the sequence length: which side is cut, or split or refuse them',
  ),
  supervise: choice(
    'answers',
    ['answers', 'all'],
    'tokens that are learnt: the answers with their end-of-turn token, or all',
  ),
  specialTokens: choice(
    'auto',
    ['auto', 'text', 'control'],
    'control tokens spelled in the data: text, or control tokens; auto: text inside messages and prompts, control tokens in plain texts and in prompts that hold chat markup',
  ),
  chatTemplate: openText(
    'FILE|NAME',
    `chat template to train and chat with instead of the model's own: a file, or ${templateNames.join(', ')}`,
  ),
  epochs: number(null, [0.01, 1000], 'passes over the data; default: chosen from the data', { unit: 'passes' }),
  maxSteps: whole(null, [1, manySteps], 'stop after this many steps', { unit: 'steps' }),
  batchSize: whole(null, [1, 4096], 'conversations per optimizer step; default: chosen from the data', {
    unit: 'rows',
  }),
  microBatchSize: whole(null, [1, 4096], 'conversations computed at once; default: as many as 512 tokens hold', {
    unit: 'rows',
  }),
  sequenceLength: whole(null, [8, 131072], 'longest row in tokens; default: chosen from the data', { unit: 'tokens' }),
  learningRate: number(null, [1e-8, 1], 'top of the learning rate schedule; default: chosen for the model'),
  schedule: choice('cosine', ['linear', 'cosine', 'constant'], 'how the learning rate falls after the warm-up'),
  warmupSteps: whole(5, [0, manySteps], 'steps over which the learning rate rises', { unit: 'steps' }),
  rank: whole(null, [1, 256], 'rank of the adapter; default: chosen from the data'),
  alpha: number(16, [1e-3, 10000], 'the adapter is scaled by alpha / rank'),
  dropout: number(0, [0, 0.99], 'dropout on the inputs of the adapter'),
  rslora: toggle(false, 'scale by alpha / sqrt(rank) instead'),
  targetModules: someOf(projections, 'q_proj,...', 'the adapted projections'),
  weightDecay: number(0, [0, 1], 'weight decay of AdamW'),
  beta2: number(0.999, [0.5, 0.99999], "AdamW's decay of the second moment"),
  maxGradientNorm: number(1, [1e-6, 1e6], 'gradients are clipped to this norm'),
  seed: whole(0, [0, 2 ** 31 - 1], 'seed of everything random'),
  shuffle: toggle(true, 'take the rows in random order', 'keep the order of the data'),
  packing: toggle(
    true,
    'lay the rows of a micro-batch end to end instead of padding them',
    'pad the rows of a micro-batch instead of laying them end to end',
  ),
  sharePrefix: toggle(
    true,
    'compute what all rows begin with, such as a system prompt, once per micro-batch',
    'compute what all rows begin with, such as a system prompt, in each row instead of once per micro-batch',
  ),
  initialAdapter: openText(
    'DIR|FILE',
    'start from this adapter (PEFT folder, another run, .gguf, or .safetensors: without its config, `alpha` holds), or from a stack, as a@0.7+b: exactly, or nearest of the `rank` that is given',
  ),
  frozenAdapter: openText(
    'DIR|FILE',
    'train a new adapter on top of this one, or of a stack as a@0.7+b, which stay as they are: it is asked with them from then on',
  ),
  precision: choice(
    'auto',
    ['auto', 'f32', 'int8'],
    'dtype of the frozen base weights and arithmetic with them; auto takes int8 where it is faster and measured to be close',
  ),
  engine: choice(
    'auto',
    ['auto', 'onnxruntime', 'native'],
    'what computes the steps of an adapter: onnxruntime, or kernels of our own (native: Linux x64 with AVX2 or AVX-512 VNNI, arm64 with dotprod), which leave to onnxruntime what they lack; auto: native where the base is in int8',
  ),
  device: choice(
    'cpu',
    ['cpu', 'webgpu'],
    'where training computes: the processor, or a graphics card through WebGPU, in float32 (experimental)',
  ),
  memory: openSize(
    'SIZE',
    'memory that training may take, such as 8GB: within it activations are kept, kept as float16, recomputed (gradient checkpointing), or the model is read from the disk (weight offloading); default: what is free',
  ),
  threads: whole(
    null,
    [1, 1024],
    'threads to compute with, no more than the machine runs at once; default: physical cores',
    { unit: 'threads' },
  ),
  nice: toggle(false, 'train in the background: at the lowest priority, behind all other programs'),
  checkpointEvery: whole(null, [1, manySteps], 'steps between checkpoints; default: a quarter of the run, at most 50', {
    unit: 'steps',
  }),
  validateEvery: whole(null, [1, manySteps], 'steps between validations; default: a quarter of the run', {
    unit: 'steps',
  }),
  keepEpochs: whole(
    0,
    [0, 1000],
    'keep the checkpoints of the last epochs, this many, each an adapter by itself; validations are then at the ends of epochs, unless set otherwise',
    { unit: 'epochs' },
  ),
  earlyStop: whole(null, [1, 1000], 'stop after this many validations without improvement', { unit: 'validations' }),
  strictData: toggle(
    false,
    'refuse data with keys, numbers of accounts or persons, or hidden text in it; else a sample is looked at, and what is found is said',
  ),
  mixBase: number(
    0,
    [0, 0.5],
    "add the base's own answers to ordinary requests, of 64 tokens at most, up to this share of the training rows, such as 10%: against forgetting",
    { argument: 'N%' },
  ),
  keepAlignment: toggle(
    false,
    "add the first five tokens of the base's own answers to ordinary requests, a fifth of the training rows: what the result begins answers with stays near the base",
  ),
  basePrompts: openText(
    'FILE',
    'what the base is asked for `mixBase` and `keepAlignment`: a text file with a request on each line; default: 320 requests of every day, in English',
  ),
  sampleShare: number(
    0.03,
    [0, 0.5],
    "share of the run's time for answers of the model while it is trained, to a few held-out examples at each validation that there is time at, at most; 0: none",
  ),
  verdictShare: number(
    0.1,
    [0, 0.5],
    "share of the run's time for evaluating held-out examples at its end, at most; 0: no evaluation",
  ),
  safetyShare: number(
    0.05,
    [0, 0.5],
    "share of the run's time for asking its result and its base what they refuse, at its end, at most; 20 seconds are always given, and 25 at most; 0: no safety check",
  ),
  outputType: choice('F16', ['F16', 'Q8_0'], 'type of the written matrices, for method full'),
};

const {
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
  size: choice('micro', Object.keys(pretrainSizes) as PretrainSizeName[], 'shape of the model'),
  tokenizer: openText('FILE.gguf', "use this model's tokenizer; default: train one"),
  vocabulary: whole(null, [259, 262144], 'tokens of the trained tokenizer; default: by size', { unit: 'tokens' }),
  init: choice('gpt2', Object.keys(initSchemes) as InitScheme[], 'scale of the random weights'),
  run: openText('DIR', 'the folder of the run; default runs/<text>-<size>'),
  textColumn: openText('NAME', 'field or column of a data file that holds the texts; default: text'),
  validation: fileOrFraction(0.05, 'held-out text: a file, or a fraction of the documents (of a single text its end)'),
  epochs: number(1, [0.01, 1000], 'passes over the text', { unit: 'passes' }),
  maxSteps,
  batchSize: whole(32, [1, 4096], 'rows of text per optimizer step', { unit: 'rows' }),
  microBatchSize,
  sequenceLength: whole(256, [8, 131072], 'longest row in tokens', { unit: 'tokens' }),
  learningRate: number(1e-3, [1e-8, 1], 'top of the learning rate schedule'),
  schedule,
  warmupSteps: whole(
    null,
    [0, manySteps],
    'steps over which the learning rate rises; default: 100, or a tenth of all where that is less',
    { unit: 'steps' },
  ),
  weightDecay: number(0.1, [0, 1], 'weight decay of AdamW, on matrices only'),
  beta2: number(0.95, [0.5, 0.99999], "AdamW's decay of the second moment"),
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
};

/** Options by name. */
export type OptionTable = Readonly<Record<string, z.ZodType>>;
export type PretrainOptionName = keyof typeof pretrainOptions;
export type TuneOptionName = keyof typeof tuneOptions;

export const tuneSettings = z.object(tuneOptions);
export const pretrainSettings = z.object(pretrainOptions);
/** The options with their defaults filled in. */
export type TuneValues = z.output<typeof tuneSettings>;
export type PretrainValues = z.output<typeof pretrainSettings>;

export const flagOf = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
