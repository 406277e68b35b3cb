/**
 * Calls of the library that take minutes, as tasks of the server. Promises: a task outlives the page that asked for it; what came of it is on
 * the disk before anybody is told; the same task asked for twice at once runs once; what a kill cut off is said to be, and never begun again by
 * itself, since some tasks write.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { NomoatError } from '../../errors.ts';
import { writeFileAtomic } from '../../formats/atomic-write.ts';
import { callInChild } from '../child-call.ts';
import { newId } from '../state/ids.ts';
import { libraryProcess } from './call-library.ts';
import type { LibraryCall } from './library-calls.ts';

export const taskStates = ['waiting', 'running', 'done', 'failed', 'cancelled', 'interrupted'] as const;

const progress = z.looseObject({ done: z.number().optional(), total: z.number().optional() });
export const taskSchema = z.object({
  id: z.string(),
  kind: z.string().describe('the last part of the route that began it'),
  asked: z.record(z.string(), z.unknown()).describe('the body of that request'),
  state: z.enum(taskStates),
  created: z.number(),
  ended: z.number().nullable(),
  progress: progress.nullable(),
  result: z.looseObject({}).nullable().describe("the library's value"),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type Task = z.output<typeof taskSchema>;

/** What is asked for, as the page says it and as the library is called. */
export interface TaskRequest {
  readonly kind: string;
  readonly asked: Readonly<Record<string, unknown>>;
  readonly call: LibraryCall;
}

/** One that runs in this process's time. */
interface Going {
  readonly request: TaskRequest;
  readonly stop: AbortController;
}

/** At once: each may hold a model in memory, and the server answers beside them. */
const mostAtOnce = 2;
/** Kept, the newest: more nobody looks for, and each may have megabytes. */
const mostKept = 200;
/** From "stop" until the process is ended: enough to remove what was begun. */
const graceMilliseconds = 5000;

/** Seconds since 1970, with their fractions: tasks of one second have an order. */
const now = (): number => Date.now() / 1000;

const isOver = ({ state }: Task): boolean => state !== 'waiting' && state !== 'running';

export class Tasks {
  private readonly folder: string;
  private readonly closing: AbortSignal;
  /** Applied to what the library gives before it is kept. */
  private readonly shown: (found: object) => object;
  private readonly known = new Map<string, Task>();
  private readonly going = new Map<string, Going>();

  /** `folder`: of the server's state, which this process holds. Aborting `closing` ends all. */
  constructor(folder: string, closing: AbortSignal, shown: (found: object) => object) {
    this.folder = folder;
    this.closing = closing;
    this.shown = shown;
    mkdirSync(folder, { recursive: true });
    for (const task of this.read()) {
      if (isOver(task)) this.known.set(task.id, task);
      else this.keep(cutOff(task));
    }
    closing.addEventListener('abort', () => {
      for (const { stop } of this.going.values()) stop.abort(new Error('closed'));
    });
  }

  /** Newest first, without results, which may be large. */
  all(): Task[] {
    return [...this.known.values()].reverse().map((task) => ({ ...task, result: null }));
  }

  find(id: string): Task | null {
    return this.known.get(id) ?? null;
  }

  /** Begins it, or gives the same one that is being done. */
  begin(request: TaskRequest): Task {
    const same = JSON.stringify([request.kind, request.asked]);
    for (const [id, other] of this.going)
      if (JSON.stringify([other.request.kind, other.request.asked]) === same) return this.known.get(id)!;
    const { asked, kind } = request;
    const created = now();
    const blank = { ended: null, progress: null, result: null, error: null };
    const task = this.keep({ id: newId('task-'), kind, asked, state: 'waiting', created, ...blank });
    this.going.set(task.id, { request, stop: new AbortController() });
    this.forgetOld();
    this.pump();
    return this.known.get(task.id)!;
  }

  cancel(id: string): Task | null {
    const going = this.going.get(id);
    if (going) this.end(id, { state: 'cancelled' });
    going?.stop.abort(new Error('cancelled'));
    return this.find(id);
  }

  private pump(): void {
    if (this.closing.aborted) return;
    const running = [...this.known.values()].filter(({ state }) => state === 'running').length;
    const waiting = [...this.going.keys()].filter((id) => this.known.get(id)?.state === 'waiting');
    for (const id of waiting.slice(0, Math.max(0, mostAtOnce - running))) {
      this.keep({ ...this.known.get(id)!, state: 'running' });
      void this.run(id, this.going.get(id)!);
    }
  }

  private async run(id: string, { request, stop }: Going): Promise<void> {
    const { call } = request;
    const onProgress = (told: object): void => {
      const task = this.known.get(id);
      // Not on the disk: who comes after a kill has no use for it.
      if (task?.state === 'running') this.known.set(id, { ...task, progress: progress.parse(told) });
    };
    try {
      const found = await callInChild<object>(
        { program: libraryProcess, part: call.name, command: call, onProgress, graceMilliseconds },
        stop.signal,
      );
      this.end(id, { state: 'done', result: { ...this.shown(found) } });
    } catch (error) {
      if (stop.signal.aborted) this.end(id, { state: 'interrupted' });
      else this.end(id, { state: 'failed', error: faultOf(error) });
    }
    this.pump();
  }

  private end(id: string, what: Partial<Task>): void {
    this.going.delete(id);
    const task = this.known.get(id);
    if (task && !isOver(task)) this.keep({ ...task, ...what, ended: now(), progress: null });
  }

  private keep(task: Task): Task {
    writeFileAtomic(join(this.folder, `${task.id}.json`), JSON.stringify(task));
    this.known.set(task.id, task);
    return task;
  }

  private forgetOld(): void {
    const ended = [...this.known.values()].filter(isOver);
    for (const { id } of ended.slice(0, Math.max(0, this.known.size - mostKept))) {
      this.known.delete(id);
      rmSync(join(this.folder, `${id}.json`), { force: true });
    }
  }

  /** Oldest first; a file that was damaged is none. */
  private read(): Task[] {
    const names = readdirSync(this.folder).filter((name) => /^task-\w+\.json$/.test(name));
    const found = names.flatMap((name) => {
      try {
        return [taskSchema.parse(JSON.parse(readFileSync(join(this.folder, name), 'utf8')))];
      } catch {
        return [];
      }
    });
    return found.sort((a, b) => a.created - b.created);
  }
}

const cutOff = (task: Task): Task => ({ ...task, state: 'interrupted', ended: now(), progress: null });

const faultOf = (error: unknown): { code: string; message: string } =>
  error instanceof NomoatError
    ? { code: error.code, message: error.message }
    : { code: 'failed', message: error instanceof Error ? error.message : String(error) };
