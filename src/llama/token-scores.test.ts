/** Log-probabilities of answers, held against `score`, which evaluates the answer in one batch, and against the same tokens forced. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnswerToken, GenerateOptions, Model } from '../chat/chat-model.ts';
import { openChatModel } from './chat-engine.ts';

const root = join(import.meta.dirname, '../..');
const messages = [{ role: 'user' as const, content: 'What is your name?' }];
const drawn = { temperature: 1.7, topK: 0, topP: 1, minP: 0, seed: 5, presencePenalty: 1, maxTokens: 16 };
/** Batches of other sizes round otherwise. */
const rounding = 1e-3;

describe.each(['models/nomoat-mini/nomoat-mini.gguf', 'test/fixtures/reference/qwen3/base.gguf'])('%s', (file) => {
  let model: Model;
  beforeAll(async () => {
    model = await openChatModel({ modelPath: join(root, file), threads: 1 });
  });
  afterAll(() => model.close());
  const ask = (options: GenerateOptions) => model.generate(messages, options);

  test.each([{ temperature: 0, maxTokens: 12 }, drawn])('are those of the model itself, and the answer is the same: %j', async (options) => {
    const plain = await ask(options);
    expect(plain.logProbabilities).toBeUndefined();
    const heard: AnswerToken[] = [];
    const answer = await ask({ ...options, logProbabilities: 5, onToken: (token) => heard.push(token) });
    expect(answer.text).toBe(plain.text);
    const tokens = answer.logProbabilities!;
    expect(heard).toEqual(tokens);
    expect(tokens.length).toBe(answer.tokens + (answer.stopReason === 'end-of-turn' ? 1 : 0));
    expect(tokens.map(({ endsAnswer }) => endsAnswer).indexOf(true)).toBe(answer.stopReason === 'end-of-turn' ? answer.tokens : -1);
    // The reference models have tokens that stand for nothing.
    const said = tokens.filter(({ endsAnswer, text }) => !endsAnswer && !text.startsWith('<unused'));
    if (said.length === answer.tokens) expect(Buffer.concat(said.map(({ bytes }) => bytes)).toString()).toBe(answer.text);
    for (const { alternatives, id, logProbability } of tokens) {
      expect(alternatives).toHaveLength(5);
      expect([...alternatives].sort((a, b) => b.logProbability - a.logProbability)).toEqual(alternatives);
      const same = alternatives.find((each) => each.id === id);
      if (same) expect(same.logProbability).toBe(logProbability);
      else expect(logProbability).toBeLessThanOrEqual(alternatives[4]!.logProbability);
      if (options.temperature === 0) expect(alternatives[0]!.id).toBe(id);
    }
  }); // biome-ignore format: a table

  test('an alternative has the log-probability that it has when it is forced', async () => {
    const [first] = (await ask({ temperature: 0, maxTokens: 1, logProbabilities: 20 })).logProbabilities!;
    for (const each of first!.alternatives.slice(1, 4)) {
      const forced = await ask({ temperature: 0, maxTokens: 1, logitBias: { [each.id]: 100 }, logProbabilities: 0 });
      expect(forced.logProbabilities![0]).toMatchObject({ id: each.id, text: each.text, alternatives: [] });
      // A vocabulary is summed up in another order once it is sorted.
      expect(forced.logProbabilities![0]!.logProbability).toBeCloseTo(each.logProbability, 5);
    }
  });

  test('how many there may be', async () => {
    for (const logProbabilities of [-1, 21, 1.5])
      await expect(ask({ logProbabilities })).rejects.toThrow('is no whole number from 0 to 20');
  });
});

test('the same as score gives', async () => {
  await using model = await openChatModel({ modelPath: join(root, 'models/nomoat-mini/nomoat-mini.gguf'), threads: 1 });
  const answer = await model.generate(messages, { temperature: 0, logProbabilities: 0 });
  const score = await model.score([...messages, { role: 'assistant', content: answer.text }]);
  const tokens = answer.logProbabilities!;
  expect(tokens.map(({ id }) => id)).toEqual(score.tokens.slice(0, tokens.length).map(({ id }) => id));
  expect(tokens.length).toBeGreaterThan(5);
  tokens.forEach(({ logProbability }, i) => {
    expect(Math.abs(logProbability - score.tokens[i]!.logProbability)).toBeLessThan(rounding);
  });
});
