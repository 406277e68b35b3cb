/** The studio as the library has it: a server with a page, for the browser of this machine alone. */
import { NomoatError } from '../errors.ts';
import { studioSettings } from '../settings/command-settings.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { nomoatCacheFolder, surroundings } from '../store/model-folders.ts';
import { serverLimits } from './limits.ts';
import type { RunningServer, ServeOptions } from './serve-options.ts';

/** What the studio is started with: options of `serve`, but for who may reach it. */
export interface StudioOptions extends Pick<ServeOptions, 'models' | 'runs' | 'port' | 'threads' | 'memory' | 'onLog'> {
  /**
   * Whether runs have the lowest priority, behind all other programs; default: false, unlike in a server. Whoever starts a run here waits for it, and
   * its plan was measured at the usual priority.
   */
  readonly background?: boolean;
}

/** A studio that is open. */
export interface RunningStudio extends RunningServer {
  /** Opens the page in one browser, once: it holds a token. */
  readonly openUrl: string;
  /** Another address that opens once; those before it open no more. */
  newUrl(): string;
}

/** What answers at once on this machine does so in this time. */
const answerMilliseconds = 2000;

/** Where a studio of this user has the port: an error that says how it is gone on with there. A page of yesterday wants a new address, not another server. */
async function openAlready(port: number, pass: () => string): Promise<NomoatError | null> {
  const address = (): string => `http://127.0.0.1:${port}/studio/open?token=${pass()}`;
  try {
    const signal = AbortSignal.timeout(answerMilliseconds);
    const { headers } = await fetch(address(), { redirect: 'manual', signal });
    if (!headers.get('set-cookie')?.startsWith('nomoat-studio-')) return null;
  } catch {
    return null;
  }
  return new NomoatError({
    code: 'invalid-settings',
    part: '`port`',
    fault: `your studio is open on ${port} already`,
    remedy: `Go on there: ${address()} opens it in one browser, once. For another one beside it, give another \`port\` and another folder of \`runs\`.`,
  });
}

/**
 * Starts the studio on 127.0.0.1: the server of `serve`, with a page on which data becomes a model. Resolves once it listens; rejects with
 * NomoatError where it cannot.
 */
export async function studio(options: StudioOptions = {}): Promise<RunningStudio> {
  const { onLog, ...given } = { ...options };
  const settings = parseSettings(studioSettings, { given }, { command: 'studio' });
  const { startServer } = await import('./start-server.ts');
  const { StudioDoor } = await import('./studio/door.ts');
  const door = new StudioDoor(nomoatCacheFolder(surroundings()));
  const { open: _, ...served } = settings;
  const server = await startServer({ ...served, ...(onLog ? { onLog } : {}) }, serverLimits, door).catch(
    async (error: unknown) => {
      throw (await openAlready(settings.port, () => door.newPass(settings.port))) ?? error;
    },
  );
  const newUrl = (): string => `${server.url}/studio/open?token=${door.newToken()}`;
  return { ...server, openUrl: newUrl(), newUrl };
}
