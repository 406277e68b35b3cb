/** What was made here, keys to sign with, and what the server says of itself, as pages ask for them. */
import type { ApiKey, NewApiKey } from '../src/library/keys.ts';
import type { NewSigningKey, SigningKeyPair } from '../src/library/signing-keys.ts';
import type { Metrics } from '../src/server/metrics.ts';
import type { RecentRequest } from '../src/server/recent-requests.ts';
import type { ExportedThing } from '../src/server/studio/places.ts';
import { ask, posting } from './api.ts';

export interface ServerState {
  readonly memory: { readonly limit: number; readonly used: number };
  readonly running: number;
  readonly waiting: number;
  readonly contexts: ReturnType<Metrics['contexts']>;
  readonly requests: readonly RecentRequest[];
}
export interface KeyAsked {
  readonly name: string;
  readonly scope: string;
  readonly requestsPerMinute: number | null;
  readonly tokensPerDay: number | null;
}

const get = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await (await ask(`/studio/v1/${path}`, signal ? { signal } : {})).json()) as T;
const post = async <T>(path: string, body: object): Promise<T> =>
  (await (await ask(`/studio/v1/${path}`, posting(body))).json()) as T;

export const shareApi = {
  exports: async (signal?: AbortSignal) =>
    (await get<{ readonly exports: readonly ExportedThing[] }>('exports', signal)).exports,
  signingKeys: async (signal?: AbortSignal) =>
    (await get<{ readonly keys: readonly SigningKeyPair[] }>('signing-keys', signal)).keys,
  addSigningKey: (name: string, days: number | null) => post<NewSigningKey>('signing-keys', { name, days }),
  server: (signal?: AbortSignal) => get<ServerState>('server', signal),
  keys: async (signal?: AbortSignal) => (await get<{ readonly keys: readonly ApiKey[] }>('keys', signal)).keys,
  addKey: (asked: KeyAsked) => post<NewApiKey>('keys', asked),
  removeKey: (name: string) => ask(`/studio/v1/keys/${encodeURIComponent(name)}`, { method: 'DELETE' }),
};
