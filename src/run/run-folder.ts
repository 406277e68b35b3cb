/**
 * A run is a folder: what it is (run.json), its settings (recipe.yaml), everything that happened (events.jsonl), checkpoints and results.
 * Promises: never overwrites a folder; one process at a time. Only the training process writes; all others read.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import { writeFailure, writeFileAtomic } from '../formats/atomic-write.ts';
import { lockHolder, releaseLock, takeLock } from '../formats/process-lock.ts';
import { assertFree, isRun } from '../settings/load.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { assertGiven } from '../words/given.ts';
import { readEvents } from './event-log.ts';
import { recipeOf } from './recipe.ts';
import { finalStates, type RunRecord, type RunState, readRunRecord, recordVersion } from './run-record.ts';

export type { RunRecord, RunState } from './run-record.ts';

/** The trained model in a run's model folder. */
export const modelFileName = 'model.gguf';

/** An open run: the paths of its parts, and its event log. */
export class RunFolder {
  readonly path: string;
  private log: number | null = null;

  constructor(path: string) {
    assertGiven('the run', path);
    this.path = resolve(path);
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints');
  }
  get adapter(): string {
    return join(this.path, 'adapter');
  }
  get model(): string {
    return join(this.path, 'model');
  }
  file(name: string): string {
    return join(this.path, name);
  }

  read(): RunRecord {
    const path = this.file('run.json');
    if (!existsSync(path)) {
      const outer = [dirname(this.path), dirname(dirname(this.path))].find(isRun);
      throw new NomoatError({
        code: 'run-not-found',
        part: this.path,
        fault: existsSync(this.path) ? 'is no run (it has no run.json)' : 'there is no such run',
        remedy: outer ? `Give the run that it lies in: ${outer}` : '`listRuns()` lists the runs in ./runs.',
      });
    }
    return readRunRecord(path);
  }

  write(record: RunRecord): void {
    const { version: _, ...kept } = record;
    writeFileAtomic(this.file('run.json'), `${JSON.stringify({ version: recordVersion, ...kept }, null, 2)}\n`);
  }

  /** Writes the record with other values in some places. Only the process that holds the folder does. */
  update(changes: Partial<RunRecord>): void {
    this.write({ ...this.read(), ...changes });
  }

  /** The settings as a recipe that repeats the run, as far as they are known. */
  writeRecipe(): void {
    writeFileAtomic(this.file('recipe.yaml'), recipeOf(this.read()));
  }

  events(): RunEvent[] {
    return readEvents(this.file('events.jsonl'));
  }

  /** Opens the event log; `keepBytes` cuts off what a killed process wrote after its last checkpoint. */
  openLog(keepBytes: number): void {
    const path = this.file('events.jsonl');
    try {
      this.log = openSync(path, existsSync(path) ? 'r+' : 'w+');
      ftruncateSync(this.log, Math.min(keepBytes, fstatSync(this.log).size));
      this.logged = fstatSync(this.log).size;
    } catch (error) {
      throw writeFailure(path, error);
    }
  }
  private logged = 0;

  /** Bytes of the event log. */
  get eventBytes(): number {
    return this.logged;
  }

  append(event: RunEvent): void {
    if (this.log === null) return;
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    try {
      // A disk that is nearly full takes a part of the line; the next call then says why.
      for (let done = 0; done < line.length; )
        done += writeSync(this.log, line, done, line.length - done, this.logged + done);
      this.logged += line.length;
    } catch (error) {
      throw writeFailure(this.file('events.jsonl'), error);
    }
  }

  /** The living process that works in this run, or null. */
  holder(): number | null {
    return lockHolder(this.file('lock'));
  }

  /** Takes the folder for this process. Throws NomoatError while another one works in it. */
  lock(): void {
    let holder: number | null;
    try {
      holder = takeLock(this.file('lock'));
    } catch (error) {
      throw writeFailure(this.file('lock'), error);
    }
    if (holder !== null && holder !== process.pid) throw this.held(holder);
  }

  private held(holder: number): NomoatError {
    return new NomoatError({
      code: 'run-busy',
      part: this.path,
      fault: `process ${holder} is working in this run`,
      remedy: `Wait for it, or stop it first. If it is another program that got that number after a restart, delete ${this.file('lock')}.`,
    });
  }

