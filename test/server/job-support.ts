/** What the tests of fine-tuning jobs share: data, a job's end, and the error object that a call was answered with. */
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import type { ServerLimits } from '../../src/server/limits.ts';
import type { ServeOptions } from '../../src/server/serve-options.ts';
import { folder, reference, type Served, served } from './support.ts';

type Job = OpenAI.FineTuning.FineTuningJob;

/** So many rows as JSON Lines. */
export const rows = (count: number): string =>
  Array.from(
    { length: count },
    (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' })}\n`,
  ).join('');

let servers = 0;
/** A server with a folder of runs of its own, which serves the tiny reference model as `base`. */
export const withJobs = (options: ServeOptions = {}, limits: Partial<ServerLimits> = {}): Promise<Served> =>
  served(
    { runs: join(folder, `jobs${servers++}`), models: [join(reference, '..')], background: false, ...options },
    { listMilliseconds: 0, ...limits },
  );

/** The id of a new training file. */
export async function uploaded(client: OpenAI, text = rows(24)): Promise<string> {
  const file = await toFile(Buffer.from(text), 'train.jsonl');
  return (await client.files.create({ file, purpose: 'fine-tune' })).id;
}

/** Resolves with the job once it has that status or ended. */
export async function jobWith(client: OpenAI, id: string, status: Job['status'] | null = null): Promise<Job> {
  for (;;) {
    const job = await client.fineTuning.jobs.retrieve(id);
    if (job.status === status || ['succeeded', 'failed', 'cancelled'].includes(job.status)) return job;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Texts of a job's events, oldest first. */
export async function messages(client: OpenAI, id: string): Promise<string[]> {
  const found = [];
  for await (const { message } of client.fineTuning.jobs.listEvents(id, { limit: 100 })) found.unshift(message);
  return found;
}

/** Resolves once an event has such a text. */
export async function told(client: OpenAI, id: string, text: RegExp): Promise<void> {
  while (!(await messages(client, id)).some((message) => text.test(message)))
    await new Promise((resolve) => setTimeout(resolve, 30));
}

/** The error object that a call was answered with. */
export async function fault(call: Promise<unknown>): Promise<object> {
  try {
    await call;
  } catch (error) {
    if (error instanceof OpenAI.APIError)
      return { status: error.status, code: error.code, param: error.param, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}
