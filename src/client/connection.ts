/**
 * Requests to a server that speaks OpenAI's API, by fetch. Promises: what a server says is read within bounds; a server
 * that is not there, refuses or breaks off is a NomoatError that says which. Knows paths and JSON only.
 */
import { NomoatError } from '../errors.ts';
import { eventData } from './event-data.ts';

/** Where a server is, and who asks. */
export interface ServerOptions {
  /** Such as `http://127.0.0.1:8080`, with `/v1` or without. */
  readonly url: string;
  /** What the server wants as bearer token; without one, none is sent. */
  readonly apiKey?: string | null;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST';
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** Answers that are no streams: a page of a thousand events has half a megabyte. */
const maxAnswerBytes = 16 << 20;
/** Of an error that is no error object of the API: enough to see what answers there. */
const maxShown = 200;

/** The address as requests begin with it. Throws NomoatError. */
function baseOf(given: string): string {
  const refuse = (fault: string): NomoatError =>
    new NomoatError({
      code: 'invalid-settings',
      part: '`server`',
      fault,
      remedy: 'Give its address, such as http://127.0.0.1:8080.',
    });
  const url = URL.canParse(given) ? new URL(given) : null;
  if (!url || !/^https?:$/.test(url.protocol)) throw refuse(`${JSON.stringify(given)} is no address of http or https`);
  if (url.username !== '' || url.password !== '')
    throw refuse('has a user or password in its address, which are not sent');
  if (url.search !== '' || url.hash !== '') throw refuse('has more behind its path');
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}`;
}

interface Told {
  readonly message?: unknown;
  readonly param?: unknown;
  readonly code?: unknown;
}

/** What a server wrote into its error object; its whole text where it wrote none. */
function toldIn(text: string): Told {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'object' && error !== null) return error;
  } catch {
    // No JSON: another program answers there.
  }
  return { message: text.trim().slice(0, maxShown) || 'it said nothing' };
}

/** A connection to one server. */
export class ServerConnection {
  private readonly base: string;
  private readonly headers: Readonly<Record<string, string>>;

  /** Throws NomoatError where the address is none. */
  constructor({ apiKey, url }: ServerOptions) {
    this.base = baseOf(url);
    this.headers = apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
  }

  /** What the server answers, from JSON. Rejects with NomoatError. */
  async json(path: string, options: RequestOptions = {}): Promise<unknown> {
    const text = await this.textOf(await this.send(path, options), options.signal);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.broken('answers with what is no JSON', cause);
    }
  }

  /** The values of a stream of events, until the server says that it is done. Throws NomoatError. */
  async *events(path: string, options: RequestOptions = {}): AsyncGenerator<unknown, void> {
    const response = await this.send(path, options);
    if (!response.body) throw this.broken('answers without a stream');
    try {
      for await (const data of eventData(response.body)) {
        if (data === '[DONE]') return;
        const value: unknown = JSON.parse(data);
        if (typeof value === 'object' && value !== null && 'error' in value) throw this.refusal(200, data);
        yield value;
      }
    } catch (error) {
      if (error instanceof NomoatError) throw error;
      throw options.signal?.aborted ? stopped(error) : this.broken('broke off in its answer', error);
    }
    if (!options.signal?.aborted) throw this.broken('broke off in its answer');
  }

  private async send(path: string, { body, method = 'GET', signal }: RequestOptions): Promise<Response> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = new Headers(this.headers);
    if (body !== undefined) headers.set('Content-Type', 'application/json');
    let response: Response;
    try {
      response = await fetch(`${this.base}${path}`, { method, headers, ...content, ...(signal ? { signal } : {}) });
    } catch (cause) {
      if (signal?.aborted) throw stopped(cause);
      throw this.unreachable(cause);
    }
    if (response.ok) return response;
    throw this.refusal(response.status, await this.textOf(response, signal).catch(() => ''));
  }

  /** The whole of a bounded answer. */
  private async textOf(response: Response, signal: AbortSignal | undefined): Promise<string> {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const part of response.body ?? []) {
        bytes += part.length;
        if (bytes > maxAnswerBytes) throw this.broken(`answers with more than ${maxAnswerBytes} bytes`);
        parts.push(part);
      }
    } catch (error) {
      if (error instanceof NomoatError) throw error;
      throw signal?.aborted ? stopped(error) : this.broken('broke off in its answer', error);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  private unreachable(cause: unknown): NomoatError {
    const { cause: inner } = cause as Error;
    const { code, message } = (inner ?? cause) as NodeJS.ErrnoException;
    const why = code ?? message;
    return new NomoatError({
      code: 'server-unreachable',
      part: this.base,
      fault: `no server answers there (${why})`,
      remedy: 'Start one with `serve()`, or see whether the address is right.',
      cause,
    });
  }

  private broken(fault: string, cause?: unknown): NomoatError {
    return new NomoatError({
      code: 'server-unreachable',
      part: this.base,
      fault,
      remedy: 'See whether a server of nomoat is there, and ask again.',
      cause,
    });
  }

  private refusal(status: number, text: string): NomoatError {
    const { code, message, param } = toldIn(text);
    const fault = `refused it: ${String(message).replace(/\.$/, '')}`;
    const remedy =
      status === 401
        ? 'Set the key that it wants in the environment variable NOMOAT_API_KEY.'
        : 'See what it says, or its log.';
    return new NomoatError({
      code: 'server-refused',
      part: this.base,
      fault,
      remedy,
      fields: { status, code: code ?? null, param: param ?? null },
    });
  }
}

const stopped = (cause: unknown): NomoatError =>
  new NomoatError({ kind: 'interrupted', part: 'the request', fault: 'was stopped', remedy: 'Ask again.', cause });
