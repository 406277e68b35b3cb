/**
 * Everything a run says, as typed events: one JSON object a line in events.jsonl and, with `--json`, on stdout.
 * The names are public: programs build on them. All durations are seconds, all sizes bytes, losses nats per supervised token.
 * JSON has no NaN and no infinity: where a number can be one, its type has null for it.
 */

import type { ErrorCode, ErrorKind, NomoatError } from './errors.ts';
import type { PreferenceFigures } from './losses/preference-tally.ts';
import type { ActivationPolicy } from './models/activation-policy.ts';
import type { SamplesEvent } from './sample-events.ts';
import type { Method } from './settings/methods.ts';
import type { RecordSource } from './text/example.ts';
import type { ResultEvent } from './verdict-event.ts';

/** Of the events: raised where a program that reads them has to know of it. */
export const eventsVersion = 1;

/** The first event of a process that trains; a resumed run has one for each. */
export interface RunStartEvent {
  readonly type: 'run-start';
  /** eventsVersion of the nomoat that wrote it and the events up to the next run-start; absent in those of 0.1. */
  readonly version?: number;
  /** Absolute path of the run's folder. */
  readonly run: string;
  /** As it was named: a file or a name. */
  readonly model: string;
  /** Such as `llama`. */
  readonly architecture: string;
  /** What is trained: an adapter, every weight, every weight of a new model. */
  readonly method: Method;
  /** Weights of the model. */
  readonly parameters: number;
  /** Weights that are trained. */
  readonly trainableParameters: number;
  /** All settings, resolved: those of run.json. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Steps that an earlier process made; absent where it begins anew. */
  readonly resumedFromStep?: number;
}

/** A row that cannot be used. */
export interface RefusedRow {
  readonly source: RecordSource;
  /** Why, in words. */
  readonly reason: string;
}

/** What the data came to: counts of all rows, used or not. */
export interface DataReadyEvent {
  readonly type: 'data-ready';
  /** How the data was read, such as `messages`. */
  readonly format: string;
  /** Training rows that are used. */
  readonly rows: number;
  /** Of those rows. */
  readonly tokens: number;
  /** Of those, the learnt ones. */
  readonly supervisedTokens: number;
  /** Rows that were cut to the sequence length. */
  readonly truncatedRows: number;
  /** Rows that cannot be used. */
  readonly refusedRows: number;
  /** Rows that became several. */
  readonly splitRows: number;
  /** Refusals by reason; their sum is `refusedRows`. */
  readonly refusals: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly refused: readonly RefusedRow[];
  /** Rows equal to an earlier one; they are used. */
  readonly duplicateRows: number;
  /** Training rows that also stand in the validation set. */
  readonly leakedRows: number;
  /** Held-out rows. */
  readonly validationRows: number;
  /** Of those rows. */
  readonly validationTokens: number;
  /** Of those, the ones that the validation loss is the mean over. */
  readonly validationSupervisedTokens: number;
  /** Optimizer steps of one pass. */
  readonly stepsPerEpoch: number;
  /** Optimizer steps of the whole run. */
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
  /** The whole run: validations, proof, samples and verdict included. */
  readonly seconds: number;
  /** Real tokens while training. */
  readonly tokensPerSecond: number;
  /** At its highest, the proof included. */
  readonly peakMemoryBytes: number;
  /** Checkpoints, result, and the base's copy for the proof where it is not there yet. */
  readonly diskBytes: number;
}

/** What the run will take, from its first steps. Proof, samples and verdict at the end come on top of the time. */
export interface EstimateEvent {
  readonly type: 'estimate';
  /** Training and validation of this process, those steps included: of a run that was resumed, what was left. */
  readonly seconds: number;
  /** The highest that memory will stand while training, of the training process and the one that shows its progress. */
  readonly peakMemoryBytes: number;
  /** Real tokens while training. */
  readonly tokensPerSecond: number;
}

/** The arithmetic of the frozen weights, and what was measured before it was chosen. */
export interface PrecisionEvent {
  readonly type: 'precision';
  /** What was chosen. */
  readonly precision: 'f32' | 'int8';
  /** Why, in a sentence. */
  readonly reason: string;
  /** Mean KL divergence of next-token distributions, int8 base against float32, nats; null where it was not measured. */
  readonly divergence: number | null;
  /** The divergence up to which int8 passes. */
  readonly bound: number;
  /** Largest magnitude of an int8 weight: 127, or 63 where the processor's sums saturate. */
  readonly levels: number | null;
  /** Rate of int8 products over float32's on this machine. */
  readonly speedup: number | null;
}

