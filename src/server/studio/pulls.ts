/**
 * Models that the studio fetches. Promises: nothing is fetched before whoever asked has seen size and license; it goes on without the page, and
 * what was interrupted goes on where it was when it is asked for again.
 */
import { NomoatError } from '../../errors.ts';
import { pull } from '../../library/pull.ts';
import type { FoundToPull, PullProgress } from '../../store/pull-progress.ts';
import { ApiError } from '../api-error.ts';
import { newId } from '../state/ids.ts';

export const pullStates = ['looking', 'asking', 'fetching', 'done', 'failed', 'cancelled'] as const;
export type PullState = (typeof pullStates)[number];

export interface StudioPull {
  readonly id: string;
  readonly name: string;
  readonly state: PullState;
  /** What would be fetched; null until it is found. */
  readonly found: FoundToPull | null;
  readonly received: number;
  readonly total: number | null;
  /** What it is at, in a sentence. */
  readonly message: string | null;
  /** Why it failed. */
  readonly fault: string | null;
  readonly notes: readonly string[];
}

interface Running {
  pull: StudioPull;
  readonly stop: AbortController;
  /** Says yes or no to what was found. */
  answer: (wanted: boolean) => void;
}

/** Those that ended are remembered for the page that comes back. */
const mostKept = 20;
const isOver = ({ state }: StudioPull): boolean => state === 'done' || state === 'failed' || state === 'cancelled';

export class Pulls {
  private readonly all = new Map<string, Running>();
  private readonly arrived: () => void;
  private readonly closing: AbortSignal;

  /** `arrived` is called when there is a new model; `closing` ends them all. */
  constructor(closing: AbortSignal, arrived: () => void) {
    this.closing = closing;
    this.arrived = arrived;
  }

  /** The newest first. */
  list(): StudioPull[] {
    return [...this.all.values()].map(({ pull: each }) => each).reverse();
  }

  /** `license`: which the page has shown already; of another one it is asked. */
  start(name: string, license: string | null): StudioPull {
    const same = this.list().find((each) => each.name === name && !isOver(each));
    if (same) return same;
    for (const each of this.list()
      .filter(isOver)
      .slice(mostKept - 1))
      this.all.delete(each.id);
    const id = newId('pull-');
    const nothing = { found: null, received: 0, total: null, message: null, fault: null, notes: [] };
    const running: Running = {
      pull: { id, name, state: 'looking', ...nothing },
      stop: new AbortController(),
      answer: () => {},
    };
    this.all.set(id, running);
    void this.work(running, license);
    return running.pull;
  }

  /** What was found is wanted. Throws ApiError where nothing is asked. */
  agree(id: string): StudioPull {
    const running = this.find(id);
    if (running.pull.state !== 'asking')
      throw new ApiError({ status: 409, code: 'pull_not_asking', message: 'Nothing is asked of this pull now.' });
    running.answer(true);
    return this.change(running, { state: 'fetching' });
  }

  cancel(id: string): StudioPull {
    const running = this.find(id);
    if (isOver(running.pull)) return running.pull;
    running.stop.abort();
    running.answer(false);
    return this.change(running, { state: 'cancelled' });
  }

  private find(id: string): Running {
    const running = this.all.get(id);
    if (running) return running;
    throw new ApiError({ status: 404, code: 'pull_not_found', param: 'id', message: `There is no pull '${id}' here.` });
  }

  private change(running: Running, part: Partial<StudioPull>): StudioPull {
    // A late word of what was cancelled changes nothing.
    if (!isOver(running.pull)) running.pull = { ...running.pull, ...part };
    return running.pull;
  }

  private confirm(running: Running, license: string | null, found: FoundToPull): Promise<boolean> | boolean {
    const isKnown =
      license !== null && found.license?.toLowerCase() === license.toLowerCase() && found.kind === 'model';
    this.change(running, { found, total: found.bytes, state: isKnown ? 'fetching' : 'asking' });
    if (isKnown) return true;
    return new Promise((resolve) => {
      running.answer = resolve;
    });
  }

  private async work(running: Running, license: string | null): Promise<void> {
    const { name } = running.pull;
    const signal = AbortSignal.any([running.stop.signal, this.closing]);
    const onProgress = ({ message, phase, receivedBytes, totalBytes }: PullProgress): void => {
      const moved = phase === 'download' ? { received: receivedBytes, total: totalBytes } : {};
      this.change(running, { ...moved, ...(message === null ? {} : { message }) });
    };
    // A server that closes waits for no answer.
    signal.addEventListener('abort', () => running.answer(false), { once: true });
    try {
      const confirm = (found: FoundToPull) => this.confirm(running, license, found);
      const { notes } = await pull(name, { confirm, onProgress, signal });
      this.arrived();
      const { total } = running.pull;
      this.change(running, { notes, received: total ?? 0 });
      this.change(running, { state: 'done' });
    } catch (error) {
      const isEnd = error instanceof NomoatError && error.kind === 'interrupted';
      const fault = error instanceof Error ? error.message : String(error);
      this.change(running, isEnd ? { state: 'cancelled' } : { state: 'failed', fault });
    }
  }
}
