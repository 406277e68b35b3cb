/** Answers in JSON of models that know none: what ends by itself is JSON that the schema admits, however unlikely the model holds it. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Model } from '../chat/chat-model.ts';
import type { JsonSchema } from '../settings/json-schema.ts';
import { openChatModel } from './chat-engine.ts';

const root = join(import.meta.dirname, '../..');
const small = { type: 'string', maxLength: 8 };
const person: JsonSchema = {
  type: 'object',
  properties: {
    name: small,
    age: { type: 'integer', minimum: 0, maximum: 120 },
    mood: { enum: ['good', 'bad'] },
    tags: { type: 'array', items: small, maxItems: 3 },
    note: { anyOf: [small, { type: 'null' }] },
  },
  required: ['name', 'age', 'tags'],
  additionalProperties: false,
};

describe.each(['models/nomoat-mini/nomoat-mini.gguf', 'test/fixtures/reference/llama/base.gguf', 'test/fixtures/reference/qwen3/base.gguf'])('%s', (file) => {
  let model: Model;
  beforeAll(async () => {
    model = await openChatModel({ modelPath: join(root, file), threads: 1 });
  });
  afterAll(() => model.close());
  const messages = [{ role: 'user' as const, content: 'Who are you?' }];

  test('a schema is held to, at every temperature', async () => {
    const admits = z.fromJSONSchema({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...person });
    let whole = 0;
    for (const temperature of [0, 1, 5])
      for (const seed of [1, 2, 3]) {
        const options = { temperature, seed, topK: 0, topP: 1, minP: 0, jsonSchema: person };
        const { stopReason, text } = await model.generate(messages, options);
        // Everything in it is bounded: it has to end.
        expect(stopReason, text).toBe('end-of-turn');
        const { error } = admits.safeParse(JSON.parse(text));
        // Bytes that are no character are several where they are shown, and one to llama.cpp.
        if (text.includes('\uFFFD')) continue;
        expect(error?.issues, text).toBeUndefined();
        whole++;
      }
    expect(whole).toBeGreaterThan(1);
  });

  test('any JSON is JSON where it ends, and white space never fills the context', async () => {
    for (let seed = 0; seed < 8; seed++) {
      const { stopReason, text } = await model.generate(messages, { temperature: 3, seed, topK: 0, topP: 1, minP: 0, maxTokens: 80, jsonSchema: { type: 'object' } });
      if (stopReason === 'end-of-turn') expect(JSON.parse(text), text).toBeTypeOf('object');
      else expect(text).toMatch(/^\{/);
    }
    // Of a model that wants nothing but line ends and spaces.
    const blank = Object.fromEntries([' ', '\n', '\t', '  '].flatMap((each) => model.tokenize(each)).map((id) => [id, 100]));
    const spaced = await model.generate(messages, { temperature: 0, logitBias: blank, jsonSchema: { type: 'array', items: { const: 1 }, minItems: 3, maxItems: 3 } });
    expect(spaced.stopReason).toBe('end-of-turn');
    expect(JSON.parse(spaced.text)).toEqual([1, 1, 1]);
    expect(spaced.text.length).toBeLessThan(150);
  });

  test('with log-probabilities of the model itself, and the same answer', async () => {
    const options = { temperature: 0, maxTokens: 12, jsonSchema: person };
    const [plain, scored] = [await model.generate(messages, options), await model.generate(messages, { ...options, logProbabilities: 1 })];
    expect(scored.text).toBe(plain.text);
    // It would not have said a brace.
    expect(scored.logProbabilities![0]!.alternatives[0]!.id).not.toBe(scored.logProbabilities![0]!.id);
  });
}); // biome-ignore format: files

test('a keyword that cannot be held to is refused', async () => {
  await using model = await openChatModel({ modelPath: join(root, 'models/nomoat-mini/nomoat-mini.gguf'), threads: 1 });
  const asked = model.continue('x', { jsonSchema: { type: 'string', pattern: 'a' } });
  await expect(asked).rejects.toThrow('`jsonSchema`: /pattern is not supported');
  expect((await model.continue('x', { temperature: 0, maxTokens: 2 })).tokens).toBeGreaterThan(0);
});
