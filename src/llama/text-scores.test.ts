/** Log-probabilities of texts, held against PyTorch's frozen ones by way of `score`, and against themselves however they are computed. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenChatModel, openChatModel } from './chat-engine.ts';

const modelPath = join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf');
const open = (more: object = {}) => openChatModel({ modelPath, threads: 1, ...more });
let model: OpenChatModel;
beforeAll(async () => {
  model = await open();
});
afterAll(() => model.close());

/** A prompt that is answered is evaluated in larger batches, which round otherwise. */
const rounding = 1e-3;
const story = `Once upon a time there was a cat. ${'It saw a dog, and it ran. '.repeat(12)}`;

test('of an answer, those of score', async () => {
  const messages = [
    { role: 'user' as const, content: 'What is your name?' },
    { role: 'assistant' as const, content: 'My name is Tom.' },
  ];
  const score = await model.score(messages);
  const ids = [...model.promptTokens(messages.slice(0, 1)), ...score.tokens.map(({ id }) => id)];
  const { tokens } = await model.scoreText(ids, { alternatives: 1 });
  const answer = tokens.slice(-score.tokens.length);
  answer.forEach(({ alternatives, id, logProbability }, i) => {
    expect(Math.abs(logProbability! - score.tokens[i]!.logProbability)).toBeLessThan(rounding);
    expect(alternatives[0]!.id === id).toBe(score.tokens[i]!.mostLikely);
  });
});

test('a text and its tokens alike, placed, with the likeliest beside each', async () => {
  const text = 'The cat said "né 😀" <|im_end|> and left.';
  const score = await model.scoreText(text, { alternatives: 4 });
  expect(score.text).toBe(text);
  expect(Buffer.concat(score.tokens.map(({ bytes }) => bytes)).toString()).toBe(text);
  for (const [i, { alternatives, offset, text: own }] of score.tokens.entries()) {
    if (!own.includes('\uFFFD')) expect(text.slice(offset, offset + own.length)).toBe(own);
    expect(alternatives).toHaveLength(i === 0 ? 0 : 4);
  }
  const ids = model.tokenize(text);
  expect(score.tokens.map(({ id }) => id)).toEqual(ids);
  expect(model.detokenize(ids)).toBe(text);
  const same = await model.scoreText(ids, { alternatives: 4 });
  expect(same).toEqual({ ...score, reusedTokens: ids.length - 1 });
});

test('in several batches as token by token, bit for bit', async () => {
  const score = await model.scoreText(story);
  expect(score.tokens.length).toBeGreaterThan(110);
  const ids = score.tokens.map(({ id }) => id);
  for (const at of [3, 31, 40, 100]) {
    await using fresh = await open();
    await fresh.scoreText(ids.slice(0, at));
    const forced = { logitBias: { [ids[at]!]: 100 }, logProbabilities: 0, temperature: 0, maxTokens: 1 };
    const { logProbabilities, reusedTokens } = await fresh.continue(ids.slice(0, at), forced);
    // Nothing is evaluated anew but the last token of the prompt.
    expect(reusedTokens).toBe(at - 1);
    expect(logProbabilities![0]).toMatchObject({ id: ids[at], logProbability: score.tokens[at]!.logProbability });
  }
});

test('what texts share is not computed again, and nothing is wrong for it', async () => {
  await using fresh = await open();
  const ends = ['The end.', 'The cat', 'A dog came by, and it ran too.'];
  const shared = model.tokenize(story).length;
  for (const [i, end] of ends.entries()) {
    const score = await model.scoreText(story + end, { alternatives: 2 });
    if (i > 0) expect(score.reusedTokens).toBeGreaterThan(shared - 3);
    await fresh.scoreText(`${i} ${story}`);
    const anew = await fresh.scoreText(story + end, { alternatives: 2 });
    expect(anew.reusedTokens).toBe(0);
    expect(score.tokens).toEqual(anew.tokens);
  }
  // More alternatives than before are not known yet; fewer are.
  expect((await model.scoreText(story + ends[2], { alternatives: 3 })).reusedTokens).toBe(0);
  const fewer = await model.scoreText(story + ends[2], { alternatives: 1 });
  expect(fewer.reusedTokens).toBe(fewer.tokens.length - 1);
  expect(fewer.tokens.at(-1)!.alternatives).toHaveLength(1);
  // An answer to it begins at once. What comes between, the same tokens in larger batches too, leaves the values as they are.
  const answer = await model.continue(story + ends[2], { temperature: 0, maxTokens: 3 });
  expect(answer.reusedTokens).toBe(answer.promptTokens - 1);
  const before = await model.scoreText(story);
  await model.continue('Hello', { temperature: 0, maxTokens: 1 });
  await model.continue(story, { temperature: 0, maxTokens: 1 });
  expect((await model.scoreText(story)).tokens).toEqual(before.tokens);
});

test('several at once', async () => {
  await using many = await open({ sequences: 3 });
  const texts = ['One day', 'A boy and a girl', story, 'The sun was hot'];
  const together = await Promise.all(texts.map((text) => many.scoreText(text)));
  for (const [i, text] of texts.entries()) expect(together[i]!.tokens).toEqual((await model.scoreText(text)).tokens);
});

test('a single token, tokens that are none, a text that does not fit, and a stop', async () => {
  expect((await model.scoreText([5])).tokens).toMatchObject([{ id: 5, logProbability: null, offset: 0 }]);
  for (const wrong of [[], [-1], [1, 2048], [1.5], [Number.NaN]])
    await expect(model.scoreText(wrong), JSON.stringify(wrong)).rejects.toMatchObject({ code: 'invalid-settings' });
  await expect(model.continue([5000])).rejects.toThrow('has the token 5000');
  await using small = await open({ contextSize: 32 });
  await expect(small.scoreText(story)).rejects.toMatchObject({ code: 'context-full', fields: { contextSize: 32 } });
  await expect(model.scoreText(`1 ${story}`, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    kind: 'interrupted',
  });
  await expect(model.scoreText('x', { alternatives: 21 })).rejects.toThrow('`alternatives`');
});
