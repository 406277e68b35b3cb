/**
 * An answer as it is shown. Promises: a model cannot steer the terminal it is read in, whatever it was taught to say; a file or a pipe gets
 * what was said, byte by byte.
 */
import { harmless } from '../words/harmless.ts';

export interface AnswerOutput extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** The text for `output`: in a terminal control characters are pictures of themselves. */
export const shownText = (text: string, output: AnswerOutput): string =>
  output.isTTY === true ? harmless(text) : text;
