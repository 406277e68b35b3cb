/**
 * Runs that are there: those of a folder, and one of them opened. Promises: only reads, so that a run may go on meanwhile, in whatever
 * process; what a kill left half written of the log is passed over.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../events.ts';
import { followLog } from '../run/follow-log.ts';
import { type ListedRun, listRuns as listRunsIn, modelFileName, RunFolder, type RunRecord } from '../run/run-folder.ts';
import type { RunState } from '../run/run-record.ts';

/** Where runs lie unless they are told to lie elsewhere, in the working directory. */
const usualRoot = 'runs';

/** The runs directly in a folder (default: `runs` in the working directory), by name; none where there is no such folder. */
export const listRuns = (root: string = usualRoot): ListedRun[] => listRunsIn(root);

/** How the events of a run are read. */
export interface FollowOptions {
  /** Waits for what the run says next, until it ends (default: false). */
  readonly follow?: boolean;
  /** Stops waiting. */
  readonly signal?: AbortSignal;
}

/** A run on the disk. What it says of itself is read anew at each look. */
export interface OpenedRun {
  /** Absolute path. */
  readonly folder: string;
  /** What run.json says. */
  readonly record: RunRecord;
  /** A run whose process was killed is `interrupted`, whatever its record says. */
  readonly state: RunState;
  /** The process that works in it; null where none does. */
  readonly pid: number | null;
  /** Folder of the PEFT adapter, and the GGUF model where every weight was trained; null while there is none. */
  readonly adapter: string | null;
  /** As `adapter`, where every weight was trained. */
  readonly model: string | null;
  /** The report as a page; null while there is none. */
  readonly report: string | null;
  /** What it said so far, from the beginning; with `follow` also what it says until it ends. */
  events(options?: FollowOptions): AsyncIterable<RunEvent>;
}

class RunOnDisk implements OpenedRun {
  private readonly run: RunFolder;

  constructor(path: string) {
    this.run = new RunFolder(path);
    // That it is one, at once.
    this.run.read();
  }

  get folder(): string {
    return this.run.path;
  }
  get record(): RunRecord {
    return this.run.read();
  }
  get state(): RunState {
    const { state } = this.run.read();
    return state === 'running' && this.pid === null ? 'interrupted' : state;
  }
  get pid(): number | null {
    return this.run.holder();
  }
  get adapter(): string | null {
    return existsSync(this.run.adapter) ? this.run.adapter : null;
  }
  get model(): string | null {
    const path = join(this.run.model, modelFileName);
    return existsSync(path) ? path : null;
  }
  get report(): string | null {
    const path = this.run.file('report.html');
    return existsSync(path) ? path : null;
  }

  events({ follow = false, signal }: FollowOptions = {}): AsyncIterable<RunEvent> {
    const goesOn = (): boolean => follow && this.pid !== null;
    return followLog(this.run.file('events.jsonl'), { goesOn, ...(signal ? { signal } : {}) });
  }
}

/** Opens the run in a folder to look at it. Throws NomoatError where there is none. */
export const openRun = (path: string): OpenedRun => new RunOnDisk(path);
