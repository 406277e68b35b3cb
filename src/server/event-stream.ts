/** Server-sent events, as clients of OpenAI's API read them: `[DONE]` is the last. */
import type { ApiError } from './api-error.ts';

const encoder = new TextEncoder();
const eventOf = (data: string): Uint8Array => encoder.encode(`data: ${data}\n\n`);

/**
 * A body of the values of `source`, taken as fast as the client reads them. What `source` throws is an event with the error, and the
 * end without `[DONE]`.
 */
export function eventStream(
  source: AsyncIterator<object, void>,
  errorOf: (thrown: unknown) => ApiError,
): ReadableStream<Uint8Array> {
  let ended = false;
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await source.next();
        if (!done) return controller.enqueue(eventOf(JSON.stringify(value)));
        controller.enqueue(eventOf('[DONE]'));
      } catch (error) {
        if (!ended) controller.enqueue(eventOf(JSON.stringify(errorOf(error))));
      }
      if (!ended) controller.close();
      ended = true;
    },
    async cancel() {
      ended = true;
      await source.return?.();
    },
  });
}
