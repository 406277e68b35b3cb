/** What the tests of the server share: a server on real models, the official client, and models that take long. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll } from 'vitest';
import { type ServerLimits, serverLimits } from '../../src/server/limits.ts';
import type { ServerLog } from '../../src/server/log.ts';
import type { RunningServer, ServeOptions } from '../../src/server/serve-options.ts';
import { startServer } from '../../src/server/start-server.ts';
import { repo, withMetadata } from '../cases/support.ts';
import { describedFetch } from './described.ts';

/** A model of some thousand weights with random values, and a context of 256 tokens. */
export const reference = join(repo, 'test/fixtures/reference/llama/base.gguf');
/** Tokens that `endless` says before its context is full: many seconds. */
export const manyTokens = 32_000;

export const folder = mkdtempSync(join(tmpdir(), 'nomoat-serve-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the reference model with a long context: at temperature 0 it says the same token until that is full. */
export const endless = (path: string): string =>
  withMetadata(reference, path, { 'llama.context_length': { type: 'uint32', value: manyTokens } });

export interface Served extends RunningServer {
  readonly client: OpenAI;
  readonly log: ServerLog[];
}

const open: RunningServer[] = [];
afterAll(async () => void (await Promise.all(open.map((server) => server.close()))));

/** A server on a free port, with its log, and a client that does not try again by itself. */
export async function served(options: ServeOptions = {}, limits: Partial<ServerLimits> = {}): Promise<Served> {
  const log: ServerLog[] = [];
  const server = await startServer(
    { port: 0, threads: 1, runs: join(folder, 'runs'), onLog: (entry) => log.push(entry), ...options },
    { ...serverLimits, ...limits },
  );
  open.push(server);
  const client = new OpenAI({
    baseURL: `${server.url}/v1`,
    apiKey: options.apiKey ?? 'none',
    adminAPIKey: options.apiKey ?? 'none',
    maxRetries: 0,
    fetch: describedFetch,
  });
  return { ...server, client, log };
}

export const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
};

/** Resolves once it holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
