/**
 * An HTTP server that speaks OpenAI's API, over the models of this machine. Promises: it listens to this machine alone unless a key is set;
 * it prints nothing; it ends when it is told to, with no request left running.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isIPv6 } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { NomoatError } from '../errors.ts';
import { memoryBytes } from '../machine/machine.ts';
import { serveSettings } from '../settings/command-settings.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { ApiKeys } from '../store/api-keys.ts';
import { surroundings } from '../store/model-folders.ts';
import { assertSafe, type Doors, isLoopback } from './access.ts';
import { stopping } from './api-error.ts';
import { type AppParts, createApp } from './app.ts';
import { Embedders } from './embeddings/embedders.ts';
import { KeyRing } from './keys.ts';
import type { ServerLimits } from './limits.ts';
import { Metrics } from './metrics.ts';
import { ModelList } from './model-list.ts';
import { ModelPool } from './model-pool.ts';
import { assertMapped, assertOrigins, mapOf } from './names-and-origins.ts';
import { RecentRequests } from './recent-requests.ts';
import type { RunningServer, ServeOptions } from './serve-options.ts';
import { watchClients } from './slow-clients.ts';
import type { StudioDoor } from './studio/door.ts';
import { Workspace } from './workspace.ts';

/** How often connections are held against the limits of time. */
const timeChecks = 4;

function httpServer(parts: AppParts): Server {
  const { limits } = parts;
  const app = createApp(parts);
  const listener = getRequestListener(app.fetch, {
    // The host's own Request and Response stay what they are.
    overrideGlobalObjects: false,
    errorHandler: () => new Response(null, { status: 400 }),
  });
  const server = createServer(
    {
      headersTimeout: limits.headersMilliseconds,
      // Held to progress instead: slow-clients.ts.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveMilliseconds,
      connectionsCheckingInterval: Math.ceil(limits.headersMilliseconds / timeChecks),
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  server.maxConnections = limits.connections;
  watchClients(server, limits);
  return server;
}

/** Resolves once connections are taken. Rejects with NomoatError. */
function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE';
      const fault = isTaken
        ? `${port} is taken by another program on ${host}`
        : `cannot be listened on (${cause.code})`;
      const [part, remedy] = isTaken
        ? ['`port`', 'Give another one, or 0 for any that is free.']
        : [`${host}:${port}`, 'Give another `host` or `port`.'];
      reject(new NomoatError({ code: 'invalid-settings', part: part!, fault, remedy: remedy!, cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address);
    });
  });
}

/** Resolves when no request runs any more, or the time is over. */
async function idle(running: ReadonlySet<unknown>, milliseconds: number): Promise<void> {
  const lookMilliseconds = 20;
  for (const end = performance.now() + milliseconds; running.size > 0 && performance.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, lookMilliseconds));
}

async function closeServer(server: Server, parts: AppParts, closing: AbortController): Promise<void> {
  closing.abort();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const training = parts.workspace.close();
  await idle(parts.running, parts.limits.graceMilliseconds);
  for (const request of parts.running) request.abort(stopping());
  await Promise.all([parts.pool.close(), parts.embedders.close(), training]);
  // The last words are on their way; who does not read them is not waited for.
  await idle(parts.running, lastWordsMilliseconds);
  server.closeAllConnections();
  await closed;
  parts.keys.close();
}

/** For an error object to get through a socket. */
const lastWordsMilliseconds = 500;

/** Of what is free when the server starts, what models may take: the rest is for a training job, other programs, and their files' cache. */
const memoryShare = 0.5;
const usualMemory = (): number => Math.floor(memoryBytes().available * memoryShare);

/** Throws NomoatError where the server would be open to others and nobody said so. */
function keyRing({ apiKey, host, openToEverybody }: Omit<Doors, 'hasKeys'>, needsKey: boolean): KeyRing {
  const keys = new ApiKeys(surroundings());
  assertSafe({ apiKey, host, openToEverybody, hasKeys: keys.all().length > 0 });
  return new KeyRing({ apiKey, keys, isOpen: openToEverybody, needsKey });
}

/** Starts a server. Rejects with NomoatError where it may not or cannot. */
export async function startServer(
  options: ServeOptions,
  limits: ServerLimits,
  studio: StudioDoor | null = null,
): Promise<RunningServer> {
  const { apiKey = null, onLog: told = () => {}, ...given } = { ...options };
  const requests = new RecentRequests();
  const onLog = requests.beside(told);
  const settings = parseSettings(serveSettings, { given }, { command: 'serve' });
  const { background: nice, contextSize, host, memory, port, runs, threads, trainingJobs: most } = settings;
  // The studio's page has a cookie: nobody else is let in without a key.
  const keys = keyRing(
    { apiKey, host, openToEverybody: settings.openToEverybody },
    studio !== null || !isLoopback(host),
  );
  const closing = new AbortController();
  const map = mapOf(settings.map);
  const models: ModelList = new ModelList(
    { models: settings.models, runs, map, suffixOf: (run) => workspace.suffixOf(run) },
    limits.listMilliseconds,
  );
  const workspace: Workspace = new Workspace({ models, runs, most, threads, nice, onLog });
  await assertMapped(models, map);
  assertOrigins(settings.origins);
  const names = (await models.all()).map(({ id }) => id);
  const onOpened = (model: string, notes: readonly string[]): void => onLog({ type: 'model-opened', model, notes });
  const pool = new ModelPool({ limits, contextSize, threads, memory: memory ?? usualMemory(), onOpened });
  const { disclose, origins } = settings;
  const metrics = new Metrics(pool);
  const embedders = new Embedders({ limits, contextSize, threads });
  const parts: AppParts = {
    host,
    keys,
    limits,
    models,
    pool,
    embedders,
    metrics,
    requests,
    workspace,
    studio,
    origins,
    disclose,
    onLog,
    closing: closing.signal,
    running: new Set(),
  };
  const server = httpServer(parts);
  const { address, port: taken } = await listen(server, host, port);
  workspace.takeUp();
  const named = host === 'localhost' ? host : isIPv6(address) ? `[${address}]` : address;
  let closed: Promise<void> | null = null;
  return {
    url: `http://${named}:${taken}`,
    models: names,
    close: () => {
      closed ??= closeServer(server, parts, closing);
      return closed;
    },
  };
}
