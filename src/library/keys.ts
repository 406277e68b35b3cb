/** Keys of clients that a server of this machine lets in. */
import { NomoatError } from '../errors.ts';
import { keysSettings } from '../settings/command-settings.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import type { ApiKeys, StoredKey } from '../store/api-keys.ts';
import { dayOf } from '../store/key-days.ts';
import type { KeyScope } from '../store/key-scopes.ts';
import { surroundings } from '../store/model-folders.ts';
import { nearestNames } from '../words/nearest-name.ts';

/** What a new key may do, and how much. */
export interface AddApiKeyOptions {
  /** 1 to 64 letters, digits, dots, hyphens and underscores. */
  readonly name: string;
  /** What it opens (default: `chat`). */
  readonly scope?: KeyScope;
  /** Requests in any 60 seconds, at most (default: no limit). */
  readonly requestsPerMinute?: number | null;
  /** Tokens of prompts and answers together in a day of UTC, at most (default: no limit). */
  readonly tokensPerDay?: number | null;
}

/** A key of a client, without the key. */
export interface ApiKey {
  readonly name: string;
  readonly scope: KeyScope;
  /** When it was made, as ISO 8601 writes it. */
  readonly created: string;
  /** Likewise; null where it never was. */
  readonly lastUsed: string | null;
  /** null: no limit. */
  readonly requestsPerMinute: number | null;
  /** null: no limit. */
  readonly tokensPerDay: number | null;
  /** Tokens of prompts and answers that it has had since midnight, UTC. */
  readonly tokensToday: number;
}

/** A key that was just made. */
export interface NewApiKey extends ApiKey {
  /** What a client sends as its bearer token. It is kept nowhere. */
  readonly key: string;
}

const dateOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

const keyOf = ({ created, last_used, name, requests_per_minute, scope, tokens_per_day, used_day, used_tokens }: StoredKey): ApiKey => ({
  name,
  scope,
  created: dateOf(created),
  lastUsed: last_used === null ? null : dateOf(last_used),
  requestsPerMinute: requests_per_minute,
  tokensPerDay: tokens_per_day,
  tokensToday: used_day === dayOf(Date.now() / 1000) ? used_tokens : 0,
}); // biome-ignore format: a table

/** SQLite is loaded by whoever needs it: a program that imports the library does not wait for it. */
async function withKeys<T>(call: (keys: ApiKeys) => T): Promise<T> {
  const { ApiKeys: Keys } = await import('../store/api-keys.ts');
  const keys = new Keys(surroundings());
  try {
    return call(keys);
  } finally {
    keys.close();
  }
}

const nameForm = /^[\w.-]{1,64}$/;

function assertKeyName(name: unknown): asserts name is string {
  if (typeof name === 'string' && nameForm.test(name)) return;
  throw new NomoatError({
    code: 'invalid-settings',
    part: '`name`',
    fault: name === undefined ? 'was not given' : `${JSON.stringify(name)} is no name of a key`,
    remedy: 'Give 1 to 64 letters, digits, dots, hyphens and underscores, such as laptop.',
  });
}

/** Makes a key that running servers let in from now on. Rejects with NomoatError, also where there is one of that name. */
export async function addApiKey(options: AddApiKeyOptions): Promise<NewApiKey> {
  const { name, ...given } = { ...options };
  assertKeyName(name);
  const { requestsPerMinute, scope, tokensPerDay } = parseSettings(keysSettings, { given }, { command: 'keys' });
  return withKeys((keys) => {
    const key = keys.add({ name, scope, requests_per_minute: requestsPerMinute, tokens_per_day: tokensPerDay });
    const stored = keys.all().find((each) => each.name === name);
    if (key !== null && stored) return { ...keyOf(stored), key };
    const remedy = 'Give another name, or remove that one first.';
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`name`',
      fault: `there is a key ${name} already`,
      remedy,
    });
  });
}

/** All keys, in the order of making. Rejects with NomoatError where their file cannot be read. */
export async function listApiKeys(): Promise<readonly ApiKey[]> {
  return withKeys((keys) => keys.all().map(keyOf));
}

/** Takes a key away: running servers refuse it from now on. Rejects with NomoatError where there is none of that name. */
export async function removeApiKey(name: string): Promise<void> {
  assertKeyName(name);
  await withKeys((keys) => {
    if (keys.remove(name)) return;
    const near = nearestNames(
      name,
      keys.all().map((each) => each.name),
      1,
    );
    const remedy = near.length > 0 ? `Did you mean ${near[0]}?` : 'Look at `listApiKeys()`.';
    throw new NomoatError({ code: 'invalid-settings', part: '`name`', fault: `there is no key ${name}`, remedy });
  });
}
