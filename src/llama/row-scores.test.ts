/** Many rows scored at once, held against scoreText and score, which evaluate one after the other. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RowScore, ScoreRow } from '../chat/score-row.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { type OpenChatModel, openChatModel } from './chat-engine.ts';
import { groupsOf, stepsOf } from './row-groups.ts';

const modelPath = join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf');
const open = (sequences = 4, more: object = {}) => openChatModel({ modelPath, threads: 1, sequences, ...more });
let model: OpenChatModel;
beforeAll(async () => {
  model = await open();
});
afterAll(() => model.close());

const stories = [
  'Once upon a time there was a cat.',
  `One day Tom went to the park. ${'He saw a dog, and it ran. '.repeat(9)}Then`,
  'The sun was',
];
const ends = [
  ' hot.',
  ' hot and the cat slept',
  ' a',
  ' a dog',
  ' The end. It was a very long day for the cat and for the dog, and all were happy.',
];
const rows: ScoreRow[] = stories.flatMap((prompt) => ends.map((continuation) => ({ prompt, continuation })));

/** Of the tokens behind the prompt's, by scoreText. */
async function alone(of: OpenChatModel, prompt: string, continuation: string): Promise<number[]> {
  const { tokens } = await of.scoreText(prompt + continuation);
  return tokens.slice(of.tokenize(prompt.trimEnd()).length).map(({ logProbability }) => logProbability!);
}

test('continuations have the values of scoreText, bit for bit, on any number of sequences and after anything else', async () => {
  const expected: number[][] = [];
  for (const prompt of stories) for (const end of ends) expected.push(await alone(model, prompt, end));
  for (const sequences of [1, 2, 7]) {
    await using other = await open(sequences);
    // What stands in a sequence already was evaluated in larger batches.
    await other.continue(stories[1]!, { temperature: 0, maxTokens: 2 });
    const scores = await other.scoreRows(rows);
    expect(
      scores.map((score) => score!.logProbabilities),
      `${sequences}`,
    ).toEqual(expected);
    expect(scores.map((score) => score!.logProbability)).toEqual(expected.map((all) => all.reduce((a, b) => a + b, 0)));
    const backwards = (await other.scoreRows(rows.toReversed())).toReversed();
    expect(backwards).toEqual(scores);
  }
});

test('answers have the tokens and values of score, the end of the turn among them', async () => {
  const messages = [{ role: 'user' as const, content: 'What is your name?' }];
  const answers = ['My name is Tom.', 'My name is Lily.', 'I am a cat.'];
  const scores = await model.scoreRows(answers.map((answer) => ({ messages, answer })));
  for (const [i, answer] of answers.entries()) {
    const { tokens } = await model.score([...messages, { role: 'assistant', content: answer }]);
    expect(scores[i]!.logProbabilities).toEqual(tokens.map(({ logProbability }) => expect.closeTo(logProbability, 2)));
    expect(scores[i]!.mostLikely).toBe(tokens.every(({ mostLikely }) => mostLikely));
  }
  // A prompt and its answer are what `tune` makes of them: a question of the user's.
  expect(await model.scoreRows(answers.map((answer) => ({ prompt: messages[0]!.content, answer })))).toEqual(scores);
  const greedy = await model.generate(messages, { temperature: 0 });
  const [given, other] = await model.scoreRows([
    { messages, answer: greedy.text },
    { messages, answer: `${greedy.text}!` },
  ]);
  expect([given!.mostLikely, other!.mostLikely]).toEqual([true, false]);
});

test('white space at the end of a prompt counts to the continuation, and an empty prompt is the beginning of a text', async () => {
  const [behind, before] = await model.scoreRows([
    { prompt: 'The cat ', continuation: 'ran' },
    { prompt: 'The cat', continuation: ' ran' },
  ]);
  expect(behind).toEqual(before);
  const [first, ids] = await model.scoreRows([
    { prompt: '', continuation: 'One day' },
    { prompt: model.tokenize('The cat'), continuation: ' ran' },
  ]);
  expect(first!.logProbabilities).toHaveLength(model.tokenize('One day', { addBos: false }).length);
  expect(ids).toEqual(before);
});

test('rows are told as they come; what does not fit is null; it can be stopped and goes on beside answers', async () => {
  const told = new Map<number, RowScore>();
  const scores = await model.scoreRows(rows, { onRow: (index, score) => told.set(index, score) });
  expect([...told].sort(([a], [b]) => a - b).map(([, score]) => score)).toEqual(scores);
  await using small = await open(2, { contextSize: 48 });
  const some = await small.scoreRows(rows);
  expect(some.map((score) => score === null)).toEqual(rows.map((_, i) => Math.floor(i / ends.length) === 1));
  const stop = new AbortController();
  let heard = 0;
  const stopped = model.scoreRows(
    [...rows, ...rows.map((row) => ({ ...row, prompt: `1 ${'prompt' in row ? row.prompt : ''}` }) as ScoreRow)],
    {
      signal: stop.signal,
      onRow: () => {
        heard++;
        stop.abort();
      },
    },
  );
  await expect(stopped).rejects.toMatchObject({ kind: 'interrupted' });
  expect(heard).toBeGreaterThan(0);
  const question = [{ role: 'user' as const, content: 'Tell me a story.' }];
  const quiet = await model.generate(question, { temperature: 0, maxTokens: 20 });
  const [answer, beside] = await Promise.all([
    model.generate(question, { temperature: 0, maxTokens: 20 }),
    model.scoreRows(rows),
  ]);
  expect([answer.text, beside]).toEqual([quiet.text, scores]);
  expect(await model.scoreRows([])).toEqual([]);
});

describe('what rows share', () => {
  const row = (tokens: number[], from: number): TokenRow => ({
    tokens: Int32Array.from(tokens),
    supervised: Uint8Array.from(tokens, (_, t) => (t >= from ? 1 : 0)),
    source: { file: '', line: 1 },
  });
  const placed = (all: TokenRow[]) => all.map((each, index) => ({ index, row: each }));

  test('is evaluated once, and asked there for all next tokens; nothing is evaluated behind the last one', () => {
    const steps = stepsOf(placed([row([1, 2, 3, 7, 8], 3), row([1, 2, 3, 7], 3), row([1, 2, 3, 5], 3)]));
    expect(steps.map(({ index }) => index)).toEqual([2, 1, 0]);
    expect(steps.map(({ length, shared }) => [shared, length])).toEqual([[0, 3], [3, 4], [4, 4]]); // biome-ignore format: pairs
    expect(steps.map(({ wanted }) => [...wanted])).toEqual([[[2, [5, 7]]], [[3, [8]]], []]); // biome-ignore format: pairs
    const evaluated = steps.reduce((sum, { length, shared }) => sum + length - shared, 0);
    expect(evaluated).toBe(4);
  });

  test('groups rows of one prompt wherever they stand, and a few neighbours of nearly one', () => {
    const head = Array.from({ length: 20 }, (_, i) => i);
    const nearly = Array.from({ length: 20 }, (_, i) => row([...head, 100 + i, 5], 21));
    expect(groupsOf(placed(nearly)).map((group) => group.length)).toEqual([8, 8, 4]);
    const other = row([50, 51, 52], 2);
    expect(
      groupsOf(placed([row([1, 2, 3], 2), other, row([1, 2, 4], 2)])).map((group) => group.map(({ index }) => index)),
    ).toEqual([[0, 2], [1]]);
  });
});
