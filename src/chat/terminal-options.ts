/** What a chat in a terminal is given. */
import type { NomoatError } from '../errors.ts';
import type { ChatModel, Sampling } from './chat-model.ts';
import type { KeySource } from './paste-reader.ts';
import type { AnswerOutput } from './shown-text.ts';

export interface TerminalChatOptions {
  /** Of this machine or of a server. */
  readonly model: Pick<ChatModel, 'generate'>;
  readonly system?: string | null;
  readonly sampling?: Partial<Sampling>;
  /** One question, one answer, the end; standard input is then not read. */
  readonly prompt?: string | null;
  readonly input: KeySource;
  readonly output: AnswerOutput;
  /** Where prompts, hints and errors go: standard error. Lines are edited there where it is a terminal. */
  readonly notices: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** With a single answer: print one JSON object instead of its text. */
  readonly json?: boolean;
  /** The model's name, where saved conversations are to say that it generated them. */
  readonly disclosed?: string | null;
  /** Stops the answer and the program. */
  readonly signal?: AbortSignal;
  /** The words in which an error of the library is shown here (default: its message). */
  readonly errorText?: (error: NomoatError) => string;
  /** The clock behind the default name of a saved file. */
  readonly now?: () => Date;
}
