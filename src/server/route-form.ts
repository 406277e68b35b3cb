/** How a route that answers with a model words its answers. */
import type { AnswerEvent, Usage } from './answer.ts';
import type { ApiError } from './api-error.ts';

/** The text of server-sent events. */
export interface Frames {
  readonly of: (value: object) => string;
  readonly error: (error: ApiError) => string;
  /** What ends a stream that nothing went wrong in. */
  readonly last: string;
}

export interface RouteForm {
  /** What a request's faults are about where they do not say: where its prompt is. */
  readonly param: string;
  readonly whole: (events: readonly AnswerEvent[], usage: Usage) => object;
  readonly pieces: (events: AsyncIterable<AnswerEvent>, usage: Promise<Usage>) => AsyncIterator<object, void>;
  readonly frames: Frames;
}
