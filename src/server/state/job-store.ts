/**
 * Fine-tuning jobs, what they said, and their checkpoints, in the database. Promises: an event that is told twice (a run that is read
 * again after a kill) is kept once. What a job trains is in its run's folder; here is only what that folder does not know.
 */
import { z } from 'zod';
import type { State } from './database.ts';
import { newId, nowInSeconds } from './ids.ts';
import { type Matching, type Page, type PageQuery, pageOf } from './pages.ts';

const auto = z.literal('auto');
/** As a job was asked for them. */
export const hyperparameters = z.object({
  n_epochs: z.union([auto, z.number()]),
  batch_size: z.union([auto, z.number()]),
  learning_rate_multiplier: z.union([auto, z.number()]),
  /** Of the method dpo alone. */
  beta: z.union([auto, z.number()]).optional(),
});
export type Hyperparameters = z.output<typeof hyperparameters>;

const asked = z.object({
  model: z.string(),
  training_file: z.string(),
  validation_file: z.string().nullable(),
  suffix: z.string().nullable(),
  seed: z.int(),
  metadata: z.record(z.string(), z.string()).nullable(),
  /** Jobs from before there was another are supervised. */
  method: z.enum(['supervised', 'dpo']).default('supervised'),
  hyperparameters,
  // Of a run that the studio started: the settings of `tune`, and further files of its data. Nothing else decides such a run.
  settings: z.record(z.string(), z.unknown()).optional(),
  more_files: z.array(z.string()).optional(),
});
/** What a job was created with. */
export type Asked = z.output<typeof asked>;

const learned = z.object({
  hyperparameters: hyperparameters.optional(),
  estimated_finish: z.int().optional(),
  trained_tokens: z.int().optional(),
  fine_tuned_model: z.string().optional(),
  result_file: z.string().optional(),
});
/** What became known of a job on its way. */
export type Learned = z.output<typeof learned>;

const jobError = z.object({ code: z.string(), message: z.string(), param: z.string().nullable() });
/** What a job failed with. */
export type JobError = z.output<typeof jobError>;

export const statuses = ['validating_files', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof statuses)[number];
/** Of a job that something is still to be done for. */
export const unfinished: readonly JobStatus[] = ['validating_files', 'queued', 'running'];

const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

const jobRow = z.object({
  id: z.string(),
  created: z.int(),
  finished: z.int().nullable(),
  status: z.enum(statuses),
  paused: z.int().transform((value) => value === 1),
  run: z.string(),
  base: z.string(),
  asked: json(asked),
  learned: json(learned),
  error: z
    .string()
    .nullable()
    .transform((text): unknown => (text === null ? null : JSON.parse(text)))
    .pipe(jobError.nullable()),
});
/** A job; `run` is the name of its folder, `base` the id of the model that it trains. */
export type StoredJob = z.output<typeof jobRow>;

const eventRow = z.object({
  id: z.string(),
  created: z.int(),
  level: z.enum(['info', 'warn', 'error']),
  type: z.enum(['message', 'metrics']),
  message: z.string(),
  data: z
    .string()
    .nullable()
    .transform((text): unknown => (text === null ? null : JSON.parse(text))),
});
export type StoredEvent = z.output<typeof eventRow>;

/** An event to be told. `key` is what it tells of: of those with the same one, the first is kept. */
export interface NewEvent {
  readonly key: string;
  readonly level?: StoredEvent['level'];
  readonly type?: StoredEvent['type'];
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

const metrics = z.record(z.string(), z.number());
const checkpointRow = z.object({
  id: z.string(),
  job_id: z.string(),
  step: z.int(),
  created: z.int(),
  metrics: json(metrics),
});
export type StoredCheckpoint = z.output<typeof checkpointRow>;

export interface JobChange {
  readonly status?: JobStatus;
  readonly paused?: boolean;
  /** null: it goes on. */
  readonly finished?: number | null;
  readonly error?: JobError | null;
  readonly learned?: Learned;
}

export class JobStore {
  private readonly state: State;

  constructor(state: State) {
    this.state = state;
  }

