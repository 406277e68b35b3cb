/** Who may ask: by the address that is listened on, by Host and by Origin; keys are in keys.ts. Pure. */
import { isIPv4 } from 'node:net';
import { NomoatError } from '../errors.ts';
import { emptyRemedy, emptyText } from '../words/given.ts';
import { ApiError } from './api-error.ts';

/** Whether only programs of this machine can reach a server that listens there. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** A header holds no others. */
const printable = /^[\x21-\x7e]+$/;

export interface Doors {
  readonly host: string;
  /** The key of the environment. */
  readonly apiKey: string | null;
  /** Whether there are keys that were made for clients. */
  readonly hasKeys: boolean;
  /** Whether anybody is to be let in without one. */
  readonly openToEverybody: boolean;
}

function doorsFault({ apiKey, hasKeys, host, openToEverybody }: Doors): readonly [string, string, string] | null {
  const isShut = apiKey !== null || hasKeys || openToEverybody || isLoopback(host);
  if (!isShut)
    return [
      '`host`',
      `${host} can be reached from other machines, and there is no API key`,
      'Make one with `addApiKey()`, give `apiKey` (the command line takes it from NOMOAT_API_KEY), say `openToEverybody` where all who reach it may chat, train, read files and delete models, or listen on 127.0.0.1.',
    ];
  if (apiKey === null || printable.test(apiKey)) return null;
  if (apiKey === '') return ['the API key', emptyText, emptyRemedy];
  return ['the API key', 'has characters that a header cannot hold', 'Give letters, digits and signs, no spaces.'];
}

/** Throws NomoatError where the server would be open to others without a key or a word of it, or with a key that cannot be sent. */
export function assertSafe(doors: Doors): void {
  const found = doorsFault(doors);
  if (!found) return;
  const [part, fault, remedy] = found;
  throw new NomoatError({ code: 'invalid-settings', part, fault, remedy });
}

/** The name or address of a Host header, without its port; null where it is none. */
const hostIn = (header: string): string | null =>
  /^(?:\[([\da-fA-F:.]+)\]|([^:/@\s]+))(?::\d{1,5})?$/.exec(header)?.slice(1).find(Boolean) ?? null;

/**
 * Throws ApiError where a server that only this machine reaches is asked for by a foreign name: a page whose name was made to mean
 * 127.0.0.1 could read its answers.
 */
export function assertHost(listening: string, header: string | undefined): void {
  if (!isLoopback(listening)) return;
  const host = hostIn(header ?? '')?.toLowerCase();
  if (host !== undefined && isLoopback(host)) return;
  throw new ApiError({
    status: 403,
    code: 'host_not_allowed',
    message: 'This server is for its own machine: ask for it as localhost or 127.0.0.1.',
  });
}

/**
 * Throws ApiError where a web page of another origin asks that may not: browsers send forms and bare POSTs to whatever address a page
 * names, with nobody's leave.
 */
export function assertOrigin(origin: string | undefined, host: string | undefined, allowed: readonly string[]): void {
  if (origin === undefined || allowed.includes(origin)) return;
  const own = URL.canParse(origin) ? new URL(origin).host : null;
  if (own !== null && own === host?.toLowerCase()) return;
  throw new ApiError({
    status: 403,
    code: 'origin_not_allowed',
    message: 'This web page may not ask this server: its origin is not in the list of those that may.',
  });
}
