/** Jobs that are stopped, listed, refused, and found again by the next server. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRun } from '../../src/index.ts';
import { fault, jobWith, messages, rows, told, uploaded, withJobs } from './job-support.ts';
import { folder, reference } from './support.ts';

const patience = { timeout: 240_000 };
const long = { n_epochs: 50, batch_size: 1 } as const;
const quick = { n_epochs: 1, batch_size: 8 } as const;
const runOf = (runs: string, id: string): string => join(runs, `job-${id.slice(-8)}`);

test('a job is paused, resumed, and ends as if it had not been', patience, async () => {
  const runs = join(folder, 'paused');
  const { client } = await withJobs({ runs });
  const training_file = await uploaded(client);
  const create = () =>
    client.fineTuning.jobs.create({
      model: 'base',
      training_file,
      seed: 3,
      hyperparameters: { n_epochs: 4, batch_size: 1 },
    });
  const first = await create();
  await told(client, first.id, /^Step 9\//);
  const paused = await client.fineTuning.jobs.pause(first.id);
  expect(paused).toMatchObject({ status: 'queued', finished_at: null, estimated_finish: null });
  expect(await fault(client.fineTuning.jobs.pause(first.id))).toMatchObject({
    status: 400,
    code: 'invalid_job_status',
    message: expect.stringMatching(/paused already/),
  });
  // While it is paused, another one has its turn.
  const second = await create();
  expect(await jobWith(client, second.id)).toMatchObject({ status: 'succeeded' });
  expect(openRun(runOf(runs, first.id)).state).toBe('interrupted');
  expect(await client.fineTuning.jobs.retrieve(first.id)).toMatchObject({ status: 'queued' });
  await client.fineTuning.jobs.resume(first.id);
  expect(await fault(client.fineTuning.jobs.resume(first.id))).toMatchObject({
    code: 'invalid_job_status',
    message: expect.stringMatching(/is not paused/),
  });
  expect(await jobWith(client, first.id)).toMatchObject({ status: 'succeeded' });
  const adapter = (id: string) => readFileSync(join(runOf(runs, id), 'adapter/adapter_model.safetensors'));
  expect(adapter(first.id).equals(adapter(second.id))).toBe(true);
  const events = await messages(client, first.id);
  expect(events.filter((message) => /training loss/.test(message))).toHaveLength(96);
  expect(events).toEqual(expect.arrayContaining(['The job was paused; its checkpoint is kept', 'The job goes on']));
});

test('a job that failed goes on once what it failed for is gone', patience, async () => {
  const runs = join(folder, 'failed');
  const models = join(folder, 'failing');
  const { client } = await withJobs({ runs, models: [withCopy(models)] });
  const training_file = await uploaded(client);
  const hyperparameters = { n_epochs: 2, batch_size: 1 };
  const { id } = await client.fineTuning.jobs.create({ model: 'other', training_file, hyperparameters });
  await told(client, id, /^Step 9\//);
  await client.fineTuning.jobs.pause(id);
  const base = join(models, 'other.gguf');
  renameSync(base, `${base}.away`);
  await client.fineTuning.jobs.resume(id);
  const failed = await jobWith(client, id);
  expect(failed).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('other') } });
  renameSync(`${base}.away`, base);
  expect(await client.fineTuning.jobs.resume(id)).toMatchObject({ error: null, finished_at: null });
  expect(await jobWith(client, id)).toMatchObject({ status: 'succeeded', error: null });
  const said = await messages(client, id);
  expect(said.filter((message) => /training loss/.test(message))).toHaveLength(48);
  expect(said).toEqual(
    expect.arrayContaining(['The job goes on', 'The job has successfully completed', failed.error!.message]),
  );
  expect(await fault(client.fineTuning.jobs.resume(id))).toMatchObject({ code: 'invalid_job_status' });
});

test('a job that is cancelled computes no more; what is over cannot be changed', patience, async () => {
  const runs = join(folder, 'cancelled');
  const { client } = await withJobs({ runs });
  const training_file = await uploaded(client);
  const job = await client.fineTuning.jobs.create({ model: 'base', training_file, hyperparameters: long });
  await told(client, job.id, /^Checkpoint created at step 24/);
  expect(await client.fineTuning.jobs.cancel(job.id)).toMatchObject({
    status: 'cancelled',
    fine_tuned_model: null,
    error: null,
  });
  const run = openRun(runOf(runs, job.id));
  while (run.pid !== null) await new Promise((resolve) => setTimeout(resolve, 30));
  // Its checkpoints are models still.
  const [checkpoint] = (await client.fineTuning.jobs.checkpoints.list(job.id)).data;
  const asked = { messages: [{ role: 'user' as const, content: 'number 1' }], max_tokens: 2 };
  const model = checkpoint!.fine_tuned_model_checkpoint;
  expect((await client.chat.completions.create({ model, ...asked })).model).toBe(model);
  expect(await fault(client.chat.completions.create({ model: model.replace(/\d+$/, '1'), ...asked }))).toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
  for (const what of ['cancel', 'pause', 'resume'] as const)
    expect(await fault(client.fineTuning.jobs[what](job.id))).toMatchObject({
      status: 400,
      code: 'invalid_job_status',
      param: 'fine_tuning_job_id',
      message: expect.stringMatching(/has ended \(cancelled\)/),
    });
  for (const what of ['cancel', 'pause', 'resume', 'retrieve'] as const)
    expect(await fault(client.fineTuning.jobs[what]('ftjob-x'))).toMatchObject({
      status: 404,
      code: 'fine_tune_not_found',
    });
});

test('the next server takes up what an earlier one left', patience, async () => {
  const runs = join(folder, 'restarted');
  const first = await withJobs({ runs });
  const training_file = await uploaded(first.client);
  const jobs = [];
  for (const hyperparameters of [{ n_epochs: 4, batch_size: 1 }, quick])
    jobs.push(await first.client.fineTuning.jobs.create({ model: 'base', training_file, hyperparameters }));
  const [running, queued] = jobs.map(({ id }) => id);
  await told(first.client, running!, /^Step 5\//);
  const began = performance.now();
  await first.close();
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(openRun(runOf(runs, running!)).pid).toBeNull();
  const second = await withJobs({ runs });
  const { client } = second;
  expect((await client.files.list()).data.map(({ id }) => id)).toEqual([training_file]);
  expect((await client.fineTuning.jobs.list()).data.map(({ id }) => id)).toEqual([queued, running]);
  for (const id of [running!, queued!]) expect(await jobWith(client, id), id).toMatchObject({ status: 'succeeded' });
  expect((await messages(client, running!)).filter((message) => /training loss/.test(message))).toHaveLength(96);
  await second.close();
  // One that reads the folder of runs but once knows the job's name for its model all the same.
  const third = await withJobs({ runs }, { listMilliseconds: 600_000 });
  const { fine_tuned_model: model } = await third.client.fineTuning.jobs.retrieve(running!);
  expect(await third.client.models.retrieve(model!)).toMatchObject({ id: model });
});

test('jobs are listed in pages and by their metadata', patience, async () => {
  const { client } = await withJobs();
  const training_file = await uploaded(client, rows(9));
  const made = [];
  const metadatas: (Record<string, string> | null)[] = [{ team: 'a b', 'odd "key"': 'x' }, { team: 'c' }, null];
  for (const metadata of metadatas)
    made.unshift((await client.fineTuning.jobs.create({ model: 'base', training_file, metadata })).id);
  const listed = async (query: Parameters<typeof client.fineTuning.jobs.list>[0]): Promise<string[]> => {
    const ids = [];
    for await (const { id } of client.fineTuning.jobs.list(query)) ids.push(id);
    return ids;
  };
  expect(await listed({ limit: 2 })).toEqual(made);
  expect(await listed({ metadata: { team: 'a b' } })).toEqual([made[2]]);
  expect(await listed({ metadata: { team: 'a b', 'odd "key"': 'x' } })).toEqual([made[2]]);
  expect(await listed({ metadata: { team: 'nobody' } })).toEqual([]);
  const withNone = (await client.get('/fine_tuning/jobs?metadata=null')) as { data: { id: string }[] };
  expect(withNone.data.map(({ id }) => id)).toEqual([made[0]]);
  expect(await fault(listed({ after: 'ftjob-x' }))).toMatchObject({ code: 'invalid_value', param: 'after' });
});

const example = (content: string, role = 'assistant') =>
  `${JSON.stringify({
    messages: [
      { role: 'user', content: 'a' },
      { role, content },
    ],
  })}\n`;

test.each([
  ['nine examples', rows(9), 'invalid_n_examples', /at least 10|10 examples/],
  ['a line that is no JSON', `${rows(10)}{"prompt": "a"\n`, 'invalid_training_file', /[Ll]ine 11/],
  [
    'another role',
    rows(0) + example('b').repeat(10) + example('b', 'robot'),
    'invalid_training_file',
    /[Ll]ine 11.*role/,
  ],
  [
    'a special token in a content',
    example('b').repeat(10) + example('<|fim_suffix|>'),
    'invalid_training_file',
    /[Ll]ine 11.*<\|fim_suffix\|>/,
  ],
])('a job with %s fails before it trains, with its line', patience, async (_, text, code, message) => {
  const { client } = await withJobs();
  const job = await client.fineTuning.jobs.create({ model: 'base', training_file: await uploaded(client, text) });
  const failed = await jobWith(client, job.id);
  expect(failed).toMatchObject({
    status: 'failed',
    error: { code, param: 'training_file', message: expect.stringMatching(message) },
  });
  expect((await client.fineTuning.jobs.listEvents(job.id)).data.some((event) => event.level === 'error')).toBe(true);
  expect((await messages(client, job.id)).some((text) => /training loss/.test(text))).toBe(false);
});

type Create = Parameters<Awaited<ReturnType<typeof withJobs>>['client']['fineTuning']['jobs']['create']>[0];
test.each<[string, object, object]>([
  ['an unknown model', { model: 'gpt-9' }, { status: 404, code: 'model_not_found', param: 'model' }],
  ['an unknown file', { training_file: 'file-x' }, { status: 400, code: 'invalid_training_file', param: 'training_file' }],
  ['an unknown validation file', { validation_file: 'file-x' }, { status: 400, code: 'invalid_validation_file', param: 'validation_file' }],
  ['no epochs', { hyperparameters: { n_epochs: 0 } }, { status: 400, code: 'invalid_value', param: 'hyperparameters.n_epochs' }],
  ['51 epochs', { method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 51 } } } }, { status: 400, code: 'invalid_value', param: 'method.supervised.hyperparameters.n_epochs' }],
  ['257 in a batch', { hyperparameters: { batch_size: 257 } }, { status: 400, code: 'invalid_value', param: 'hyperparameters.batch_size' }],
  ['hyperparameters that differ', { hyperparameters: { n_epochs: 1 }, method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 2 } } } }, { status: 400, code: 'invalid_value', param: 'hyperparameters' }],
  ['a beta of 3', { method: { type: 'dpo', dpo: { hyperparameters: { beta: 3 } } } }, { status: 400, code: 'invalid_value', param: 'method.dpo.hyperparameters.beta' }],
  ['a beta too small to train with', { method: { type: 'dpo', dpo: { hyperparameters: { beta: 5e-5 } } } }, { status: 400, code: 'invalid_value', param: 'method.dpo.hyperparameters.beta', message: expect.stringMatching(/from 0\.0001 to 2/) }],
  ['a beta of supervised', { method: { type: 'supervised', supervised: { hyperparameters: { beta: 1 } } } }, { status: 400 }],
  ['a block of the other method', { method: { type: 'dpo', supervised: {} } }, { status: 400, param: 'method.supervised', message: expect.stringMatching(/stands beside the type dpo/) }],
  ['reinforcement', { method: { type: 'reinforcement' } }, { status: 400, param: 'method.type', message: expect.stringMatching(/reinforcement is not supported/) }],
  ['an integration', { integrations: [{ type: 'wandb', wandb: { project: 'p' } }] }, { status: 400, code: 'unsupported_parameter', param: 'integrations' }],
  ['a suffix of 65 characters', { suffix: 'x'.repeat(65) }, { status: 400, code: 'invalid_value', param: 'suffix' }],
  ['a negative seed', { seed: -1 }, { status: 400, code: 'invalid_value', param: 'seed' }],
  ['17 pairs of metadata', { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) }, { status: 400, code: 'invalid_value', param: 'metadata' }],
  ['a parameter nobody knows', { epochs: 3 }, { status: 400, code: 'unknown_parameter', param: 'epochs' }],
])('a job with %s is not created', async (_, given, expected) => {
  const { client } = await withJobs();
  const training_file = await uploaded(client);
  expect(await fault(client.fineTuning.jobs.create({ model: 'base', training_file, ...given } as Create))).toMatchObject(expected);
  expect((await client.fineTuning.jobs.list()).data).toEqual([]);
}); // biome-ignore format: a table

test('a file of another purpose, and one that is deleted before its turn', patience, async () => {
  const runs = join(folder, 'deleted');
  const { client } = await withJobs({ runs });
  const evals = await client.files.create({ file: new File([rows(12)], 'a.jsonl'), purpose: 'evals' });
  expect(await fault(client.fineTuning.jobs.create({ model: 'base', training_file: evals.id }))).toMatchObject({
    code: 'invalid_training_file',
    message: expect.stringMatching(/its purpose is 'evals'/),
  });
  const training_file = await uploaded(client);
  const running = await client.fineTuning.jobs.create({
    model: 'base',
    training_file,
    hyperparameters: { n_epochs: 2, batch_size: 2 },
  });
  await client.files.delete(training_file);
  expect(await fault(client.fineTuning.jobs.create({ model: 'base', training_file }))).toMatchObject({
    code: 'invalid_training_file',
    message: expect.stringMatching(/no such file/),
  });
  // The job has it until its end.
  expect(await jobWith(client, running.id)).toMatchObject({ status: 'succeeded' });
});

test('a job whose base vanishes fails by name, and the next one runs', patience, async () => {
  const models = join(folder, 'vanishing');
  const { client } = await withJobs({ models: [withCopy(models)] });
  const training_file = await uploaded(client);
  const first = await client.fineTuning.jobs.create({ model: 'base', training_file, hyperparameters: long });
  const second = await client.fineTuning.jobs.create({ model: 'other', training_file, hyperparameters: quick });
  await jobWith(client, second.id, 'queued');
  rmSync(join(models, 'other.gguf'));
  await client.fineTuning.jobs.cancel(first.id);
  expect(await jobWith(client, second.id)).toMatchObject({
    status: 'failed',
    error: { code: 'model_not_found', param: 'model' },
  });
  const third = await client.fineTuning.jobs.create({ model: 'base', training_file, hyperparameters: quick });
  expect(await jobWith(client, third.id)).toMatchObject({ status: 'succeeded' });
});

/** A folder with the same model under two names. */
function withCopy(models: string): string {
  mkdirSync(models);
  for (const name of ['base.gguf', 'other.gguf']) writeFileSync(join(models, name), readFileSync(reference));
  return models;
}

