import { expect, test } from 'vitest';
import { type Judge, judgeAll, judgementText, opinionIn } from './judge.ts';
import { type TestQuestion, testSetOf } from './test-set.ts';

const questions = Array.from(
  { length: 30 },
  (_, i): TestQuestion => ({ ask: { prompt: `question ${i}` }, expected: `right ${i}` }),
);
const test30 = testSetOf(questions);
const answering = (name: string, of: (i: number) => string) => ({
  name,
  answers: questions.map((_, i) => ({ text: of(i) })),
});
const good = answering('good', (i) => `right ${i}`);
const bad = answering('bad', (i) => `wrong ${i}`);

/** Replies by the two answers that it is shown. */
function scripted(of: (a: string, b: string) => string) {
  const asked: string[] = [];
  const judge: Judge = {
    name: 'a model',
    ask: async (messages) => {
      const text = messages.at(-1)!.content!;
      asked.push(text);
      const [, a, b] = /Answer A:\n([\s\S]*?)\n\nAnswer B:\n([\s\S]*?)\n\nWhich/.exec(text)!;
      return of(a!, b!);
    },
  };
  return { judge, asked };
}
const fair = (a: string, b: string): string =>
  a.startsWith('right') === b.startsWith('right') ? 'TIE' : a.startsWith('right') ? 'A' : 'B';

test('each pair is shown in both orders; what holds in both counts', async () => {
  const { asked, judge } = scripted(fair);
  const [judged] = await judgeAll(judge, test30, [good, bad]);
  expect(judged).toMatchObject({
    first: 'good',
    second: 'bad',
    wins: 30,
    losses: 0,
    ties: 0,
    disagreed: 0,
    difference: 1,
    verdict: 'better',
  });
  expect(asked).toHaveLength(60);
  expect(asked[0]).toContain('Reference answer:\nright 0');
  expect((await judgeAll(judge, test30, [bad, good]))[0]).toMatchObject({ wins: 0, losses: 30, verdict: 'worse' });
  expect(judgementText(judged!)).toMatch(
    /^Opinion of a model, no measurement: good is better than bad; it preferred 30 answers of the one and 0 of the other, 0 are ties, p < 0\.001\.$/,
  );
});

test('a judge that prefers a place prefers nobody', async () => {
  const { judge } = scripted(() => 'A');
  const [judged] = await judgeAll(judge, test30, [good, bad]);
  expect(judged).toMatchObject({
    wins: 0,
    losses: 0,
    ties: 30,
    disagreed: 30,
    pValue: 1,
    verdict: 'no-difference-shown',
  });
  expect(judgementText(judged!)).toContain('30 of which it saw otherwise in the other order');
});

test('equal answers are ties that nobody is asked about', async () => {
  const { asked, judge } = scripted(fair);
  const half = answering('half', (i) => (i < 15 ? `right ${i}` : `wrong ${i}`));
  expect((await judgeAll(judge, test30, [good, half]))[0]).toMatchObject({
    wins: 15,
    losses: 0,
    ties: 15,
    disagreed: 0,
    nonsense: 0,
  });
  expect(asked).toHaveLength(30);
});

test('replies that are no opinions are counted, and refused where they are many', async () => {
  const some = scripted((a, b) => (/ 1\d$/.test(a) && a.endsWith('0') ? 'I cannot say.' : fair(a, b)));
  expect((await judgeAll(some.judge, test30, [good, bad]))[0]).toMatchObject({ wins: 29, ties: 1, nonsense: 1 });
  const many = scripted((a, b) => (/[02468]$/.test(a) ? 'As a language model' : fair(a, b)));
  await expect(judgeAll(many.judge, test30, [good, bad])).rejects.toThrow(
    /the judge a model: gave no opinion on 15 of 30 examples: it was asked for A, B or TIE, and said "As a language model"/,
  );
  const never = scripted(() => 'yes');
  await expect(judgeAll(never.judge, test30, [good, bad])).rejects.toThrow(/gave no opinion on \d of \d examples/);
  // No more is asked, and paid for, than shows it.
  expect(never.asked.length).toBeLessThanOrEqual(20);
});

test('an opinion is a word', () => {
  expect(['A', ' b.', '"TIE"', '**A**', 'Answer B', '(a)'].map(opinionIn)).toEqual([1, -1, 0, 1, -1, 1]);
  expect(['', 'A or B', 'Both are fine', 'neither', 'C', 'A because'].map(opinionIn)).toEqual([
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
});
