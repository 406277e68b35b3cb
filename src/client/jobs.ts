/**
 * Fine-tuning jobs of a server. Promises: lists are whole, page by page; who follows a job sees each event once and in
 * order, also where the connection breaks off and the server is started again meanwhile.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import type { ServerConnection } from './connection.ts';

const job = z.object({
  id: z.string(),
  status: z.enum(['validating_files', 'queued', 'running', 'succeeded', 'failed', 'cancelled']),
  model: z.string(),
  fine_tuned_model: z.string().nullable(),
  created_at: z.number(),
  finished_at: z.number().nullable(),
  estimated_finish: z.number().nullish(),
  trained_tokens: z.number().nullable(),
  error: z.looseObject({ message: z.string() }).nullish(),
});
const event = z.object({
  id: z.string(),
  created_at: z.number(),
  level: z.enum(['info', 'warn', 'error']),
  message: z.string(),
  type: z.string().optional(),
  data: z
    .looseObject({
      step: z.number().optional(),
      total_steps: z.number().optional(),
      train_loss: z.number().optional(),
      valid_loss: z.number().optional(),
    })
    .nullish(),
});
const page = z.object({ data: z.array(job), has_more: z.boolean().optional() });

/** A fine-tuning job of a server, as its API has it. */
export type ServerJob = z.output<typeof job>;
/** Something that a job told. */
export type ServerJobEvent = z.output<typeof event>;
/** What can be done with a job that has not ended. */
export type JobAction = 'cancel' | 'pause' | 'resume';

/** Whether nothing more will come of it. */
export const hasEnded = ({ status }: ServerJob): boolean => ['succeeded', 'failed', 'cancelled'].includes(status);

/** Jobs on a page: as many as the API gives. */
const pageSize = 100;
/**
 * Tries without an event between them before a job is given up, and the time between two: a server is started again in
 * that.
 */
const mostTries = 15;
const waitMilliseconds = 2000;

/** What the server's value has to be. Throws NomoatError. */
function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(value);
  if (!error) return data as z.output<Schema>;
  const [issue] = error.issues;
  throw new NomoatError({
    code: 'server-unreachable',
    part: 'the server',
    fault: `answers otherwise than fine-tuning jobs do (${issue!.path.join('.')}: ${issue!.message})`,
    remedy: 'See whether a server of nomoat is there.',
  });
}

const pathOf = (id: string): string => `/v1/fine_tuning/jobs/${encodeURIComponent(id)}`;

/** The fine-tuning jobs of one server. */
export interface ServerJobs {
  /** All jobs, the newest first. Rejects with NomoatError. */
  list(): Promise<ServerJob[]>;
  /** One of them. Rejects with NomoatError. */
  get(id: string): Promise<ServerJob>;
  /** Ends, halts or goes on with one, and gives what it is then. Rejects with NomoatError. */
  change(id: string, action: JobAction): Promise<ServerJob>;
  /** The events of a job from its first one until it has ended. Throws NomoatError. */
  follow(id: string, signal?: AbortSignal): AsyncGenerator<ServerJobEvent, void>;
}

async function list(connection: ServerConnection): Promise<ServerJob[]> {
  const jobs: ServerJob[] = [];
  for (let after = ''; ; after = `&after=${jobs.at(-1)!.id}`) {
    const { data, has_more: more } = read(
      page,
      await connection.json(`/v1/fine_tuning/jobs?limit=${pageSize}${after}`),
    );
    jobs.push(...data);
    if (!more || data.length === 0) return jobs;
  }
}

async function* follow(
  connection: ServerConnection,
  id: string,
  signal?: AbortSignal,
): AsyncGenerator<ServerJobEvent, void> {
  let last: string | null = null;
  for (let tries = 0; ; ) {
    try {
      const after: string = last === null ? '' : `&after=${last}`;
      for await (const value of connection.events(`${pathOf(id)}/events?stream=true${after}`, { signal })) {
        const told = read(event, value);
        [last, tries] = [told.id, 0];
        yield told;
      }
      return;
    } catch (error) {
      // Where nothing was heard yet, there may be nobody.
      if (!isBroken(error) || last === null || ++tries > mostTries) throw error;
      await sleep(waitMilliseconds, undefined, signal ? { signal } : {});
    }
  }
}

/** The jobs that a connection leads to. */
export const serverJobs = (connection: ServerConnection): ServerJobs => ({
  list: () => list(connection),
  get: async (id) => read(job, await connection.json(pathOf(id))),
  change: async (id, action) => read(job, await connection.json(`${pathOf(id)}/${action}`, { method: 'POST' })),
  follow: (id, signal) => follow(connection, id, signal),
});

/** Whether it may be otherwise in a moment. */
const isBroken = (error: unknown): boolean =>
  error instanceof NomoatError && (error.code === 'server-unreachable' || error.fields.status === 503);
