import { expect, test } from 'vitest';
import type { Example } from '../text/example.ts';
import { learntFrom } from './learnt-from.ts';

const at = (line: number) => ({ source: { file: 'made', line } });
const plain = (line: number, completion = 'yes'): Example => ({
  kind: 'completion',
  prompt: 'q',
  completion,
  ...at(line),
});
const pair = (line: number, completion = 'yes', other = 'no'): Example => ({
  ...plain(line, completion),
  rejected: { kind: 'completion', prompt: 'q', completion: other },
});
const labelled = (line: number, label: boolean): Example => ({ ...plain(line), label });

test('pairs are learnt from by dpo; a row with one answer is refused by its line', () => {
  const { examples, refusals } = learntFrom([pair(1), plain(2)], 'dpo');
  expect(examples).toEqual([pair(1)]);
  expect(refusals).toEqual([{ ...at(2), reason: 'has one answer, not a pair' }]);
});

test('data of another kind is refused, with what would learn from it', () => {
  expect(() => learntFrom([plain(1)], 'simpo')).toThrow(/holds no pair of answers.*"chosen"/s);
  expect(() => learntFrom([labelled(1, true)], 'dpo')).toThrow(/`method: 'kto'` learns from those/);
  expect(() => learntFrom([pair(1), plain(2)], 'lora')).toThrow(
    /preference data: 1 of 2 .*`method: 'dpo'` learns from them/s,
  );
  expect(() => learntFrom([plain(1)], 'kto')).toThrow(/holds no labelled answer.*"label": true/s);
  expect(() => learntFrom([labelled(1, true), labelled(2, true)], 'kto')).toThrow(
    /2 labelled answers, all of them good/,
  );
  expect(() => learntFrom([labelled(1, false)], 'kto')).toThrow(/all of them bad/);
  expect(learntFrom([labelled(1, false)], 'kto', true).examples.length).toBe(1);
});

test('kto takes a pair as two labelled answers, and learns the last answer of a conversation only', () => {
  const { examples, notes } = learntFrom([pair(1)], 'kto');
  expect(examples).toEqual([
    { ...plain(1), label: true },
    { ...plain(1, 'no'), label: false },
  ]);
  expect(notes).toEqual(['1 of the answers are labelled good, 1 bad.']);
  const messages = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
    { role: 'user', content: 'c' },
    { role: 'assistant', content: 'd' },
  ];
  const [first] = learntFrom([{ kind: 'chat', messages, label: true, ...at(1) }, labelled(2, false)], 'kto').examples;
  expect(first!.kind === 'chat' && first!.messages.map(({ weight }) => weight)).toEqual([
    undefined,
    0,
    undefined,
    undefined,
  ]);
});

test('labels that nothing reads are said, and pairs that length alone decides', () => {
  expect(learntFrom([labelled(1, false)], 'lora').notes.join()).toMatch(/1 answers have a label, which is not read/);
  const long = Array.from({ length: 30 }, (_, i) => pair(i, 'a longer answer', 'short'));
  expect(learntFrom(long, 'dpo').notes.join()).toMatch(/The longer answer is the preferred one in 100% of the pairs/);
  expect(learntFrom(long.slice(0, 10), 'dpo').notes).toEqual([]);
  const mixed = long.map((each, i) => (i % 3 === 0 ? pair(i, 'short', 'a longer answer') : each));
  expect(learntFrom(mixed, 'dpo').notes).toEqual([]);
});
