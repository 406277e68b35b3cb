/** Fine-tuning by the official client: a file goes in, a model that answers comes out, and everything that a script asks between. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toFile } from 'openai';
import { expect, test } from 'vitest';
import { fault, jobWith, messages, rows, uploaded, withJobs } from './job-support.ts';
import { folder } from './support.ts';

test('a script that tunes with the hosted API tunes here', { timeout: 120_000 }, async () => {
  const { client } = await withJobs({ runs: join(folder, 'thin') });
  const file = await client.files.create({
    file: await toFile(Buffer.from(rows(24)), 'train.jsonl'),
    purpose: 'fine-tune',
  });
  expect(file).toMatchObject({
    object: 'file',
    filename: 'train.jsonl',
    purpose: 'fine-tune',
    bytes: rows(24).length,
    status: 'processed',
  });
  expect(await (await client.files.content(file.id)).text()).toBe(rows(24));
  const validation = await client.files.create({
    file: await toFile(Buffer.from(rows(10)), 'valid.jsonl'),
    purpose: 'fine-tune',
  });
  const job = await client.fineTuning.jobs.create({
    model: 'base',
    training_file: file.id,
    validation_file: validation.id,
    suffix: 'even-odd',
    seed: 7,
    metadata: { team: 'a' },
    method: {
      type: 'supervised',
      supervised: { hyperparameters: { n_epochs: 3, batch_size: 4, learning_rate_multiplier: 10 } },
    },
  });
  expect(job).toMatchObject({
    object: 'fine_tuning.job',
    model: 'base',
    status: 'validating_files',
    fine_tuned_model: null,
    seed: 7,
  });
  const done = await jobWith(client, job.id);
  expect(done.error).toBeNull();
  expect(done).toMatchObject({
    status: 'succeeded',
    hyperparameters: { n_epochs: 3, batch_size: 4, learning_rate_multiplier: 10 },
  });
  expect(done.fine_tuned_model).toMatch(/^ft:base:nomoat:even-odd:[0-9a-f]{8}$/);
  const csv = await (await client.files.content(done.result_files[0]!)).text();
  expect(csv.split('\n')[0]).toBe(
    'step,train_loss,train_accuracy,train_mean_token_accuracy,valid_loss,valid_mean_token_accuracy,full_valid_loss,full_valid_mean_token_accuracy',
  );
  expect(csv.trim().split('\n')).toHaveLength(19);
  const checkpoints = (await client.fineTuning.jobs.checkpoints.list(job.id)).data;
  expect(checkpoints.map(({ step_number }) => step_number)).toEqual([18, 12, 6]);
  expect(checkpoints.every(({ metrics }) => metrics.valid_loss! > 0 && metrics.train_loss! > 0)).toBe(true);
  const messages = [{ role: 'user' as const, content: 'number 3' }];
  const answers = [];
  for (const model of [done.fine_tuned_model!, ...checkpoints.map((each) => each.fine_tuned_model_checkpoint)]) {
    const { choices } = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 8 });
    answers.push(choices[0]!.message.content);
  }
  expect(new Set(answers).size).toBeGreaterThan(1);
  const events = [];
  for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 5 })) events.push(event);
  expect(readFileSync(join(folder, 'thin', `even-odd-${job.id.slice(-8)}`, 'run.json'), 'utf8')).toContain('"done"');
});

const quick = { n_epochs: 1, batch_size: 8 } as const;

test('hyperparameters are chosen where they are auto, and may be given in the older form', {
  timeout: 120_000,
}, async () => {
  const { client } = await withJobs();
  const training_file = await uploaded(client);
  const auto = await client.fineTuning.jobs.create({ model: 'base', training_file });
  expect(auto).toMatchObject({
    hyperparameters: { n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto' },
    validation_file: null,
    metadata: null,
  });
  expect(auto.seed).toBeGreaterThanOrEqual(0);
  const older = await client.fineTuning.jobs.create({ model: 'base', training_file, hyperparameters: quick });
  const done = await jobWith(client, older.id);
  expect(done).toMatchObject({ status: 'succeeded', hyperparameters: { ...quick, learning_rate_multiplier: 1 } });
  expect(done.fine_tuned_model).toMatch(/^ft:base:nomoat::[0-9a-f]{8}$/);
  expect(done.trained_tokens).toBeGreaterThan(24);
  expect(done.finished_at).toBeGreaterThanOrEqual(done.created_at);
  expect(await jobWith(client, auto.id)).toMatchObject({
    status: 'succeeded',
    hyperparameters: { n_epochs: 6, batch_size: 4, learning_rate_multiplier: 1 },
  });
  // What was made can be trained on, and deleted.
  const onward = await client.fineTuning.jobs.create({
    model: done.fine_tuned_model!,
    training_file,
    hyperparameters: quick,
  });
  const further = await jobWith(client, onward.id);
  expect(further).toMatchObject({ status: 'succeeded', model: done.fine_tuned_model });
  expect(await messages(client, onward.id)).toContainEqual(
    expect.stringMatching(/rank 8|initial adapter|Training base/),
  );
  expect(await client.models.delete(further.fine_tuned_model!)).toMatchObject({ deleted: true, object: 'model' });
  expect(await fault(client.models.retrieve(further.fine_tuned_model!))).toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
  expect(await fault(client.models.delete('base'))).toMatchObject({ status: 403, code: 'model_not_deletable' });
});

test('names of hosted models stand for local ones where they are mapped', { timeout: 120_000 }, async () => {
  const { client } = await withJobs({ map: ['gpt-4.1-mini=base'] });
  const model = 'gpt-4.1-mini-2025-04-14';
  const job = await client.fineTuning.jobs.create({
    model,
    training_file: await uploaded(client),
    hyperparameters: quick,
  });
  expect(job.model).toBe(model);
  expect(await jobWith(client, job.id)).toMatchObject({
    status: 'succeeded',
    fine_tuned_model: expect.stringMatching(/^ft:base:/),
  });
  expect((await messages(client, job.id))[1]).toBe(`The model '${model}' is here base, which is what is trained.`);
  const answer = await client.chat.completions.create({
    model: 'gpt-4.1-mini',
    messages: [{ role: 'user', content: 'a' }],
    max_tokens: 2,
  });
  expect(answer.model).toBe('gpt-4.1-mini');
  expect(await fault(client.models.retrieve('gpt-4.1'))).toMatchObject({ code: 'model_not_found' });
});

test.each([
  [{ map: ['gpt-4.1'] }, /`map`: "gpt-4.1" is no NAME=MODEL/],
  [{ map: ['gpt-4.1=bas'] }, /`map`: gpt-4.1 stands for bas, which is no model of this machine.*Did you mean base/],
  [{ map: ['a=base', 'a=base'] }, /`map`: a stands there twice/],
  [{ origins: ['http://localhost:5173/'] }, /`origins`: "http:\/\/localhost:5173\/" is no origin/],
  [{ trainingJobs: 0 }, /`trainingJobs`/],
])('%o is refused before the server starts', async (options, message) => {
  await expect(withJobs(options)).rejects.toThrow(message);
});

test('web pages may ask where their origin is listed', async () => {
  const { url } = await withJobs({ origins: ['http://localhost:5173'] });
  const ask = (origin: string, method = 'GET') =>
    fetch(`${url}/v1/models`, {
      method,
      headers: { Origin: origin, ...(method === 'OPTIONS' ? { 'Access-Control-Request-Method': 'GET' } : {}) },
    });
  const allowed = await ask('http://localhost:5173');
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, 'http://localhost:5173']);
  expect((await ask('http://localhost:5173', 'OPTIONS')).status).toBe(204);
  expect((await ask(url)).status).toBe(200);
  for (const origin of ['http://localhost:5174', 'https://evil.example', 'null']) {
    const refused = await ask(origin);
    expect([refused.status, refused.headers.get('access-control-allow-origin')], origin).toEqual([403, null]);
    expect(await refused.json()).toMatchObject({ error: { code: 'origin_not_allowed' } });
  }
});
