/**
 * The resolved settings of a fine-tuning run, as run.json and recipe.yaml keep them and the training process obeys them.
 * Names are those of the flags in camelCase. Pure type: parsing, defaults and help are settings/options.ts's and settings/load.ts's.
 */

import type { Projection } from '../lora/adapter.ts';
import type { LossType } from '../losses/pair-losses.ts';
import type { TokenLoss } from '../losses/token-losses.ts';
import type { InitScheme } from '../models/random-model.ts';
import type { PretrainSizeName } from '../models/sizes.ts';
import type { ChosenName, RequestedDefaults } from './defaults-from-data.ts';
import type { Method } from './methods.ts';

/** What happens to a row longer than the sequence length; `truncate-left` drops its beginning. */
export type TooLong = 'truncate-left' | 'truncate-right' | 'split' | 'refuse';
/** How a data file is read; `auto` detects it and says what it found. */
export type DataFormat =
  | 'auto'
  | 'messages'
  | 'prompt-completion'
  | 'text'
  | 'alpaca'
  | 'sharegpt'
  | 'preference'
  | 'openai-preference'
  | 'csv';

/** What pretraining makes its model of. */
export interface PretrainSettings {
  /** Its shape. */
  readonly size: PretrainSizeName;
  /** Tokens of the vocabulary to train, the special ones included. */
  readonly vocabulary: number;
  /** Absolute path of a GGUF whose tokenizer is used instead. */
  readonly tokenizer: string | null;
  /** By what rule its random weights are scaled. */
  readonly init: InitScheme;
}

/** The settings of a run, resolved: units, bounds and defaults are those of `TuneOptions` and `PretrainOptions`. */
export interface RunSettings {
  /** What is trained: an adapter, every weight of a model, every weight of a new model, or an adapter on preferences. */
  readonly method: Method;
  /** What is minimised where answers are learnt as they stand; absent in runs from before there was a choice: the cross-entropy. */
  readonly loss?: TokenLoss;
  /** Of noise on the embedded tokens while training, 0 for none; absent likewise. */
  readonly neftuneAlpha?: number;
  /** What the loss of tokens outside of answers counts in training, 0 for nothing; absent likewise. */
  readonly promptWeight?: number;
  /** Of preferences; null for other methods. */
  readonly beta: number | null;
  /** Loss of dpo. */
  readonly lossType: LossType;
  /** Of the loss robust; null for all else. */
  readonly labelSmoothing: number | null;
  /** Of simpo; null for all else. */
  readonly gamma: number | null;
  /** Weight of the cross-entropy of the chosen answers, in dpo and simpo. */
  readonly sftShare: number;
  /** What good and bad answers count, in kto. */
  readonly desirableWeight: number;
  readonly undesirableWeight: number;
  /** Only for method pretrain. */
  readonly pretrain: PretrainSettings | null;
  /** Type of the written model's matrices, where every weight is trained. */
  readonly outputType: 'F16' | 'Q8_0';
  /** Absolute paths of data files or folders. */
  readonly data: readonly string[];
  readonly format: DataFormat;
  /** CSV columns, where the format is csv: prompt and completion, or text. null = the usual names. */
  readonly promptColumn: string | null;
  readonly completionColumn: string | null;
  readonly textColumn: string | null;
  /** A file, or the fraction (0..1) of the training rows held out, or null for none (a data folder's own valid file still counts). */
  readonly validation: string | number | null;
  /** Absolute path of the base GGUF (already resolved from a name) and the name the user gave. */
  readonly modelPath: string;
  readonly model: string;
  /** Absolute path of the run's folder; it must not exist unless resuming. */
  readonly run: string;
  readonly tooLong: TooLong;
  /** `answers`: assistant turns and their end-of-turn token; `all`: every token. */
  readonly supervise: 'answers' | 'all';
  /** What control tokens spelled in the data become (tokens/encode-example.ts). Absent in runs from before there was a choice: control. */
  readonly specialTokens?: 'auto' | 'text' | 'control';
  /** Text of the chat template that is used instead of the model's own; null or absent = the model's own. */
  readonly chatTemplate?: string | null;
  readonly epochs: number;
  readonly maxSteps: number | null;
  /** Conversations per optimizer step. */
  readonly batchSize: number;
  /** Conversations per forward/backward, null = as many as a token budget allows. */
  readonly microBatchSize: number | null;
  readonly sequenceLength: number;
  readonly learningRate: number;
  readonly schedule: 'linear' | 'cosine' | 'constant';
  /** null in a pretraining run that has not seen its text yet: then of the number of steps. */
  readonly warmupSteps: number | null;
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly rslora: boolean;
  readonly targetModules: readonly Projection[];
  readonly weightDecay: number;
  /** AdamW's decay of the second moment. */
  readonly beta2: number;
  readonly maxGradientNorm: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly packing: boolean;
  /** Whether what all rows begin with is computed once per micro-batch. Absent in runs from before there was a choice: it is not. */
  readonly sharePrefix?: boolean;
  /** Absolute path of a PEFT folder, .safetensors or .gguf adapter to start from, or several of them with scales (store/stack.ts). */
  readonly initialAdapter: string | null;
  /** What the new adapter is trained on top of, likewise; absent in runs from before there was a choice. */
  readonly frozenAdapter?: string | null;
  readonly precision: 'auto' | 'f32' | 'int8';
  /** What computes an adapter's steps; `native` and `auto` fall back to onnxruntime for what the kernels lack. Absent where every weight is trained. */
  readonly engine: 'auto' | 'onnxruntime' | 'native';
  /** Where the graphs run; webgpu means float32. */
  readonly device: 'cpu' | 'webgpu';
  /** Bytes that the run may take; null = what is free. */
  readonly memory: number | null;
  /** null = physical cores. */
  readonly threads: number | null;
  /** Whether the training process steps back behind all others. */
  readonly nice: boolean;
  /** Steps between checkpoints and between validations; null = chosen from the number of steps. */
  readonly checkpointEvery: number | null;
  readonly validateEvery: number | null;
  /** Checkpoints at ends of epochs that are kept, the last of them; 0 = none beside those that a run needs. */
  readonly keepEpochs: number;
  /** Validations without improvement after which the run stops; null = never. */
  readonly earlyStop: number | null;
  /** Whether data with severe findings of `inspectData()` is refused; absent in runs from before it, and in pretraining. */
  readonly strictData?: boolean;
  /** Share of the training rows that are whole answers of the base itself to ordinary requests; absent in runs from before it, and in pretraining. */
  readonly mixBase?: number;
  /** Whether the first tokens of the base's own answers are among the training rows; absent likewise. */
  readonly keepAlignment?: boolean;
  /** Absolute path of a text file with those requests, one on each line; null or absent = those of the package. */
  readonly basePrompts?: string | null;
  /** Share of the run's time for answers of the model while it is trained, 0 for none; absent in runs from before there were some, and in pretraining. */
  readonly sampleShare?: number;
  /** Share of the run's time for evaluating held-out examples at its end, 0 for none; absent in runs from before there was one. */
  readonly verdictShare?: number;
  /** Share of the run's time for a safety check at its end, 0 for none; absent in runs from before there was one, and in pretraining. */
  readonly safetyShare?: number;
}

/** The settings before the data was seen: what it decides may be open (null). */
export type RequestedSettings = Omit<RunSettings, ChosenName> & RequestedDefaults;