  /** A new job with its first events. */
  create(
    given: Asked,
    base: string,
    runOf: (id: string) => string,
    events: (id: string) => readonly NewEvent[],
  ): StoredJob {
    const id = newId('ftjob-');
    this.state.atomically(() => {
      this.insert(id, given, base, runOf(id));
      for (const event of events(id)) this.tell(id, event);
    });
    return this.find(id)!;
  }

  private insert(id: string, given: Asked, base: string, run: string): void {
    this.state.database
      .prepare(
        'insert into jobs (id, created, status, paused, run, base, asked, learned) values (?, ?, ?, 0, ?, ?, ?, ?)',
      )
      .run(id, nowInSeconds(), 'validating_files', run, base, JSON.stringify(given), '{}');
  }

  find(id: string): StoredJob | null {
    const row = this.state.database.prepare('select * from jobs where id = ?').get(id);
    return row === undefined ? null : jobRow.parse(row);
  }

  /** The job that made the run of that name. */
  ofRun(run: string): StoredJob | null {
    const row = this.state.database.prepare('select * from jobs where run = ?').get(run);
    return row === undefined ? null : jobRow.parse(row);
  }

  /** null where `after` is no job. */
  list(matching: readonly Matching[], query: PageQuery): Page<StoredJob> | null {
    const page = pageOf(this.state, 'jobs', { matching }, query);
    return page && { ...page, data: page.data.map((row) => jobRow.parse(row)) };
  }

  /** In the order in which they were created. */
  all(): StoredJob[] {
    return this.state.database
      .prepare('select * from jobs order by sequence')
      .all()
      .map((row) => jobRow.parse(row));
  }

  /** Files that a job will still read. */
  filesInUse(): ReadonlySet<string> {
    const jobs = this.all().filter(({ status }) => unfinished.includes(status));
    return new Set(
      jobs.flatMap(({ asked: { more_files = [], training_file, validation_file } }) =>
        [training_file, validation_file ?? [], more_files].flat(),
      ),
    );
  }

  /** What `learned` has is added to what is known. Several changes and events at once are one. */
  change(
    id: string,
    { error, finished, learned: more, paused, status }: JobChange,
    events: readonly NewEvent[] = [],
  ): void {
    this.state.atomically(() => {
      const job = this.find(id);
      if (!job) return;
      const known = { ...job.learned, ...more };
      const fault = error === undefined ? job.error : error;
      this.state.database
        .prepare('update jobs set status = ?, paused = ?, finished = ?, learned = ?, error = ? where id = ?')
        .run(
          status ?? job.status,
          (paused ?? job.paused) ? 1 : 0,
          finished === undefined ? job.finished : finished,
          JSON.stringify(known),
          fault === null ? null : JSON.stringify(fault),
          id,
        );
      for (const event of events) this.tell(id, event);
    });
  }

  tell(job: string, { data, key, level = 'info', message, type = 'message' }: NewEvent): void {
    this.state.database
      .prepare(
        'insert or ignore into events (id, job_id, key, created, level, type, message, data) values (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(
        newId('ftevent-'),
        job,
        key,
        nowInSeconds(),
        level,
        type,
        message,
        data === undefined ? null : JSON.stringify(data),
      );
  }

  /** null where `after` is no event. */
  events(job: string, query: PageQuery): Page<StoredEvent> | null {
    const page = pageOf(this.state, 'events', { where: { job_id: job } }, query);
    return page && { ...page, data: page.data.map((row) => eventRow.parse(row)) };
  }

  addCheckpoint(job: string, step: number, measured: Readonly<Record<string, number>>): void {
    this.state.database
      .prepare('insert or ignore into checkpoints (id, job_id, step, created, metrics) values (?, ?, ?, ?, ?)')
      .run(newId('ftckpt_'), job, step, nowInSeconds(), JSON.stringify(measured));
  }

  /** Newest first. */
  checkpoints(job: string): StoredCheckpoint[] {
    const rows = this.state.database.prepare('select * from checkpoints where job_id = ? order by step desc').all(job);
    return rows.map((row) => checkpointRow.parse(row));
  }
}
