/**
 * Jobs from their creation to their end: files are checked, runs started one after the other, followed and ended. Promises: what is to be
 * done next is read from the database alone, so that a server that was killed goes on where it was; a job that cannot go on fails with a
 * reason; one that is cancelled or paused computes no more.
 */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { NomoatError } from '../../errors.ts';
import type { RunEvent } from '../../events.ts';
import { openRun } from '../../library/runs.ts';
import { resumeTune, tune } from '../../library.ts';
import type { Run } from '../../run/run.ts';
import { RunFolder, removeHalfRun } from '../../run/run-folder.ts';
import { finalStates } from '../../run/run-record.ts';
import { isRun } from '../../settings/load.ts';
import { checkpointSteps } from '../../train/checkpoint.ts';
import { fineTunedName } from '../fine-tuned-names.ts';
import type { ServerLog } from '../log.ts';
import type { ModelList } from '../model-list.ts';
import type { FileStore } from '../state/file-store.ts';
import { nowInSeconds } from '../state/ids.ts';
import { type JobError, type JobStore, type StoredJob, unfinished } from '../state/job-store.ts';
import { baseOf, checkFiles, trainingSettings } from './check-files.ts';
import { JobFailure } from './job-failure.ts';
import { resultCsv, trainedTokens } from './result-file.ts';
import { RunTeller } from './run-events.ts';

export interface QueueParts {
  readonly jobs: JobStore;
  readonly files: FileStore;
  readonly models: ModelList;
  /** Absolute: jobs' runs are made here. */
  readonly runs: string;
  /** Runs that train at once. */
  readonly most: number;
  readonly threads: number | null;
  /** At the lowest priority. */
  readonly nice: boolean;
  readonly onLog: (entry: ServerLog) => void;
}

/** A training process that dies of nobody's will is started again this often without having made a checkpoint meanwhile. */
const mostDeaths = 3;
/** How often it is looked whether the process of a killed server has let go of its run. */
const lookMilliseconds = 100;
/** Checkpoints that hosted tuning keeps: those of the last three epochs. */
const keptEpochs = 3;
/** A training process that was told to end writes its checkpoint meanwhile; then it is killed, and goes on from the one before. */
const endMilliseconds = 6000;

