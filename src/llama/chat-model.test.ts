/** What a program gets of a model: streams, scores, and several of them at once. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Model } from '../chat/chat-model.ts';
import { resolveSampling } from '../chat/sampling.ts';
import { NomoatError } from '../errors.ts';
import { openModel } from '../library.ts';
import type { Message } from '../text/example.ts';
import { llamaLogProbabilities } from './log-probabilities.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures/reference');
const modelPath = join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf');
const question: Message[] = [{ role: 'user', content: 'What is the capital of France?' }];
const greedy = { temperature: 0, maxTokens: 12 };

let model: Model;
beforeAll(async () => {
  model = await openModel({ model: modelPath });
});
afterAll(() => model.close());

async function piecesOf(stream: AsyncIterable<string>): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}

test('a stream is the answer in pieces, with its usage, for late readers too', async () => {
  const whole = await model.generate(question, greedy);
  const heard: string[] = [];
  const stream = model.stream(question, { ...greedy, onText: (piece) => heard.push(piece) });
  const pieces = await piecesOf(stream);
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.join('')).toBe(whole.text);
  expect(heard).toEqual(pieces);
  expect(await stream.result).toMatchObject({ text: whole.text, tokens: whole.tokens, stopReason: whole.stopReason });
  expect(await piecesOf(stream)).toEqual(pieces);
});

test('leaving the loop ends the generation, aborting it too, and what is wrong is thrown by loop and result', async () => {
  const left = model.stream(question, { ...greedy, maxTokens: 400 });
  for await (const _ of left) break;
  const { stopReason, tokens } = await left.result;
  expect(stopReason).toBe('aborted');
  expect(tokens).toBeLessThan(400);
  const aborted = model.stream(question, { ...greedy, signal: AbortSignal.abort() });
  expect(await piecesOf(aborted)).toEqual([]);
  expect((await aborted.result).stopReason).toBe('aborted');
  for (const wrong of [model.stream([]), model.stream(question, { temperature: -1 })]) {
    await expect(piecesOf(wrong)).rejects.toThrow(NomoatError);
    await expect(wrong.result).rejects.toThrow(NomoatError);
  }
});

test('a score is the log-probability of the answer that training learns, token by token', async () => {
  const { text } = await model.generate(question, { temperature: 0 });
  const asked = (content: string): Message[] => [...question, { role: 'assistant', content }];
  const likely = await model.score(asked(text));
  expect(likely.tokens.every(({ mostLikely }) => mostLikely)).toBe(true);
  expect(likely.promptTokens).toBe(model.promptTokens(question).length);
  expect(
    likely.tokens
      .slice(0, -1)
      .map((token) => token.text)
      .join(''),
  ).toBe(text);
  expect(likely.tokens.at(-1)!.text).toMatch(/^<\|/);
  expect(likely.logProbability).toBeCloseTo(likely.tokens.reduce((sum, { logProbability }) => sum + logProbability, 0));
  const other = await model.score(asked('Purple bicycles.'));
  expect(other.logProbability).toBeLessThan(likely.logProbability);
  // Asked again, and after other conversations, it is the same; and so it is in a context of its own with float32 keys, nearly.
  expect((await model.score(asked(text))).logProbability).toBeCloseTo(likely.logProbability, 4);
  const tokens = Int32Array.from([...model.promptTokens(question), ...other.tokens.map(({ id }) => id)]);
  const supervised = Uint8Array.from(tokens, (_, t) => Number(t >= other.promptTokens));
  const rows = [{ tokens, supervised, source: { file: '', line: 1 } }];
  const [exact] = await llamaLogProbabilities({ modelPath, adapterPath: null, rows, threads: 1 });
  other.tokens.forEach(({ logProbability }, i) => {
    expect(Math.abs(logProbability - exact!.logProbabilities[i]!)).toBeLessThan(0.05);
  });
  // Only the last of several answers counts, however the others are marked.
  const longer = [
    ...asked('Paris.'),
    { role: 'user', content: 'And of Italy?' },
    { role: 'assistant', content: 'Rome.' },
  ];
  expect((await model.score(longer)).tokens.map((token) => token.text).join('')).toMatch(/^Rome\.<\|/);
  await expect(model.score(question)).rejects.toThrow('does not end in an answer');
  await expect(model.score(asked(''.padEnd(90_000, 'word ')))).rejects.toThrow('the context holds');
});

test('two models in one process generate at the same time as each would alone', async () => {
  const alone = await model.generate(question, greedy);
  const other = await openModel({ model: join(fixtures, 'llama/base.gguf'), contextSize: 128 });
  const ask: Message[] = [{ role: 'user', content: 'number 3' }];
  const otherAlone = await other.generate(ask, greedy);
  const [here, there] = await Promise.all([model.generate(question, greedy), other.generate(ask, greedy)]);
  expect([here.text, there.text]).toEqual([alone.text, otherAlone.text]);
  await other[Symbol.asyncDispose]();
  await other.close();
  await expect(other.generate(ask)).rejects.toThrow('is closed');
  await expect(other.stream(ask).result).rejects.toThrow('is closed');
  expect((await model.generate(question, greedy)).text).toBe(alone.text);
});

test('opening can be stopped, and says so', async () => {
  await expect(openModel({ model: modelPath, signal: AbortSignal.abort() })).rejects.toMatchObject({
    kind: 'interrupted',
  });
  const controller = new AbortController();
  const opening = openModel({ model: modelPath, signal: controller.signal });
  controller.abort();
  await expect(opening).rejects.toMatchObject({ kind: 'interrupted' });
  expect(resolveSampling({}).temperature).toBe(0.7);
});
