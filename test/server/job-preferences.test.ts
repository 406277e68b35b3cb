/** Learning from preferences by the official client: pairs go in, a model comes out, accuracy and margin between. */
import { expect, test } from 'vitest';
import { jobWith, messages, uploaded, withJobs } from './job-support.ts';

const said = (content: string) => [{ role: 'assistant', content }];
const pair = (i: number): object => ({
  input: { messages: [{ role: 'user', content: `number ${i}` }] },
  preferred_output: said(i % 2 ? 'odd' : 'even'),
  non_preferred_output: said('no idea'),
});
const pairs = (count: number): string =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify(pair(i))}\n`).join('');

test('a job of the method dpo', { timeout: 120_000 }, async () => {
  const { client } = await withJobs();
  const [training_file, validation_file] = [await uploaded(client, pairs(16)), await uploaded(client, pairs(10))];
  const hyperparameters = { n_epochs: 2, batch_size: 4, learning_rate_multiplier: 100, beta: 0.5 } as const;
  const job = await client.fineTuning.jobs.create({
    model: 'base',
    training_file,
    validation_file,
    method: { type: 'dpo', dpo: { hyperparameters } },
  });
  expect(job).toMatchObject({ status: 'validating_files', method: { type: 'dpo', dpo: { hyperparameters } } });
  const done = await jobWith(client, job.id);
  expect(done).toMatchObject({ status: 'succeeded', error: null, method: { type: 'dpo', dpo: { hyperparameters } } });
  expect(done.hyperparameters).toEqual({ n_epochs: 2, batch_size: 4, learning_rate_multiplier: 100 });
  const csv = (await (await client.files.content(done.result_files[0]!)).text()).trim().split('\n');
  const names = csv[0]!.split(',');
  expect(names.slice(-3)).toEqual(['valid_accuracy', 'train_margin', 'valid_margin']);
  const last = Object.fromEntries(
    csv
      .at(-1)!
      .split(',')
      .map((value, i) => [names[i], value]),
  );
  expect([last.step, last.valid_accuracy]).toEqual(['8', '1']);
  expect(Number(last.valid_margin)).toBeGreaterThan(0.01);
  expect((await messages(client, job.id)).join('\n')).toMatch(/Step 8\/8: validation loss=[\d.]+, accuracy=1\.0000/);
  const { choices } = await client.chat.completions.create({
    model: done.fine_tuned_model!,
    messages: [{ role: 'user', content: 'number 1' }],
    max_tokens: 2,
  });
  expect(choices).toHaveLength(1);
});

test('files are held against the method, by line; what is auto is chosen', { timeout: 120_000 }, async () => {
  const { client } = await withJobs();
  const equal = { ...pair(3), non_preferred_output: said('odd') };
  const broken = await uploaded(
    client,
    `${pairs(11)}${JSON.stringify(equal)}\n${JSON.stringify({ ...pair(4), preferred_output: [] })}\n`,
  );
  const method = { type: 'dpo' } as const;
  const failed = await jobWith(
    client,
    (await client.fineTuning.jobs.create({ model: 'base', training_file: broken, method })).id,
  );
  expect(failed).toMatchObject({
    status: 'failed',
    error: {
      code: 'invalid_training_file',
      param: 'training_file',
      message: expect.stringMatching(/Line 12 cannot be learnt from: both answers are equal/),
    },
  });
  expect((await messages(client, failed.id)).join('\n')).toMatch(/Line 13, .*preferred_output/);
  const wrong = await jobWith(
    client,
    (await client.fineTuning.jobs.create({ model: 'base', training_file: await uploaded(client), method })).id,
  );
  expect(wrong.error!.message).toMatch(/is in the format completion, and preference is wanted/);
  const auto = await client.fineTuning.jobs.create({
    model: 'base',
    training_file: await uploaded(client, pairs(12)),
    method,
  });
  expect(auto.method).toEqual({
    type: 'dpo',
    dpo: { hyperparameters: { n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto', beta: 'auto' } },
  });
  expect((await jobWith(client, auto.id)).method).toMatchObject({
    dpo: { hyperparameters: { n_epochs: 1, beta: 0.1, learning_rate_multiplier: 1 } },
  });
});