/** A job that is being worked on. */
interface Active {
  run: Run | null;
  /** Aborted once the job shall not go on, now. */
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export class JobQueue {
  private readonly parts: QueueParts;
  private readonly checking = new Map<string, Active>();
  private readonly training = new Map<string, Active>();
  private closing = false;

  constructor(parts: QueueParts) {
    this.parts = parts;
  }

  /** Takes up what there is to do. To be called whenever that may have changed. */
  pump(): void {
    if (this.closing) return;
    const jobs = this.parts.jobs.all();
    for (const job of jobs)
      if (job.status === 'validating_files' && this.checking.size === 0)
        this.take(this.checking, job, (active) => this.check(job, active));
    const waiting = jobs.filter(
      ({ id, paused, status }) => (status === 'queued' || status === 'running') && !paused && !this.training.has(id),
    );
    for (const job of waiting.sort((a, b) => Number(b.status === 'running') - Number(a.status === 'running')))
      if (this.training.size < this.parts.most) this.take(this.training, job, (active) => this.train(job, active));
  }

  /** Ends what is computed for a job, with a checkpoint; the database says already why. */
  stop(id: string): void {
    for (const active of [this.checking.get(id), this.training.get(id)]) if (active) void endActive(active);
  }

  /** Ends all training with checkpoints; takes up nothing any more. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.all([...this.checking.values(), ...this.training.values()].map(endActive));
  }

  private take(lane: Map<string, Active>, { id }: StoredJob, work: (active: Active) => Promise<void>): void {
    let finished = (): void => {};
    const done = new Promise<void>((resolve) => {
      finished = resolve;
    });
    const active: Active = { run: null, stop: new AbortController(), done };
    lane.set(id, active);
    void work(active)
      .catch((error: unknown) => this.fail(id, error))
      .finally(() => {
        lane.delete(id);
        finished();
        this.pump();
      });
  }

  private async check(job: StoredJob, { stop }: Active): Promise<void> {
    const { jobs } = this.parts;
    try {
      // The platform's rules are for its own jobs: `tune` itself says what it cannot learn from.
      if (job.asked.settings === undefined) await checkFiles(this.parts, job, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return;
      throw error;
    }
    if (jobs.find(job.id)?.status !== 'validating_files') return;
    jobs.change(job.id, { status: 'queued' }, [
      { key: 'queued', message: 'Files validated, moving job to queued state' },
    ]);
  }

  private async train(job: StoredJob, active: Active): Promise<void> {
    const { jobs } = this.parts;
    const path = join(this.parts.runs, job.run);
    jobs.change(job.id, { status: 'running' }, [{ key: 'running', message: 'Fine-tuning job started' }]);
    for (let deaths = 0; ; deaths++) {
      const before = await this.letGo(path, active.stop.signal);
      if (active.stop.signal.aborted) return;
      const teller = new RunTeller(jobs, job.id);
      if (isRun(path)) for await (const event of openRun(path).events()) teller.hear(event);
      if (isRun(path) && ended(path)) return this.succeed(job, path);
      try {
        await this.follow(await this.begin(job, path), active, teller);
        return this.succeed(job, path);
      } catch (error) {
        if (active.stop.signal.aborted) return;
        const died = error instanceof NomoatError && (error.code === 'worker-died' || error.code === 'run-interrupted');
        const went = lastCheckpoint(path);
        if (!died || (deaths >= mostDeaths && went <= before)) throw error;
        const message = `The training process ended (${error.fault}); it is started again.`;
        jobs.tell(job.id, { key: `death ${nowInSeconds()}`, level: 'warn', message });
      }
    }
  }

  /** Resolves when no process works in the run any more: that of a killed server ends by itself. With the step of its last checkpoint. */
  private async letGo(path: string, signal: AbortSignal): Promise<number> {
    while (isRun(path) && openRun(path).pid !== null && !signal.aborted) await sleep(lookMilliseconds);
    removeHalfRun(path);
    return lastCheckpoint(path);
  }

  private async begin(job: StoredJob, path: string): Promise<Run> {
    if (isRun(path)) return resumeTune(path);
    const { files, nice, threads } = this.parts;
    const { more_files: more = [], seed, settings, training_file: training, validation_file: validation } = job.asked;
    const { initialAdapter, modelPath } = await baseOf(this.parts, job);
    const common = { model: modelPath, initialAdapter, run: path, nice, threads };
    if (settings) return tune({ ...settings, ...common, data: [training, ...more].map((id) => files.pathOf(id)) });
    return tune({
      ...trainingSettings(job, modelPath),
      ...common,
      data: files.pathOf(training),
      validation: validation === null ? null : files.pathOf(validation),
      seed,
      keepEpochs: keptEpochs,
    });
  }

  private async follow(run: Run, active: Active, teller: RunTeller): Promise<void> {
    active.run = run;
    if (active.stop.signal.aborted) run.interrupt();
    try {
      for await (const event of run) teller.hear(event);
    } catch {
      // The result says it.
    }
    const { state, verdict } = await run.result;
    if (state === 'diverged' || state === 'proof-failed') throw untrusted(state, verdict);
  }

  private async succeed(job: StoredJob, path: string): Promise<void> {
    const { files, jobs, models } = this.parts;
    const { record } = openRun(path);
    if (record.state === 'diverged' || record.state === 'proof-failed')
      throw untrusted(record.state, record.verdict ?? null);
    const events: RunEvent[] = [];
    for await (const event of openRun(path).events()) events.push(event);
    const name = fineTunedName(path, record, job.asked.suffix ?? '');
    const csv = await files.receive(Readable.from([Buffer.from(resultCsv(events))]), Number.POSITIVE_INFINITY);
    files.add(csv, { filename: 'step_metrics.csv', purpose: 'fine-tune-results', seconds: null }, ({ id }) => {
      const learned = { fine_tuned_model: name, result_file: id, trained_tokens: trainedTokens(events) };
      jobs.change(job.id, { status: 'succeeded', finished: nowInSeconds(), learned }, [
        { key: 'model', message: `New fine-tuned model created: ${name}` },
        { key: 'end', message: 'The job has successfully completed' },
      ]);
    });
    models.forget();
  }

  private fail(id: string, error: unknown): void {
    const { jobs, onLog } = this.parts;
    const job = jobs.find(id);
    if (this.closing || !job || !unfinished.includes(job.status)) return;
    const told = errorOf(error, this.parts, job);
    if (!(error instanceof NomoatError) && !(error instanceof JobFailure))
      onLog({ type: 'failure', id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    const level = 'error';
    const events = error instanceof JobFailure ? error.events : [];
    jobs.change(id, { status: 'failed', finished: nowInSeconds(), error: told }, [
      ...events,
      // Told anew each time: a job that failed may go on.
      { key: `failed ${nowInSeconds()}`, level, message: told.message },
    ]);
  }
}

/** Tells the training process to end, and ends it where it takes too long: it goes on from its last checkpoint. */
async function endActive({ done, run, stop }: Active): Promise<void> {
  stop.abort();
  run?.interrupt();
  const late = setTimeout(() => run?.kill(), endMilliseconds);
  await done;
  clearTimeout(late);
}

const lastCheckpoint = (path: string): number => checkpointSteps(new RunFolder(path).checkpoints).at(-1) ?? 0;

const ended = (path: string): boolean => finalStates.includes(openRun(path).state);

const untrustedCodes = { diverged: 'run-diverged', 'proof-failed': 'untrusted' } as const;

const untrusted = (state: 'diverged' | 'proof-failed', verdict: string | null): NomoatError =>
  new NomoatError({
    code: untrustedCodes[state],
    part: 'the run',
    fault: verdict ?? state,
    remedy: 'Create a job with a lower `learning_rate_multiplier`.',
    kind: 'untrusted',
  });

/** What a job failed with. Where files lie is told by their ids. */
function errorOf(error: unknown, { files, runs }: QueueParts, { asked, run }: StoredJob): JobError {
  if (error instanceof JobFailure) return error.told;
  if (!(error instanceof NomoatError))
    return { code: 'internal_error', message: 'The server failed; its log says how.', param: null };
  const named = [asked.training_file, asked.validation_file].flatMap((id) =>
    id === null ? [] : [[files.pathOf(id), id] as const],
  );
  const message = [...named, [join(runs, run), run] as const].reduce(
    (text, [path, name]) => text.replaceAll(path, name),
    error.message,
  );
  return { code: error.code.replaceAll('-', '_'), message, param: null };
}