  unlock(): void {
    if (this.log !== null) closeSync(this.log);
    this.log = null;
    releaseLock(this.file('lock'));
  }
}

/** The run that the checkpoint at `path` belongs to; null where that is no checkpoint of a run. */
export function runOfCheckpoint(path: string): string | null {
  const folder = dirname(resolve(path));
  const run = dirname(folder);
  const isOne = basename(folder) === 'checkpoints' && existsSync(join(path, 'parameters.safetensors')) && isRun(run);
  return isOne ? run : null;
}

/** Makes the folder of a new run. Throws NomoatError where something stands there. */
export function createRunFolder(settings: RunSettings, record: RunRecord): RunFolder {
  const folder = new RunFolder(settings.run);
  assertFree(folder.path);
  try {
    mkdirSync(folder.checkpoints, { recursive: true });
  } catch (error) {
    throw writeFailure(folder.path, error);
  }
  try {
    folder.lock();
    folder.write(record);
    folder.writeRecipe();
  } catch (error) {
    // Half a folder could neither be resumed nor be given again.
    rmSync(folder.path, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/** Removes the folder of a new run whose process was killed before it was one: it could neither be resumed nor be given again. */
export function removeHalfRun(path: string): void {
  if (!existsSync(path) || isRun(path)) return;
  const own = (name: string): boolean => /^(checkpoints|lock(-\d+)?|run\.json\.unfinished-.*)$/.test(name);
  const folder = new RunFolder(path);
  try {
    const names = readdirSync(path);
    if (names.every(own) && folder.holder() === null && readdirSync(folder.checkpoints).length === 0)
      rmSync(path, { recursive: true, force: true });
  } catch {
    // Something else stands there, or nothing any more.
  }
}

/** A run among others. */
export interface ListedRun {
  /** Its folder's. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** A run whose process was killed still says `running`; it is interrupted. */
  readonly state: RunState | 'unreadable';
  /** null where run.json cannot be read. */
  readonly record: RunRecord | null;
  /** Why it cannot be read; else null. */
  readonly fault: string | null;
}

function listed(folder: RunFolder): ListedRun {
  const { path } = folder;
  try {
    const record = folder.read();
    const lost = record.state === 'running' && folder.holder() === null;
    return { name: basename(path), path, state: lost ? 'interrupted' : record.state, record, fault: null };
  } catch (error) {
    const fault = error instanceof NomoatError ? error.fault : String(error);
    return { name: basename(path), path, state: 'unreadable', record: null, fault };
  }
}

/** Runs that were listed before, by their paths, with what their run.json was then. */
export type KnownRuns = Map<string, { readonly stamp: string; readonly run: ListedRun }>;

/** Those that go on may end without a word in run.json. */
const ends = new Set([...finalStates, 'failed']);

/** As `listed`, but for a run that has ended and whose run.json is still the same. */
function listedAnew(folder: RunFolder, known: KnownRuns): ListedRun {
  const stats = statSync(folder.file('run.json'), { throwIfNoEntry: false });
  const stamp = stats ? `${stats.ino} ${stats.mtimeMs} ${stats.size}` : 'gone';
  const before = known.get(folder.path);
  if (before?.stamp === stamp && ends.has(before.run.state)) return before.run;
  const run = listed(folder);
  known.set(folder.path, { stamp, run });
  return run;
}

/** What lies directly under `root`, runs or not. */
function namesUnder(root: string): string[] {
  if (!existsSync(root)) return [];
  try {
    return readdirSync(root);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fault = `is no folder of runs that can be read (${code})`;
    throw new NomoatError({ part: resolve(root), fault, remedy: 'Call `listRuns()` where runs/ is.', cause: error });
  }
}

/** Runs directly under `root`, by name; with `known` those that have ended are read once. */
export const listRuns = (root: string, known: KnownRuns = new Map()): ListedRun[] =>
  namesUnder(root)
    .sort()
    .map((name) => new RunFolder(join(root, name)))
    .filter(({ path }) => isRun(path))
    .map((folder) => listedAnew(folder, known));

/** The run of that name directly under `root`, of which alone the record is read; null where there is none. */
export function listedRun(root: string, name: string): ListedRun | null {
  if (!namesUnder(root).includes(name)) return null;
  const folder = new RunFolder(join(root, name));
  return isRun(folder.path) ? listed(folder) : null;
}
