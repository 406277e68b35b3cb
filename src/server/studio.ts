/** The studio as the library has it: a server with a page, for the browser of this machine alone. */
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
  const server = await startServer({ ...served, ...(onLog ? { onLog } : {}) }, serverLimits, door);
  const newUrl = (): string => `${server.url}/studio/open?token=${door.newToken()}`;
  return { ...server, openUrl: newUrl(), newUrl };
}