test('events come as they happen, and checkpoints have permissions', patience, async () => {
  const { client, url } = await withJobs();
  const job = await client.fineTuning.jobs.create({
    model: 'base',
    training_file: await uploaded(client),
    hyperparameters: quick,
  });
  const streamed = await (await fetch(`${url}/v1/fine_tuning/jobs/${job.id}/events?stream=true`)).text();
  const found = streamed
    .trim()
    .split('\n\n')
    .map((line) => line.replace('data: ', ''));
  expect(found.at(-1)).toBe('[DONE]');
  expect(found.slice(0, -1).map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(
    await messages(client, job.id),
  );
  const [{ fine_tuned_model_checkpoint: checkpoint } = { fine_tuned_model_checkpoint: '' }] = (
    await client.fineTuning.jobs.checkpoints.list(job.id)
  ).data;
  const { permissions } = client.fineTuning.checkpoints;
  const granted = await permissions.create(checkpoint, { project_ids: ['proj_a', 'proj_b'] });
  expect(granted.data.map(({ project_id }) => project_id)).toEqual(['proj_a', 'proj_b']);
  expect((await permissions.list(checkpoint)).data.map(({ project_id }) => project_id)).toEqual(['proj_b', 'proj_a']);
  expect((await permissions.list(checkpoint, { project_id: 'proj_a' })).data).toEqual([granted.data[0]]);
  expect(await permissions.delete(granted.data[0]!.id, { fine_tuned_model_checkpoint: checkpoint })).toMatchObject({
    deleted: true,
  });
  expect((await permissions.list(checkpoint)).data.map(({ project_id }) => project_id)).toEqual(['proj_b']);
  expect(await fault(permissions.create('ft:x', { project_ids: ['a'] }).then())).toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
});

test.skipIf(process.platform === 'win32')(
  'jobs train at the lowest priority unless that is not wanted',
  patience,
  async () => {
    for (const [background, priority] of [[true, 19], [false, 0]] as const) {
    const runs = join(folder, `priority${priority}`);
    const { client } = await withJobs({ runs, background });
    const job = await client.fineTuning.jobs.create({ model: 'base', training_file: await uploaded(client), hyperparameters: long });
    await told(client, job.id, /^Step 1\//);
    expect(getPriority(openRun(runOf(runs, job.id)).pid!)).toBe(priority);
    await client.fineTuning.jobs.cancel(job.id);
  } // biome-ignore format: pairs
  },
);
