/** Answers in JSON over HTTP, by the official client and its helper for zod. */
import type OpenAI from 'openai';
import { BadRequestError } from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { served } from './support.ts';

let client: OpenAI;
beforeAll(async () => {
  ({ client } = await served());
});

const messages = [{ role: 'user' as const, content: 'Who are you? Answer in JSON.' }];
const mini = { model: 'nomoat-mini', messages, temperature: 1, seed: 3 };
const Person = z.object({
  name: z.string().max(12),
  age: z.int().min(0).max(120),
  moods: z.array(z.enum(['good', 'bad'])).max(3),
  note: z.string().max(8).nullable(),
});

test('a schema of zod, parsed by the client', async () => {
  const format = zodResponseFormat(Person, 'person');
  for (const seed of [1, 2, 3]) {
    const answer = await client.chat.completions.parse({ ...mini, seed, response_format: format });
    expect(answer.choices[0]!.finish_reason).toBe('stop');
    expect(Person.parse(answer.choices[0]!.message.parsed)).toEqual(answer.choices[0]!.message.parsed);
  }
});

test('streamed, with several choices and log-probabilities', async () => {
  const asked = { ...mini, n: 2, logprobs: true, response_format: zodResponseFormat(Person, 'person') };
  const whole = (await client.chat.completions.create(asked)).choices;
  const texts = ['', ''];
  for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true }))
    texts[choices[0]!.index] += choices[0]!.delta.content ?? '';
  expect(texts).toEqual(whole.map(({ message }) => message.content));
  for (const text of texts) Person.parse(JSON.parse(text));
  expect(texts[0]).not.toBe(texts[1]);
});

test('any object, on both routes; text is what it was', async () => {
  const object = { type: 'json_object' as const };
  for (const seed of [1, 2, 3, 4]) {
    const { finish_reason, message } = (
      await client.chat.completions.create({ ...mini, seed, response_format: object, max_tokens: 60 })
    ).choices[0]!;
    if (finish_reason === 'stop') expect(JSON.parse(message.content!)).toBeTypeOf('object');
    else expect(message.content).toMatch(/^\{/);
  }
  const format = {
    type: 'json_schema',
    json_schema: { name: 'n', schema: { type: 'integer', minimum: 10, maximum: 99 } },
  };
  const asked: OpenAI.CompletionCreateParamsNonStreaming & object = {
    model: 'nomoat-mini',
    prompt: 'Once',
    ...{ response_format: format },
  };
  expect(JSON.parse((await client.completions.create(asked)).choices[0]!.text)).toBeGreaterThanOrEqual(10);
  const plain = (await client.chat.completions.create(mini)).choices[0]!.message.content;
  const text = (await client.chat.completions.create({ ...mini, response_format: { type: 'text' } })).choices[0]!
    .message.content;
  expect(text).toBe(plain);
});

test('a keyword that cannot be held to is named with its place, before any model is opened', async () => {
  const schema = { type: 'object', properties: { a: { type: 'string', pattern: '^x' } } };
  const asked = client.chat.completions.create({
    ...mini,
    model: 'nomoat-mini',
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
  });
  await expect(asked).rejects.toBeInstanceOf(BadRequestError);
  await expect(asked).rejects.toMatchObject({ param: 'response_format', code: 'invalid_value' });
  await expect(asked).rejects.toThrow('/properties/a/pattern is not supported');
  // Of an answer that is this JSON no part could be a call.
  const tools = [{ type: 'function' as const, function: { name: 'f' } }];
  const both = client.chat.completions.create({ ...mini, tools, response_format: { type: 'json_object' } });
  await expect(both).rejects.toMatchObject({ param: 'response_format', status: 400 });
});
