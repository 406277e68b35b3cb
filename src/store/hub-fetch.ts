/**
 * `fetch` as the hub needs it: HF_ENDPOINT, HF_TOKEN, redirects followed by hand, every refusal a clear error.
 * Promises: the token goes to the endpoint's origin and nowhere else (not to the CDN that a redirect leads to, not over
 * plain http except to this machine); a redirect never goes from https to http; each failure is a NomoatError whose
 * `fields.problem` is one of HubProblem. Does not know files or caches.
 */
import { NomoatError } from '../errors.ts';
import { type HubProblem, hubError } from './hub-problem.ts';
import { refusal } from './hub-refusals.ts';
import { hubToken } from './hub-token.ts';
import type { Surroundings } from './model-folders.ts';

export { type HubProblem, hubError } from './hub-problem.ts';

/** Problems of the way to the hub, not of what was asked: another source may do. */
export const unreachableProblems: ReadonlySet<unknown> = new Set<HubProblem>([
  'offline',
  'server',
  'rate-limited',
  'protocol',
]);

const defaultEndpoint = 'https://huggingface.co';
/** The hub sends one redirect to its CDN, renamed repositories one more. */
const maxRedirects = 5;
/** Until the headers of an answer; a file's body has its own idle limit (hub-download.ts). */
const headersTimeoutMs = 30_000;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface HubAnswer {
  readonly response: Response;
  /** Headers of the hub's own answer, before any redirect to a CDN: X-Repo-Commit and X-Linked-Etag are there only. */
  readonly hubHeaders: Headers;
}

export interface HubClient {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Whether there is a token to be sent. */
  readonly hasToken: boolean;
  get(url: string | URL, options?: HubRequest): Promise<HubAnswer>;
  /** The same as a plain `fetch`, for @huggingface/hub; it sends as well. */
  readonly fetch: typeof fetch;
}

export interface HubRequest {
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: RequestInit['body'];
  readonly signal?: AbortSignal;
  /** How an error names what was asked for. */
  readonly subject?: string;
}

/** A client of HF_ENDPOINT (default: the hub) with HF_TOKEN, if set. HF_HUB_OFFLINE=1 refuses every request. */
export function hubClient(around: Surroundings, signal?: AbortSignal): HubClient {
  const endpoint = parseEndpoint(around.env.HF_ENDPOINT);
  const token = hubToken(around);

  const get: HubClient['get'] = async (url, options = {}) => {
    refuseWhenOffline(around.env.HF_HUB_OFFLINE);
    let target = new URL(url);
    let hubHeaders: Headers | null = null;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const headers = new Headers(options.headers);
      headers.delete('authorization');
      if (token !== null && mayCarryToken(target, endpoint)) headers.set('authorization', `Bearer ${token}`);
      const { body, method } = options;
      const response = await send(
        target,
        { ...(body ? { body } : {}), method, headers },
        [options.signal, signal],
        around,
      );
      hubHeaders ??= response.headers;
      const location = response.headers.get('location');
      if (!redirectStatuses.has(response.status) || location === null) {
        if (!response.ok) {
          const sent = { isWrite: isWrite(method), hasToken: token !== null };
          throw refusal(response, hubHeaders, options.subject ?? target.pathname, sent);
        }
        return { response, hubHeaders };
      }
      await response.body?.cancel();
      // What is sent goes where it was meant to go.
      if (isWrite(method)) throw redirectedWrite(target, location);
      // The file's own headers are those of the answer that names the commit, not of a renamed repository's redirect.
      if (target.origin === endpoint.origin) hubHeaders = response.headers;
      target = redirected(target, location);
    }
    throw hubError('protocol', {
      part: target.origin,
      fault: `more than ${maxRedirects} redirects`,
      remedy: 'Check HF_ENDPOINT.',
    });
  };

  return {
    endpoint: endpoint.href.replace(/\/$/, ''),
    hasToken: token !== null,
    get,
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : input;
      const { body, headers, method, signal: given } = init ?? {};
      return (await get(url, { method, headers, body, signal: given ?? undefined })).response;
    },
  };
}

function parseEndpoint(text: string | undefined): URL {
  const value = text?.trim() || defaultEndpoint;
  try {
    const url = new URL(value);
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  } catch {
    // falls through to the error
  }
  throw new NomoatError({
    part: 'HF_ENDPOINT',
    fault: `"${value}" is not an http(s) address`,
    remedy: `Unset it, or set it to a mirror such as ${defaultEndpoint}.`,
  });
}

