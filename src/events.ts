/**
 * Everything a run says, as typed events: one JSON object a line in events.jsonl and, with `--json`, on stdout.
 * The names are public: programs build on them. All durations are seconds, all sizes bytes, losses nats per supervised token.
 * JSON has no NaN and no infinity: where a number can be one, its type has null for it.
 */
import type { ErrorCode, ErrorKind, NomoatError } from './errors.ts';
import type { ActivationPolicy } from './models/activation-policy.ts';
import type { RecordSource } from './text/example.ts';

/** Of the events: raised where a program that reads them has to know of it. */
export const eventsVersion = 1;

export interface RunStartEvent {
  readonly type: 'run-start';
  /** eventsVersion of the nomoat that wrote it and the events up to the next run-start; absent in those of 0.1. */
  readonly version?: number;
  readonly run: string;
  readonly model: string;
  readonly architecture: string;
  readonly method: 'lora' | 'full' | 'pretrain';
  readonly parameters: number;
  readonly trainableParameters: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly resumedFromStep?: number;
}

/** A row that cannot be used. */
export interface RefusedRow {
  readonly source: RecordSource;
  readonly reason: string;
}

export interface DataReadyEvent {
  readonly type: 'data-ready';
  readonly format: string;
  readonly rows: number;
  readonly tokens: number;
  readonly supervisedTokens: number;
  readonly truncatedRows: number;
  readonly refusedRows: number;
  readonly splitRows: number;
  /** Refusals by reason; their sum is `refusedRows`. */
  readonly refusals: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly refused: readonly RefusedRow[];
  readonly duplicateRows: number;
  /** Training rows that also stand in the validation set. */
  readonly leakedRows: number;
  readonly validationRows: number;
  readonly validationTokens: number;
  readonly validationSupervisedTokens: number;
  readonly stepsPerEpoch: number;
  readonly steps: number;
}

/** What the run will take, said before it computes anything (plan.ts); run-end has what it took. */
export interface PlanEvent {
  readonly type: 'plan';
  /** From a measured micro-batch; else from assumed rates, as for tiny models. */
  readonly measured: boolean;
  /** Expected, if the int8 base is found close enough. */
  readonly precision: 'f32' | 'int8';
  /** Whether backward finds its activations kept, kept as float16, or computes them again. */
  readonly activations: ActivationPolicy;
  /** Whether the blocks' weights come from the disk. */
  readonly streamed: boolean;
  /** From the beginning to the end of the first step. */
  readonly firstStepSeconds: number;
  /** The whole run: validations, proof and samples included. */
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly peakMemoryBytes: number;
  /** Checkpoints, result, and the base's copy for the proof where it is not there yet. */
  readonly diskBytes: number;
}

/** What the run will take, from its first steps. The proof and the samples at the end come on top of the time. */
export interface EstimateEvent {
  readonly type: 'estimate';
  /** Training and validation of this process, those steps included: of a run that was resumed, what was left. */
  readonly seconds: number;
  /** The highest that memory will stand while training, of the training process and the one that shows its progress. */
  readonly peakMemoryBytes: number;
  readonly tokensPerSecond: number;
}

/** The arithmetic of the frozen weights, and what was measured before it was chosen. */
export interface PrecisionEvent {
  readonly type: 'precision';
  readonly precision: 'f32' | 'int8';
  readonly reason: string;
  /** Mean KL divergence of next-token distributions, int8 base against float32, nats; null where it was not measured. */
  readonly divergence: number | null;
  readonly bound: number;
  /** Largest magnitude of an int8 weight: 127, or 63 where the processor's sums saturate. */
  readonly levels: number | null;
  /** Rate of int8 products over float32's on this machine. */
  readonly speedup: number | null;
}

export interface StepEndEvent {
  readonly type: 'step-end';
  /** Counted from 0. */
  readonly step: number;
  readonly loss: number;
  /** L2 norm of all gradients before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Real tokens of this step, padding excluded. */
  readonly tokens: number;
  readonly supervisedTokens: number;
  readonly tokensPerSecond: number;
}

export interface ValidationEvent {
  readonly type: 'validation';
  /** Number of optimizer steps taken before this measurement. */
  readonly step: number;
  readonly loss: number;
  /** Supervised tokens that the loss is the mean over. */
  readonly tokens: number;
  /** Pretraining only: loss * tokens / (bytes of the text * ln 2), which compares across tokenizers. */
  readonly bitsPerByte?: number;
}

export interface CheckpointSavedEvent {
  readonly type: 'checkpoint-saved';
  /** Optimizer steps that the checkpoint holds. */
  readonly step: number;
  readonly path: string;
  readonly best: boolean;
}

export interface ExportParityEvent {
  readonly type: 'export-parity';
  /** What llama.cpp ran: the base file itself or a converted copy of it. */
  readonly base: string;
  readonly tokens: number;
  /** Mean and worst |difference| of log-probability per supervised token, nats; null where llama.cpp's numbers are not finite. */
  readonly meanDifference: number | null;
  readonly worstDifference: number | null;
  /** Null on a quantised file, where the figure is shown and only judged for being a number. */
  readonly bound: number | null;
  readonly passed: boolean | null;
}

/** Something the user should know that does not stop the run. */
export interface NoticeEvent {
  readonly type: 'notice';
  readonly code: string;
  readonly message: string;
}

export interface SampleEvent {
  readonly type: 'sample';
  readonly prompt: string;
  readonly expected: string;
  readonly before: string;
  readonly after: string;
}

export interface RunEndEvent {
  readonly type: 'run-end';
  /** `diverged`: its weights came apart, there is no result. `proof-failed`: llama.cpp does not compute what was trained. */
  readonly state: 'done' | 'interrupted' | 'failed' | 'stopped-early' | 'diverged' | 'proof-failed';
  /** Why the result is not to be trusted, and what can still be used; absent where it is. */
  readonly verdict?: string;
  readonly adapter: string | null;
  /** Where every weight was trained: the GGUF model. */
  readonly model: string | null;
  readonly seconds: number;
  /** Of training and validation before the run was resumed; 0 where it was not. */
  readonly secondsBefore: number;
  readonly peakMemoryBytes: number;
  /** Of the steps, without validations; null where this process made none. */
  readonly tokensPerSecond: number | null;
  /** From the beginning to the end of the first step; null for a run that was resumed. */
  readonly firstStepSeconds: number | null;
  readonly validationBefore: number | null;
  readonly validationAfter: number | null;
  /** Steps that were made, and the one after which the result was taken: that of the best validation, or null for the last. */
  readonly steps: number;
  readonly bestStep: number | null;
}

export interface ErrorEvent {
  readonly type: 'error';
  /** For programs: docs/errors.md lists them. */
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly part: string;
  readonly fault: string;
  readonly remedy: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** An error as the event that tells of it. */
export const errorEvent = ({ code, fault, fields, kind, message, part, remedy }: NomoatError): ErrorEvent => ({
  type: 'error',
  code,
  kind,
  part,
  fault,
  remedy,
  fields,
  message,
});

export type RunEvent =
  | RunStartEvent
  | DataReadyEvent
  | PlanEvent
  | EstimateEvent
  | PrecisionEvent
  | StepEndEvent
  | ValidationEvent
  | CheckpointSavedEvent
  | ExportParityEvent
  | NoticeEvent
  | SampleEvent
  | RunEndEvent
  | ErrorEvent;
