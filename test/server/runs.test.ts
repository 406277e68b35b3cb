/** Runs as models: listed when they are finished, answered with their adapter, under both of their names. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotFoundError } from 'openai';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources';
import { expect, test } from 'vitest';
import { openModel, tune } from '../../src/index.ts';
import { writeRows } from '../cases/support.ts';
import { folder, reference, served } from './support.ts';

const runs = join(folder, 'runs');
const data = writeRows(
  join(folder, 'data.jsonl'),
  Array.from({ length: 8 }, (_, i) => ({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' })),
);
const messages = [{ role: 'user' as const, content: 'number 3' }];

/** A run whose adapter makes a difference that can be seen. */
const tuned = (name: string) =>
  tune({ data, model: reference, threads: 1, maxSteps: 6, warmupSteps: 0, learningRate: 0.05, run: join(runs, name) })
    .result;

/** As if the run had ended otherwise. */
function endAs(name: string, state: string): void {
  const path = join(runs, name, 'run.json');
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), state }));
}

test('a run that ends is a model without a restart', { timeout: 120_000 }, async () => {
  const { client } = await served({ runs }, { listMilliseconds: 0 });
  const names = async (): Promise<string[]> => (await client.models.list()).data.map(({ id }) => id);
  expect(await names()).toEqual(['nomoat-mini']);
  await tuned('even odd:1');
  await tuned('other');
  const [, id = '', other = ''] = await names();
  expect(id).toMatch(/^ft:base:nomoat:even-odd-1:[0-9a-f]{8}$/);
  expect(other).toMatch(/^ft:base:nomoat:other:[0-9a-f]{8}$/);
  expect(await client.models.retrieve(id)).toMatchObject({ parent: 'base', root: 'base', owned_by: 'nomoat' });
  expect(await client.models.retrieve('other')).toMatchObject({ id: other });

  const ask = async (model: string) => {
    const answer = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 8 });
    expect(answer.model).toBe(model);
    return answer.choices[0]!.message.content;
  };
  await using run = await openModel({ model: join(runs, 'other') });
  await using base = await openModel({ model: reference });
  const [trained, untrained] = [
    await run.generate(messages, { temperature: 0, maxTokens: 8 }),
    await base.generate(messages, { temperature: 0, maxTokens: 8 }),
  ];
  expect(trained.text).not.toBe(untrained.text);
  expect([await ask(other), await ask('other')]).toEqual([trained.text, trained.text]);

  // Beside the model: an adapter by its run, as strong as is asked, on its own base only.
  const withLora = async (model: string, ...lora: readonly { id: string; scale?: number }[]) =>
    (
      await client.chat.completions.create({
        model,
        messages,
        temperature: 0,
        max_tokens: 8,
        lora,
      } as ChatCompletionCreateParamsNonStreaming)
    ).choices[0]!.message.content;
  expect(await withLora(other, { id: 'other', scale: 0 })).toBe(untrained.text);
  expect(await withLora(id, { id, scale: 0 }, { id: other })).toBe(trained.text);
  for (const [lora, expected] of [
    [{ id: 'nomoat-mini' }, { status: 400, param: 'lora[0].id' }],
    [{ id: 'anothr' }, { status: 404, param: 'lora[0].id', code: 'model_not_found' }],
  ] as const)
    await expect(withLora(other, lora)).rejects.toMatchObject(expected);
  await expect(withLora('nomoat-mini', { id: other })).rejects.toMatchObject({ status: 400, param: 'lora[0].id' });

  for (const state of ['diverged', 'proof-failed', 'failed', 'running']) {
    endAs('other', state);
    expect(await names(), state).toEqual(['nomoat-mini', id]);
    await expect(ask('other'), state).rejects.toBeInstanceOf(NotFoundError);
  }
  endAs('other', 'stopped-early');
  expect(await names()).toEqual(['nomoat-mini', id, other]);
});
