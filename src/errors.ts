/**
 * The one error class that users see. It names the part at fault, the fault itself and the remedy,
 * and carries machine-readable fields. It knows nothing of terminals: the CLI renders it.
 */

import { codeOfKind, type ErrorCode, type ErrorKind, errorCodes } from './error-codes.ts';

export type { ErrorCode, ErrorKind } from './error-codes.ts';

/** What an error is made of. */
export interface NomoatErrorOptions {
  /** Which component or file is at fault, e.g. `train.jsonl line 3`, or an option in backticks. */
  readonly part: string;
  /** What is wrong, one clause, with the numbers. Options and calls are in words of a program (words/program-words.ts). */
  readonly fault: string;
  /** What the user can do about it, one sentence. */
  readonly remedy: string;
  /** What went wrong, for programs (error-codes.ts); the kind follows from it. Left out, it is the general one of the kind. */
  readonly code?: ErrorCode;
  /** Where there is no code: `input` (default) when the user can mend it, `failed` when the machine or we failed, `untrusted` when a run's result is not to be used, `interrupted` when stopped. */
  readonly kind?: ErrorKind;
  /** Extra facts for programs, JSON-serialisable. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** What it was made of, where it was caught. */
  readonly cause?: unknown;
}

/**
 * Every error of nomoat. Its `message` is `part: fault. remedy`; programs branch on `code`, or on `kind` where a code
 * is new to them.
 */
export class NomoatError extends Error {
  /** Always the same. */
  override readonly name = 'NomoatError';
  /** What went wrong, for programs: docs/errors.md lists them. */
  readonly code: ErrorCode;
  /** What is at fault: a file with its line, an option, a part of nomoat. */
  readonly part: string;
  /** What is wrong, one clause. */
  readonly fault: string;
  /** What can be done about it, one sentence. */
  readonly remedy: string;
  /** Who can mend it. */
  readonly kind: ErrorKind;
  /** Figures and names for programs, JSON-serialisable. */
  readonly fields: Readonly<Record<string, unknown>>;

  /** The kind follows from the code. */
  constructor(options: NomoatErrorOptions) {
    super(`${options.part}: ${options.fault}. ${options.remedy}`, { cause: options.cause });
    this.part = options.part;
    this.fault = options.fault;
    this.remedy = options.remedy;
    this.code = options.code ?? codeOfKind[options.kind ?? 'input'];
    this.kind = errorCodes[this.code].kind;
    this.fields = options.fields ?? {};
  }

  /** The error as one JSON-serialisable record, as the `error` event carries it. */
  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      kind: this.kind,
      part: this.part,
      fault: this.fault,
      remedy: this.remedy,
      fields: this.fields,
      message: this.message,
    };
  }
}
