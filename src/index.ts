/** The public surface of the package. */
export type {
  AnswerStream,
  ChatModel,
  Generated,
  GenerateOptions,
  Model,
  Sampling,
  StopReason,
} from './chat/chat-model.ts';
export type { Score, ScoredToken } from './chat/score.ts';
export type { CommandName } from './config/command-settings.ts';
export { type JsonSchema, settingsSchema } from './config/json-schema.ts';
export type { PretrainOptionValues, TuneOptionValues } from './config/option-types.ts';
export { NomoatError } from './errors.ts';
export type { RunEvent } from './jobs/events.ts';
export type { Confirm, Proposal } from './jobs/proposal.ts';
export type { Run, RunResult } from './jobs/run.ts';
export type { RunHandle } from './jobs/start-run.ts';
export {
  type ChatOptions,
  chat,
  openModel,
  type PretrainOptions,
  pretrain,
  resumeTune,
  type TuneOptions,
  tune,
} from './library.ts';
export type { Message } from './text/example.ts';
