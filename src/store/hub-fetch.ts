/**
 * `fetch` as the hub needs it: HF_ENDPOINT, HF_TOKEN, redirects followed by hand, every refusal a clear error.
 * Promises: the token goes to the endpoint's origin and nowhere else (not to the CDN that a redirect leads to, not over
 * plain http except to this machine); a redirect never goes from https to http; each failure is a NomoatError whose
 * `fields.problem` is one of HubProblem. Does not know files or caches.
 */
import { NomoatError } from '../errors.ts';
import type { Surroundings } from './model-folders.ts';

export type HubProblem =
  | 'offline'
  | 'unauthorised'
  | 'gated'
  | 'not-found'
  | 'rate-limited'
  | 'server'
  | 'protocol'
  | 'checksum'
  | 'disk-full'
  | 'disk'
  | 'busy'
  | 'interrupted';

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
  get(
    url: string | URL,
    options?: { headers?: HeadersInit; signal?: AbortSignal; subject?: string },
  ): Promise<HubAnswer>;
  /** The same as a plain `fetch`, for @huggingface/hub. */
  readonly fetch: typeof fetch;
}

/** A client of HF_ENDPOINT (default: the hub) with HF_TOKEN, if set. HF_HUB_OFFLINE=1 refuses every request. */
export function hubClient(around: Surroundings, signal?: AbortSignal): HubClient {
  const endpoint = parseEndpoint(around.env.HF_ENDPOINT);
  const token = (around.env.HF_TOKEN ?? around.env.HUGGING_FACE_HUB_TOKEN)?.trim() || null;

  const get: HubClient['get'] = async (url, options = {}) => {
    refuseWhenOffline(around.env.HF_HUB_OFFLINE);
    let target = new URL(url);
    let hubHeaders: Headers | null = null;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const headers = new Headers(options.headers);
      headers.delete('authorization');
      if (token !== null && mayCarryToken(target, endpoint)) headers.set('authorization', `Bearer ${token}`);
      const response = await send(target, headers, [options.signal, signal], around);
      hubHeaders ??= response.headers;
      const location = response.headers.get('location');
      if (!redirectStatuses.has(response.status) || location === null) {
        if (!response.ok) throw refusal(response, hubHeaders, options.subject ?? target.pathname, token !== null);
        return { response, hubHeaders };
      }
      await response.body?.cancel();
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
    get,
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : input;
      return (await get(url, { headers: init?.headers, signal: init?.signal ?? undefined })).response;
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

async function send(
  url: URL,
  headers: Headers,
  signals: readonly (AbortSignal | undefined)[],
  around: Surroundings,
): Promise<Response> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), headersTimeoutMs);
  const given = signals.filter((signal) => signal !== undefined);
  try {
    return await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.any([timeout.signal, ...given]) });
  } catch (error) {
    if (given.some((signal) => signal.aborted)) throw interrupted(error);
    throw unreachable(url, timeout.signal.aborted ? 'no answer in 30 s' : reasonOf(error), around, error);
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

interface HubFault {
  /** What could not be had. */
  readonly part: string;
  readonly fault: string;
  readonly remedy: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export function hubError(problem: HubProblem, { fault, fields, part, remedy }: HubFault): NomoatError {
  return new NomoatError({
    code: 'download-failed',
    part,
    fault,
    remedy,
    kind: 'failed',
    fields: { problem, ...fields },
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

interface Refusal {
  readonly problem: HubProblem;
  readonly fault: string;
  readonly remedy: string;
}

/** What the hub's X-Error-Code means; it is more exact than the status (a missing repository answers 401). */
const refusalsByCode: Readonly<Record<string, Refusal>> = {
  GatedRepo: {
    problem: 'gated',
    fault: 'is gated: its owner asks you to accept a license first',
    remedy: 'Accept it on the model page of the hub, then set HF_TOKEN to a token of that account.',
  },
  RepoNotFound: {
    problem: 'not-found',
    fault: 'does not exist on the hub, or is private',
    remedy: 'Check the name, or set HF_TOKEN to a token that may read it.',
  },
  RevisionNotFound: { problem: 'not-found', fault: 'has no such revision', remedy: 'Try again, or report it.' },
  EntryNotFound: { problem: 'not-found', fault: 'is not in that repository', remedy: 'Check the name.' },
};

const refusalsByStatus: Readonly<Record<number, Refusal>> = {
  401: {
    problem: 'unauthorised',
    fault: 'needs a token (or does not exist)',
    remedy: 'Set HF_TOKEN to a token of an account that may read it.',
  },
  403: {
    problem: 'gated',
    fault: 'is refused to you: gated or private, or a network filter stands in the way',
    remedy: 'Accept its license on the hub and set HF_TOKEN to a token of that account.',
  },
  404: { problem: 'not-found', fault: 'does not exist on the hub', remedy: 'Check the name.' },
  429: { problem: 'rate-limited', fault: 'is refused for now: too many requests', remedy: 'Wait a few minutes.' },
};

function refusal(response: Response, hubHeaders: Headers, subject: string, hasToken: boolean): NomoatError {
  void response.body?.cancel();
  const code = response.headers.get('x-error-code') ?? hubHeaders.get('x-error-code');
  const known = (code === null ? undefined : refusalsByCode[code]) ?? refusalsByStatus[response.status];
  const { problem, fault, remedy } = known ?? {
    problem: 'server' as const,
    fault: 'could not be had',
    remedy: 'Try again later.',
  };
  const withToken = response.status === 401 && hasToken ? ' HF_TOKEN was sent and not accepted: check it.' : '';
  return hubError(problem, {
    part: subject,
    fault: `${fault} (HTTP ${response.status})`,
    remedy: remedy + withToken,
    fields: { status: response.status, code },
  });
}
