/** Server-sent events, as clients of OpenAI's API read them. */
import type { ApiError } from './api-error.ts';
import type { Frames } from './route-form.ts';

const encoder = new TextEncoder();

/** Of all routes but /v1/responses: `[DONE]` is the last. */
export const dataFrames: Frames = {
  of: (value) => `data: ${JSON.stringify(value)}\n\n`,
  error: (error) => `data: ${JSON.stringify(error)}\n\n`,
  last: 'data: [DONE]\n\n',
};

/**
 * A body of the values of `source`, taken as fast as the client reads them. What `source` throws is an event with the error, and the
 * end without the last one.
 */
export function eventStream(
  source: AsyncIterator<object, void>,
  errorOf: (thrown: unknown) => ApiError,
  frames: Frames = dataFrames,
): ReadableStream<Uint8Array> {
  let ended = false;
  return new ReadableStream({
    async pull(controller) {
      const send = (text: string): void => controller.enqueue(encoder.encode(text));
      try {
        const { done, value } = await source.next();
        if (!done) return send(frames.of(value));
        if (frames.last !== '') send(frames.last);
      } catch (error) {
        if (!ended) send(frames.error(errorOf(error)));
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