/** One optimizer step. */
export interface StepEndEvent {
  readonly type: 'step-end';
  /** Counted from 0. */
  readonly step: number;
  /** Mean over the supervised tokens of the step, before its update. */
  readonly loss: number;
  /** L2 norm of all gradients before clipping. */
  readonly gradientNorm: number;
  /** Of this step, by the schedule. */
  readonly learningRate: number;
  /** Real tokens of this step, padding excluded. */
  readonly tokens: number;
  /** Of those, the learnt ones. */
  readonly supervisedTokens: number;
  /** Of this step alone. */
  readonly tokensPerSecond: number;
  /** Where preferences are learnt: rewards, margin and accuracy of the step's pairs, before its update. */
  readonly preference?: PreferenceFigures;
}

/** The loss on the held-out rows. */
export interface ValidationEvent {
  readonly type: 'validation';
  /** Number of optimizer steps taken before this measurement. */
  readonly step: number;
  /** Mean over `tokens`. */
  readonly loss: number;
  /** Supervised tokens that the loss is the mean over. */
  readonly tokens: number;
  /** Pretraining only: loss * tokens / (bytes of the text * ln 2), which compares across tokenizers. */
  readonly bitsPerByte?: number;
  /** Where preferences are learnt: rewards, margin and accuracy of the held-out pairs. The loss is then a mean over them. */
  readonly preference?: PreferenceFigures;
}

/** A checkpoint stands on the disk: a run that is killed goes on from it. */
export interface CheckpointSavedEvent {
  readonly type: 'checkpoint-saved';
  /** Optimizer steps that the checkpoint holds. */
  readonly step: number;
  /** Absolute path of its folder. */
  readonly path: string;
  /** Whether no validation was better so far. */
  readonly best: boolean;
}

/** The proof: llama.cpp's log-probabilities with the result beside the trainer's. */
export interface ExportParityEvent {
  readonly type: 'export-parity';
  /** What llama.cpp ran: the base file itself or a converted copy of it. */
  readonly base: string;
  /** Supervised tokens that were compared. */
  readonly tokens: number;
  /** Mean and worst |difference| of log-probability per supervised token, nats; null where llama.cpp's numbers are not finite. */
  readonly meanDifference: number | null;
  /** As `meanDifference`, of the token furthest apart. */
  readonly worstDifference: number | null;
  /** Null on a quantized file, where the figure is shown and only judged for being a number. */
  readonly bound: number | null;
  /** Null where nothing was judged. */
  readonly passed: boolean | null;
}

/** Something the user should know that does not stop the run. */
export interface NoticeEvent {
  readonly type: 'notice';
  /** For programs, such as `defaults`. */
  readonly code: string;
  /** A sentence or more. */
  readonly message: string;
}

/** The last event of a run that ended in whatever way but by a kill. */
export interface RunEndEvent {
  readonly type: 'run-end';
  /** `diverged`: its weights came apart, there is no result. `proof-failed`: llama.cpp does not compute what was trained. */
  readonly state: 'done' | 'interrupted' | 'failed' | 'stopped-early' | 'diverged' | 'proof-failed';
  /** Why the result is not to be trusted, and what can still be used; absent where it is. */
  readonly verdict?: string;
  /** Folder of the PEFT adapter; null where there is none. */
  readonly adapter: string | null;
  /** Where every weight was trained: the GGUF model. */
  readonly model: string | null;
  /** Of this process, all stages together. */
  readonly seconds: number;
  /** Of training and validation before the run was resumed; 0 where it was not. */
  readonly secondsBefore: number;
  /** Of the training process and the one that shows its progress. */
  readonly peakMemoryBytes: number;
  /** Of the steps, without validations; null where this process made none. */
  readonly tokensPerSecond: number | null;
  /** From the beginning to the end of the first step; null for a run that was resumed. */
  readonly firstStepSeconds: number | null;
  /** Loss before training; null where nothing was held out. */
  readonly validationBefore: number | null;
  /** Loss of the result; null where nothing was held out. */
  readonly validationAfter: number | null;
  /** Steps that were made, and the one after which the result was taken: that of the best validation, or null for the last. */
  readonly steps: number;
  /** Steps after which the result was taken; null: after the last. */
  readonly bestStep: number | null;
}

/** What a run failed with: a NomoatError as JSON. */
export interface ErrorEvent {
  readonly type: 'error';
  /** For programs: docs/errors.md lists them. */
  readonly code: ErrorCode;
  /** Who can mend it. */
  readonly kind: ErrorKind;
  /** What is at fault. */
  readonly part: string;
  /** What is wrong, one clause. */
  readonly fault: string;
  /** What can be done about it, one sentence. */
  readonly remedy: string;
  /** Figures and names for programs. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** `part: fault. remedy`. */
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

/** Everything that a run says; `type` tells them apart. */
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
  | SamplesEvent
  | ResultEvent
  | RunEndEvent
  | ErrorEvent;
