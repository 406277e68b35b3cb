/** What a client is told of a fault, in the form of OpenAI's API. Knows nothing of HTTP frameworks. */
import { type ErrorCode, errorCodes } from '../error-codes.ts';
import { NomoatError } from '../errors.ts';

/** What stands below `error`; all four keys are always there. */
export interface ApiErrorBody {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

interface ApiErrorOptions {
  readonly status: number;
  readonly code: string | null;
  readonly message: string;
  readonly param?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

const serverFault = 500;

/** A request that is answered with an error. Only the server makes it: users of the library see NomoatError. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  private readonly code: string | null;
  private readonly param: string | null;

  constructor({ cause, code, headers = {}, message, param = null, status }: ApiErrorOptions) {
    super(message, { cause });
    this.status = status;
    this.headers = headers;
    this.code = code;
    this.param = param;
  }

  toJSON(): { readonly error: ApiErrorBody } {
    const type = this.status >= serverFault ? 'server_error' : 'invalid_request_error';
    return { error: { message: this.message, type, param: this.param, code: this.code } };
  }
}

/** A parameter with a value that will not do; `param` is its place, such as `messages[0].content`. */
export const wrongParameter = (param: string, code: string, message: string): ApiError =>
  new ApiError({ status: 400, code, param, message });

export const tooManyRequests = (message: string, retryAfterSeconds: number): ApiError =>
  new ApiError({
    status: 429,
    code: 'rate_limit_exceeded',
    message,
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });

export const stopping = (): ApiError =>
  new ApiError({ status: 503, code: 'server_stopping', message: 'The server is closing. Ask again when it is back.' });

export const clientLeft = (): ApiError =>
  new ApiError({ status: errorCodes.interrupted.http, code: 'interrupted', message: 'The client left.' });

/** Codes that clients of OpenAI's API know by another name. */
const theirNames: { readonly [Code in ErrorCode]?: string } = {
  'context-full': 'context_length_exceeded',
  'model-not-found': 'model_not_found',
};

/** Options of the library that a model refuses, by the parameters that clients know them by. */
const theirParameters: Readonly<Record<string, string>> = {
  logitBias: 'logit_bias',
  input: 'input',
  prompt: 'prompt',
  jsonSchema: 'response_format',
};

/** Whether SQLite could not write: it says so by this code, also where a bound of the system ends its file. */
const isFullDatabase = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^SQLITE_(FULL|IOERR)/.test(String(error.code));

/** What a client is told of whatever was thrown; `param` is what the request is about where the error does not say. */
export function apiErrorOf(error: unknown, param: string | null): ApiError {
  if (error instanceof ApiError) return error;
  if (isFullDatabase(error))
    return new ApiError({
      status: errorCodes['disk-full'].http,
      code: 'disk_full',
      message: 'The disk is full: nothing was changed. Ask again once there is room.',
      cause: error,
    });
  if (!(error instanceof NomoatError))
    return new ApiError({
      status: serverFault,
      code: 'internal_error',
      message: 'The server failed; its log says how.',
    });
  const option = theirParameters[String(error.fields['option'])];
  if (option !== undefined)
    return wrongParameter(option, 'invalid_value', `Invalid value for '${option}': ${error.fault}.`);
  return new ApiError({
    status: errorCodes[error.code].http,
    code: theirNames[error.code] ?? error.code.replaceAll('-', '_'),
    message: error.message,
    param: error.kind === 'input' ? param : null,
  });
}
