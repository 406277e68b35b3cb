/** What a server says of itself while it runs. Nothing of it is a content: neither prompts nor answers, nor names that only a client made up. */

/** A request that has ended. */
export interface RequestLog {
  readonly type: 'request';
  /** As the client is told it, in `x-request-id`. */
  readonly id: string;
  readonly method: string;
  /** The route that was asked for; `-` where there is none. */
  readonly route: string;
  /** The status of HTTP; 499 where the client left before the end. */
  readonly status: number;
  /** From the request's headers to the answer's end. */
  readonly milliseconds: number;
  /** The model, where one was found. */
  readonly model: string | null;
  /** The name of the key that was sent, where it is one of `nomoat keys`. */
  readonly key: string | null;
  /** Tokens, where an answer was computed to its end. */
  readonly promptTokens: number | null;
  /** Likewise. */
  readonly completionTokens: number | null;
}

/** A model that was opened. */
export interface ModelOpenedLog {
  readonly type: 'model-opened';
  readonly model: string;
  /** What should be known before its answers are read, in sentences. */
  readonly notes: readonly string[];
}

/** A request that was answered with status 500 or above, and why. */
export interface ServerFailureLog {
  readonly type: 'failure';
  /** Of the request. */
  readonly id: string;
  readonly message: string;
}

/** An entry of a server's log. */
export type ServerLog = RequestLog | ModelOpenedLog | ServerFailureLog;