const isWrite = (method: string | undefined): boolean => method !== undefined && method !== 'GET' && method !== 'HEAD';

const redirectedWrite = (from: URL, location: string): NomoatError =>
  hubError('protocol', {
    code: 'upload-failed',
    part: from.origin,
    fault: `sends what is uploaded elsewhere (to ${location.slice(0, 200)})`,
    remedy: 'Give the name that the repository has now, and check HF_ENDPOINT.',
  });

function isThisMachine(url: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
}

function mayCarryToken(url: URL, endpoint: URL): boolean {
  return url.origin === endpoint.origin && (url.protocol === 'https:' || isThisMachine(url));
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from) ? new URL(location, from) : null;
  const isDowngrade = from.protocol === 'https:' && to?.protocol !== 'https:';
  if (to === null || isDowngrade || !/^https?:$/.test(to.protocol)) {
    throw hubError('protocol', {
      part: from.origin,
      fault: `redirects to "${location.slice(0, 200)}"`,
      remedy: 'Check HF_ENDPOINT.',
    });
  }
  return to;
}

/** An answer to an upload comes once all of it has been sent: at no less than this a second. */
const slowestUpload = 16 * 1024;

/** Of a text or a Blob; else nothing is known. */
const sizeOf = (body: RequestInit['body']): number =>
  typeof body === 'string' ? body.length : body instanceof Blob ? body.size : 0;

async function send(
  url: URL,
  init: RequestInit,
  signals: readonly (AbortSignal | undefined)[],
  around: Surroundings,
): Promise<Response> {
  const timeout = new AbortController();
  const patienceMs = headersTimeoutMs + (1000 * sizeOf(init.body)) / slowestUpload;
  const timer = setTimeout(() => timeout.abort(), patienceMs);
  const given = signals.filter((signal) => signal !== undefined);
  try {
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.any([timeout.signal, ...given]) });
  } catch (error) {
    if (given.some((signal) => signal.aborted)) throw interrupted(error);
    throw unreachable(
      url,
      timeout.signal.aborted ? `no answer in ${(patienceMs / 1000).toFixed(0)} s` : reasonOf(error),
      around,
      error,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** The innermost reason of a failed fetch, e.g. `getaddrinfo ENOTFOUND huggingface.co`. */
export function reasonOf(error: unknown): string {
  let innermost: unknown = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  if (innermost instanceof AggregateError && innermost.errors.length > 0) innermost = innermost.errors[0];
  return innermost instanceof Error ? innermost.message : String(innermost);
}

/** The error of a pull that the user stopped. */
export function interrupted(cause: unknown): NomoatError {
  return new NomoatError({
    code: 'interrupted',
    part: 'pull',
    fault: 'stopped before the end',
    remedy: 'Run the same command again: it goes on from what is already here.',
    kind: 'interrupted',
    fields: { problem: 'interrupted' satisfies HubProblem },
    cause,
  });
}

function refuseWhenOffline(value: string | undefined): void {
  if (!value || /^(0|false|no|off)$/i.test(value)) return;
  throw hubError('offline', {
    part: 'Hugging Face hub',
    fault: 'HF_HUB_OFFLINE is set',
    remedy: 'Unset it to allow downloads.',
  });
}

/** The error of a hub that could not be reached; says so when a proxy is set that Node's fetch does not use. */
function unreachable(url: URL, reason: string, { env }: Surroundings, cause: unknown): NomoatError {
  const proxy = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].find((name) => env[name]);
  const proxyHint =
    proxy !== undefined && !env.NODE_USE_ENV_PROXY
      ? ` ${proxy} is set, which Node heeds only with NODE_USE_ENV_PROXY=1 (Node 24 or later).`
      : '';
  return new NomoatError({
    code: 'download-failed',
    part: url.origin,
    fault: `cannot be reached (${reason})`,
    remedy: `Check the network, set HF_ENDPOINT to a mirror, or copy a GGUF here and give its path.${proxyHint}`,
    kind: 'failed',
    fields: { problem: 'offline' satisfies HubProblem, origin: url.origin, reason },
    cause,
  });
}
