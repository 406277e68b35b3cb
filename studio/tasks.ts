/** Tasks of the server, as pages begin and follow them: a task goes on without the page, and is found again by its address. */
import { useEffect, useState } from 'preact/hooks';
import type { Task } from '../src/server/studio/tasks.ts';
import { asFault, ask, Fault, posting } from './api.ts';
import { useInAddress } from './route.ts';
import { useAction } from './use.ts';

export type { Task } from '../src/server/studio/tasks.ts';

const root = '/studio/v1/tasks';
const json = async <T>(response: Promise<Response>): Promise<T> => (await (await response).json()) as T;

type Body = Readonly<Record<string, unknown>>;

const beginTask = (kind: string, body: Body): Promise<Task> => json(ask(`${root}/${kind}`, posting(body)));
const oneTask = (id: string, signal: AbortSignal): Promise<Task> => json(ask(`${root}/${id}`, { signal }));
const allTasks = async (signal: AbortSignal): Promise<readonly Task[]> =>
  (await json<{ readonly tasks: readonly Task[] }>(ask(root, { signal }))).tasks;
const cancelTask = (id: string): Promise<Task> => json(ask(`${root}/${id}/cancel`, { method: 'POST' }));

export const isOver = ({ state }: Task): boolean => state !== 'waiting' && state !== 'running';

const lookMilliseconds = 400;

export interface FollowedTask {
  readonly task: Task | null;
  readonly fault: Fault | null;
  readonly cancel: () => void;
}

/** The task of that id until it is over; null follows none. */
function useTask(id: string | null): FollowedTask {
  const [state, set] = useState<Omit<FollowedTask, 'cancel'>>({ task: null, fault: null });
  useEffect(() => {
    set({ task: null, fault: null });
    if (id === null) return;
    const stop = new AbortController();
    let timer = 0;
    const look = async (): Promise<void> => {
      let over = false;
      try {
        const task = await oneTask(id, stop.signal);
        over = isOver(task);
        if (!stop.signal.aborted) set({ task, fault: null });
      } catch (error) {
        if (stop.signal.aborted) return;
        const fault = asFault(error);
        // What nobody knows is not asked for again.
        over = fault.status === 404;
        set(({ task }) => ({ task, fault }));
      }
      if (!over && !stop.signal.aborted) timer = window.setTimeout(look, lookMilliseconds);
    };
    void look();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id]);
  return { ...state, cancel: () => void (id === null || cancelTask(id).catch(() => {})) };
}

interface AskedTask extends FollowedTask {
  readonly begin: (body: Body) => void;
  readonly busy: boolean;
}

/** A task that the reader begins; its id stands in the address under `name`. */
export function useAskedTask(kind: string, name: string): AskedTask {
  const [id, keep] = useInAddress(name);
  const followed = useTask(id);
  const { act, busy, fault } = useAction();
  const begin = (body: Body): void => void act(async () => keep((await beginTask(kind, body)).id));
  return { ...followed, fault: fault ?? followed.fault, begin, busy };
}

const sameAs = (body: Body): string => JSON.stringify(Object.entries(body).sort());

/** What was found for the same request before, else a new task: for looks that change nothing. */
export function useStandingTask(kind: string, body: Body): FollowedTask & { readonly again: () => void } {
  const [id, set] = useState<string | null>(null);
  const [fault, fail] = useState<Fault | null>(null);
  const wanted = sameAs(body);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the body by its contents
  useEffect(() => {
    const stop = new AbortController();
    const find = async (): Promise<void> => {
      const known = (await allTasks(stop.signal)).find(
        (task) =>
          task.kind === kind && sameAs(task.asked) === wanted && ['done', 'running', 'waiting'].includes(task.state),
      );
      const found = known ?? (await beginTask(kind, body));
      if (!stop.signal.aborted) set(found.id);
    };
    find().catch((error: unknown) => {
      if (!stop.signal.aborted) fail(asFault(error));
    });
    return () => stop.abort();
  }, [kind, wanted]);
  const followed = useTask(id);
  const again = (): void => {
    beginTask(kind, body).then(
      (task) => set(task.id),
      (error: unknown) => error instanceof Fault && fail(error),
    );
  };
  return { ...followed, fault: fault ?? followed.fault, again };
}
