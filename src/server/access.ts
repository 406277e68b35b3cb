/** Who may ask: by the Host that was asked for, and by key. Pure but for hashing. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { NomoatError } from '../errors.ts';
import { emptyRemedy, emptyText } from '../words/given.ts';
import { ApiError } from './api-error.ts';

/** Whether only programs of this machine can reach a server that listens there. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** A header holds no others. */
const printable = /^[\x21-\x7e]+$/;

/** Throws NomoatError where the server would be open to others without a key, or with one that cannot be sent. */
export function assertSafe(host: string, apiKey: string | null): void {
  const fault =
    apiKey === null
      ? isLoopback(host)
        ? null
        : [`\`host\``, `${host} can be reached from other machines, and no API key is set`, 'Give `apiKey` (the command line takes it from NOMOAT_API_KEY), or listen on 127.0.0.1.'] // biome-ignore format: one line
      : apiKey === ''
        ? ['the API key', emptyText, emptyRemedy]
        : printable.test(apiKey)
          ? null
          : ['the API key', 'has characters that a header cannot hold', 'Give letters, digits and signs, no spaces.'];
  if (fault) throw new NomoatError({ code: 'invalid-settings', part: fault[0]!, fault: fault[1]!, remedy: fault[2]! });
}

/** The name or address of a Host header, without its port; null where it is none. */
const hostIn = (header: string): string | null => /^(?:\[([\da-fA-F:.]+)\]|([^:/@\s]+))(?::\d{1,5})?$/.exec(header)?.slice(1).find(Boolean) ?? null; // biome-ignore format: one line

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
  throw new ApiError({ status: 403, code: 'origin_not_allowed', message: 'This web page may not ask this server: its origin is not in the list of those that may.' }); // biome-ignore format: one line
}

/** Compares keys in a time that says nothing of them. */
export class KeyCheck {
  private readonly salt = randomBytes(32);
  private readonly digest: Buffer | null;

  constructor(apiKey: string | null) {
    this.digest = apiKey === null ? null : this.digestOf(apiKey);
  }

  /** Throws ApiError where there is a key and the Authorization header has it not. */
  assert(authorization: string | undefined): void {
    if (this.digest === null) return;
    const [, given = ''] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (timingSafeEqual(this.digestOf(given), this.digest)) return;
    throw new ApiError({
      status: 401,
      code: 'invalid_api_key',
      message: given === '' ? 'No API key was given: send it as a bearer token.' : 'The API key is wrong.',
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  }

  private digestOf(key: string): Buffer {
    return createHash('sha256').update(this.salt).update(key).digest();
  }
}
