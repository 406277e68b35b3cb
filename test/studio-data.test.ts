/** What the studio's pages compute by themselves: data that is written by hand, votes, chats. */
import { expect, test } from 'vitest';
import type { RunEvent } from '../src/events.ts';
import { conversationsOf, keptChat } from '../src/server/studio/chat-form.ts';
import { markedAnswers } from '../src/text/feedback.ts';
import { bodyOf, emptyAnswer, isLastPlain, newChat, withAnswer, withQuestion, withVote } from '../studio/chats.ts';
import {
  draftOf,
  emptyChat,
  emptyRow,
  pastedRows,
  withRoom,
  writtenChats,
  writtenTable,
} from '../studio/hand-written.ts';
import { noticesOf, placed } from '../studio/pages/notices.tsx';
import { spreadOf } from '../studio/spread.ts';
import { joinStack, splitStack } from '../studio/stack-text.ts';
import { pairsOf } from '../studio/votes.ts';

test('a table is whole rows as lines; what lacks a half is named', () => {
  const table = [{ prompt: 'a', completion: 'b' }, emptyRow, { prompt: 'c', completion: ' ' }];
  expect(writtenTable(table)).toEqual({ lines: ['{"prompt":"a","completion":"b"}'], unfinished: [3] });
  expect(withRoom(table).at(-1)).toEqual(emptyRow);
  expect(withRoom([...table, emptyRow])).toHaveLength(4);
});

test('a conversation is whole when a model answers and nothing is empty', () => {
  const say = (role: 'system' | 'user' | 'assistant', content: string) => ({ role, content });
  const whole = [say('system', 's'), say('user', 'a'), say('assistant', 'b')];
  expect(writtenChats([whole, emptyChat]).lines).toEqual([JSON.stringify({ messages: whole })]);
  const halves = [[say('user', 'a')], [say('assistant', 'b')], [...whole, say('user', '')]];
  expect(writtenChats(halves)).toEqual({ lines: [], unfinished: [1, 2, 3] });
});

test('cells of a spreadsheet are rows, with their lines and quotes', () => {
  expect(pastedRows('no tab\nhere')).toBeNull();
  expect(pastedRows('a\tb\r\n"two\nlines, ""so"""\td "e"\r\n\t\r\n')).toEqual([
    { prompt: 'a', completion: 'b' },
    { prompt: 'two\nlines, "so"', completion: 'd "e"' },
  ]);
});

test('a data set of ours is written on, and none that holds more than can be written', () => {
  const row = '{"prompt":"a","completion":"b"}';
  expect(draftOf(`${row}\n`, 'n')).toMatchObject({ name: 'n', table: [{ prompt: 'a', completion: 'b' }] });
  const chat = '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}';
  expect(draftOf(chat, 'n')?.chats).toHaveLength(1);
  const others = [
    '',
    'x',
    '[]',
    '{"prompt":"a"}',
    '{"prompt":"a","completion":"b","weight":0}',
    `${row}\n${chat}`,
    '{"messages":[{"role":"tool","content":"a"}]}',
  ];
  for (const other of others) expect(draftOf(other, 'n'), other).toBeNull();
});

test('a stack is a text that the server reads, and a name with a + is a name', () => {
  expect(splitStack('a@0.5+b', ['a', 'b'])).toEqual([
    { name: 'a', scale: '0.5' },
    { name: 'b', scale: '1' },
  ]);
  expect(
    joinStack([
      { name: 'a', scale: '0,5' },
      { name: 'b', scale: '1' },
    ]),
  ).toBe('a@0.5+b');
  expect(splitStack('a+b', ['a+b'])).toEqual([{ name: 'a+b', scale: '1' }]);
});

test('votes: each pair once, whichever side it stood on; of those that were not chosen nothing is known', () => {
  const votes = [
    ...Array.from({ length: 7 }, () => ({ models: ['b', 'a'], best: 0 })),
    { models: ['a', 'b'], best: 0 },
    { models: ['a', 'b'], best: null },
    { models: ['a', 'b', 'c'], best: 2 },
    { models: ['a', 'a'], best: 1 },
  ];
  const [first, ...others] = pairsOf(votes);
  expect(first).toMatchObject({ model: 'b', beside: 'a', better: 7, worse: 1, equal: 1, share: 7 / 8 });
  // scipy.stats.binomtest(7, 8).proportion_ci(method='wilson')
  expect(first!.interval.map((each) => each.toFixed(4))).toEqual(['0.5291', '0.9776']);
  expect(others.map(({ beside, better, model, worse }) => [model, beside, better, worse])).toEqual([
    ['c', 'a', 1, 0],
    ['c', 'b', 1, 0],
  ]);
});

test('a chat asks with what each model said itself, and not with what failed', () => {
  let chat = withQuestion({ ...newChat(['a', 'b'], 'S'), blind: true }, 0, 'one');
  expect([...chat.turns[0]!.order!].sort()).toEqual([0, 1]);
  chat = withAnswer(chat, { turn: 0, column: 0 }, (answer) => ({ ...answer, text: 'from a' }));
  chat = withAnswer(chat, { turn: 0, column: 1 }, (answer) => ({ ...answer, fault: 'gone' }));
  expect([isLastPlain(chat, 0), isLastPlain(withVote(chat, 0, { best: 0 }), 0)]).toEqual([true, false]);
  chat = withQuestion(chat, 1, 'two');
  expect([chat.title, isLastPlain(chat, 0)]).toEqual(['one', false]);
  const asked = [0, 1].map((column) => bodyOf({ chat, place: { turn: 1, column } }));
  const [system, two] = [
    { role: 'system', content: 'S' },
    { role: 'user', content: 'two' },
  ];
  expect(asked).toMatchObject([
    { model: 'a', messages: [system, { role: 'user', content: 'one' }, { role: 'assistant', content: 'from a' }, two] },
    { model: 'b', messages: [system, two] },
  ]);
  // What the page holds is what the server keeps, and what is kept is read as marks.
  const marked = withAnswer(chat, { turn: 0, column: 0 }, (answer) => ({ ...answer, mark: 'bad', better: 'other' }));
  expect(keptChat.parse(marked)).toEqual(marked);
  expect(conversationsOf(marked).flatMap((each) => markedAnswers(each).marked)).toMatchObject([
    { mark: 'bad', better: 'other' },
  ]);
  expect(emptyAnswer('a').text).toBe('');
});

test('notices stand behind the step at which they were said first', () => {
  const step = (at: number) => ({ type: 'step-end', step: at }) as RunEvent;
  const notice = (message: string): RunEvent => ({ type: 'notice', code: 'x', message });
  const verdict = { type: 'verdict' } as RunEvent;
  const found = noticesOf([notice('a'), step(0), step(1), notice('b'), step(2), notice('b'), verdict, notice('c')]);
  expect(found).toEqual([
    { message: 'a', step: null },
    { message: 'b', step: 1 },
    { message: 'c', step: null },
  ]);
  expect(placed(found)).toEqual([{ message: 'b', step: 1 }]);
});

test('how far repeats are apart', () => {
  expect(spreadOf([1, 2, null, 3])).toEqual({ runs: 3, mean: 2, deviation: 1, least: 1, most: 3 });
  expect([spreadOf([null]), spreadOf([2])?.deviation]).toEqual([null, null]);
});
