/** Fine-tuning by the official client: a file goes in, a model that answers comes out, and everything that a script asks between. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type OpenAI from 'openai';
import { toFile } from 'openai';
import { expect, test } from 'vitest';
import { folder, reference, served } from './support.ts';

const rows = (count: number): string =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' })}\n`).join(''); // biome-ignore format: one line

/** Resolves with the job once it has ended. */
async function ended(client: OpenAI, id: string): Promise<OpenAI.FineTuning.FineTuningJob> {
  for (;;) {
    const job = await client.fineTuning.jobs.retrieve(id);
    if (['succeeded', 'failed', 'cancelled'].includes(job.status)) return job;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a script that tunes with the hosted API tunes here', { timeout: 120_000 }, async () => {
  const { client } = await served({ runs: join(folder, 'thin'), models: [join(reference, '..')] }, { listMilliseconds: 0 }); // biome-ignore format: one line
  const file = await client.files.create({ file: await toFile(Buffer.from(rows(24)), 'train.jsonl'), purpose: 'fine-tune' }); // biome-ignore format: one line
  expect(file).toMatchObject({ object: 'file', filename: 'train.jsonl', purpose: 'fine-tune', bytes: rows(24).length, status: 'processed' }); // biome-ignore format: one line
  expect(await (await client.files.content(file.id)).text()).toBe(rows(24));
  const validation = await client.files.create({ file: await toFile(Buffer.from(rows(10)), 'valid.jsonl'), purpose: 'fine-tune' }); // biome-ignore format: one line
  const job = await client.fineTuning.jobs.create({
    model: 'base',
    training_file: file.id,
    validation_file: validation.id,
    suffix: 'even-odd',
    seed: 7,
    metadata: { team: 'a' },
    method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 3, batch_size: 4, learning_rate_multiplier: 10 } } }, // biome-ignore format: one line
  });
  expect(job).toMatchObject({ object: 'fine_tuning.job', model: 'base', status: 'validating_files', fine_tuned_model: null, seed: 7 }); // biome-ignore format: one line
  const done = await ended(client, job.id);
  expect(done.error).toBeNull();
  expect(done).toMatchObject({ status: 'succeeded', hyperparameters: { n_epochs: 3, batch_size: 4, learning_rate_multiplier: 10 } }); // biome-ignore format: one line
  expect(done.fine_tuned_model).toMatch(/^ft:base:nomoat:even-odd:[0-9a-f]{8}$/);
  const csv = await (await client.files.content(done.result_files[0]!)).text();
  expect(csv.split('\n')[0]).toBe('step,train_loss,train_accuracy,train_mean_token_accuracy,valid_loss,valid_mean_token_accuracy,full_valid_loss,full_valid_mean_token_accuracy'); // biome-ignore format: one line
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
