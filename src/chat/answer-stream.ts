/**
 * An answer as it comes. Promises: the pieces together are the answer, also for a reader that comes late; whoever leaves the loop before
 * the end stops the generation; what fails is thrown by the loop and by the result, and a result that nobody reads is no unhandled rejection.
 */
import { EventHistory } from '../event-history.ts';
import type { AnswerStream, Generated, GenerateOptions } from './chat-model.ts';

/** Starts `generate` at once. */
export function streamAnswer(
  generate: (options: GenerateOptions) => Promise<Generated>,
  options: GenerateOptions,
): AnswerStream {
  const pieces = new EventHistory<string>();
  const left = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
  const onText = (piece: string): void => {
    pieces.push(piece);
    options.onText?.(piece);
  };
  const result = (async () => {
    try {
      const generated = await generate({ ...options, signal, onText });
      pieces.end();
      return generated;
    } catch (error) {
      pieces.end(error);
      throw error;
    }
  })();
  result.catch(() => {});
  async function* read(): AsyncGenerator<string, void, undefined> {
    let whole = false;
    try {
      yield* pieces;
      whole = true;
    } finally {
      if (!whole) left.abort();
    }
  }
  return { result, [Symbol.asyncIterator]: read };
}
