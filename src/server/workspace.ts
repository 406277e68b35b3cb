/**
 * Files, uploads and jobs of a folder of runs. Promises: what a server kept is taken up again when it starts; a server that is only
 * chatted with writes nothing; where another server keeps that folder, requests for it are refused and the rest works.
 */
import { resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { ApiError, stopping } from './api-error.ts';
import { JobQueue, type QueueParts } from './jobs/job-queue.ts';
import { State } from './state/database.ts';
import { FeedbackFile } from './state/feedback-file.ts';
import { FileStore } from './state/file-store.ts';
import { JobStore } from './state/job-store.ts';
import { PermissionStore } from './state/permission-store.ts';
import { UploadStore } from './state/upload-store.ts';
import { ChatStore } from './studio/chat-store.ts';

/** How often what has expired is removed from the disk; requests do not find it from that moment on. */
const sweepMilliseconds = 3_600_000;

/** The parts of an open workspace. */
export interface Opened {
  readonly files: FileStore;
  readonly uploads: UploadStore;
  readonly jobs: JobStore;
  readonly permissions: PermissionStore;
  readonly queue: JobQueue;
  readonly feedback: FeedbackFile;
  /** Of the studio. */
  readonly chats: ChatStore;
}

export type WorkspaceOptions = Omit<QueueParts, 'files' | 'jobs'>;

export class Workspace {
  private readonly options: WorkspaceOptions;
  private state: State | null = null;
  private opened: Opened | null = null;
  private closed = false;
  private sweeps: NodeJS.Timeout | null = null;

  constructor(options: WorkspaceOptions) {
    this.options = { ...options, runs: resolve(options.runs) };
  }

  /** Takes up what an earlier server left, where there is something. Throws NomoatError where it cannot be read. */
  takeUp(): void {
    if (!State.isThere(this.options.runs)) return;
    try {
      this.begin();
    } catch (error) {
      // Another server does the work; this one may still answer chats.
      if (!(error instanceof NomoatError && error.code === 'run-busy')) throw error;
    }
  }

  /** Throws ApiError where another server has this folder, or this one is closed. */
  open(): Opened {
    try {
      return this.opened ?? this.begin();
    } catch (error) {
      if (!(error instanceof NomoatError && error.code === 'run-busy')) throw error;
      const message = 'Another server keeps files and jobs of this folder of runs: ask that one.';
      throw new ApiError({ status: 503, code: 'workspace_in_use', message, cause: error });
    }
  }

  /** Absolute path of the folder. */
  get runs(): string {
    return this.options.runs;
  }

  /** The jobs, where there are some: a look writes nothing. */
  openedJobs(): JobStore | null {
    return this.opened?.jobs ?? null;
  }

  /** The suffix of the job that made a run; null where none did. */
  suffixOf(run: string): string | null {
    const job = this.opened?.jobs.ofRun(run) ?? null;
    return job && (job.asked.suffix ?? '');
  }

  /** Ends training with checkpoints. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.sweeps) clearInterval(this.sweeps);
    await this.opened?.queue.close();
    this.opened = null;
    this.state?.close();
    this.state = null;
  }

  private begin(): Opened {
    if (this.closed) throw stopping();
    const state = State.open(this.options.runs);
    try {
      const jobs = new JobStore(state);
      const files = new FileStore(state, jobs.filesInUse());
      const uploads = new UploadStore(state, files);
      const queue = new JobQueue({ ...this.options, files, jobs });
      const feedback = new FeedbackFile(state.folder);
      const permissions = new PermissionStore(state);
      const chats = new ChatStore(state.folder);
      this.opened = { files, uploads, jobs, permissions, queue, feedback, chats };
    } catch (error) {
      state.close();
      throw error;
    }
    this.state = state;
    const { files, jobs, queue, uploads } = this.opened;
    this.sweeps = setInterval(() => {
      files.sweep(jobs.filesInUse());
      uploads.sweep();
    }, sweepMilliseconds);
    this.sweeps.unref();
    // Which suffix a job gave its model is known from now on.
    this.options.models.forget();
    queue.pump();
    return this.opened;
  }
}
