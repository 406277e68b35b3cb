/** How a run hears that it shall stop while it prepares, plans and opens its model, and other long work. Knows nothing of what it stops. */
import { NomoatError } from './errors.ts';

/** Lets messages and signals in, and throws NomoatError (interrupted) where one of them was to stop. */
export async function heedStop(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  assertGoesOn(signal);
}

/** Throws NomoatError (interrupted) where `signal` says so. */
export function assertGoesOn(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new NomoatError({
    part: 'the run',
    fault: 'was stopped before it trained',
    remedy: 'Start it again, or resume it where its folder is there already.',
    kind: 'interrupted',
  });
}

/** Lets signals in, and throws NomoatError (interrupted) where `signal` says so: for work that `part` names and that wrote nothing yet. */
export async function heedSignal(part: string, signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (!signal?.aborted) return;
  throw new NomoatError({
    part,
    fault: 'was stopped; nothing was written',
    remedy: 'Start it again.',
    kind: 'interrupted',
  });
}

/** Rejects with the signal's reason where that comes first. */
export function unlessAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return result;
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/** What `work` gives; where it ends in whatever error because `signal` said so, rejects with NomoatError (interrupted) instead. */
export async function stoppable<T>(part: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    if (!signal?.aborted) throw error;
    const remedy = 'Start it again.';
    throw new NomoatError({ part, fault: 'was stopped', remedy, kind: 'interrupted', cause: error });
  }
}
