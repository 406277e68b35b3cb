/**
 * Who asks, by the key that was sent, and whether that key may. Promises: keys that are made or removed while the server runs count from the
 * next request on; a server that has asked for keys once goes on asking; comparing takes a time that says nothing of the keys.
 */
import { timingSafeEqual } from 'node:crypto';
import { type ApiKeys, digestOf, type StoredKey } from '../store/api-keys.ts';
import { dayOf, secondsToNextDay } from '../store/key-days.ts';
import { type KeyScope, keyScopes } from '../store/key-scopes.ts';
import { ApiError, tooManyRequests } from './api-error.ts';

/** Who asks. */
export interface Caller {
  readonly scope: KeyScope;
  /** The key that was made for it; null for the environment's, and where none is asked for. */
  readonly key: StoredKey | null;
}

export interface KeyRingOptions {
  /** The key of the environment, which opens everything. */
  readonly apiKey: string | null;
  /** Whether anybody may ask without a key, whatever keys there are. */
  readonly isOpen: boolean;
  /** Whether a key is asked for although there is none: then nobody gets in. */
  readonly needsKey: boolean;
  readonly keys: ApiKeys;
}

const windowMilliseconds = 60_000;

const refused = (message: string): ApiError =>
  new ApiError({ status: 401, code: 'invalid_api_key', message, headers: { 'WWW-Authenticate': 'Bearer' } });

/** What a bearer token is; empty where there is none. */
const bearer = (authorization: string | undefined): string => /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';

export class KeyRing {
  private readonly options: KeyRingOptions;
  private readonly ownDigest: string | null;
  private needsKey: boolean;
  /** When each key's requests of the last minute came, in milliseconds. */
  private readonly came = new Map<string, number[]>();

  constructor(options: KeyRingOptions) {
    this.options = options;
    this.needsKey = options.needsKey || options.apiKey !== null;
    this.ownDigest = options.apiKey === null ? null : digestOf(options.apiKey);
  }

  /** Who sent the header. Throws ApiError where nobody who may ask at all did, or who asked too much. */
  admit(authorization: string | undefined): Caller {
    const { isOpen, keys } = this.options;
    const all = known(keys);
    if (all.length > 0) this.needsKey = true;
    const given = bearer(authorization);
    const digest = digestOf(given);
    // All are compared, whichever it is.
    const found = all.filter((key) => same(digest, key.digest)).at(0) ?? null;
    if (this.ownDigest !== null && same(digest, this.ownDigest)) return everything;
    if (found) {
      this.assertRate(found);
      assertQuota(found);
      return { scope: found.scope, key: found };
    }
    // Clients have to send some token also where no key is asked for.
    if (isOpen || !this.needsKey) return everything;
    throw refused(given === '' ? 'No API key was given: send it as a bearer token.' : 'The API key is wrong.');
  }

  /** Notes that the caller has used so many tokens. */
  used({ key }: Caller, tokens: number): void {
    if (key) this.options.keys.used(key.name, tokens);
  }

  /** Keeps the file no longer open. */
  close(): void {
    this.options.keys.close();
  }

  private assertRate({ digest, requests_per_minute: most }: StoredKey): void {
    if (most === null) return;
    const now = performance.now();
    const came = (this.came.get(digest) ?? []).filter((at) => at > now - windowMilliseconds);
    this.came.set(digest, came);
    if (came.length < most) return void came.push(now);
    const wait = Math.ceil((came[came.length - most]! + windowMilliseconds - now) / 1000);
    throw tooManyRequests(`This API key may ask ${most} times a minute.`, wait);
  }
}

/** Where the file lies is nobody's business who asks. Throws ApiError where it cannot be read. */
function known(keys: ApiKeys): StoredKey[] {
  try {
    return keys.all();
  } catch (cause) {
    throw new ApiError({ status: 500, code: 'internal_error', message: 'The server failed; its log says how.', cause });
  }
}

/** Who may do all there is. */
export const everything: Caller = { scope: 'admin', key: null };

/** Both of the length of a SHA-256. */
const same = (one: string, other: string): boolean => timingSafeEqual(Buffer.from(one), Buffer.from(other));

/** Throws ApiError where a key has had the tokens of its day. */
function assertQuota({ tokens_per_day: most, used_day: day, used_tokens: tokens }: StoredKey): void {
  const now = Date.now() / 1000;
  if (most === null || day !== dayOf(now) || tokens < most) return;
  throw new ApiError({
    status: 429,
    code: 'insufficient_quota',
    message: `This API key has used the ${most} tokens of its day, which ends at midnight UTC.`,
    // OpenAI's clients try again by themselves unless they are told that it is of no use.
    headers: { 'Retry-After': String(secondsToNextDay(now)), 'x-should-retry': 'false' },
  });
}

/** Throws ApiError where a caller's key does not open what needs `wanted`. */
export function assertScope({ scope }: Caller, wanted: KeyScope): void {
  if (keyScopes.indexOf(scope) >= keyScopes.indexOf(wanted)) return;
  const message = `This API key has scope '${scope}', and this needs '${wanted}'.`;
  throw new ApiError({ status: 403, code: 'insufficient_permissions', message });
}
