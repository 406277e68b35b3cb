import { describe, expect, test } from 'vitest';
import { labelOf } from './preferences.ts';
import { detectFormat, parseRecord, unreadKeys } from './records.ts';

const source = { file: 'made', line: 1 };
const user = (content: string) => ({ role: 'user', content });
const said = (content: string) => ({ role: 'assistant', content });
const parsed = (record: unknown) => parseRecord(detectFormat(record)!, record, source);
/** Prompt, preferred answer and other answer of a conversation, with what is learnt of each side. */
function sides(record: unknown) {
  const example = parsed(record);
  if (!('kind' in example) || example.kind !== 'chat' || example.rejected?.kind !== 'chat')
    throw new Error(JSON.stringify(example));
  const texts = (messages: typeof example.messages): string[] =>
    messages.map(({ content, role, weight }) => `${role[0]}${weight ?? ''} ${content}`);
  return [texts(example.messages), texts(example.rejected.messages)];
}
const refusal = (record: unknown): string => {
  const found = parsed(record);
  if (!('reason' in found)) throw new Error('was not refused');
  return found.detail ? `${found.reason} (${found.detail})` : found.reason;
};
const expected = [
  ['u0 q', 'a yes'],
  ['u0 q', 'a no'],
];

describe('pairs', () => {
  test.each([
    ['explicit conversations', { prompt: [user('q')], chosen: [said('yes')], rejected: [said('no')] }],
    ['a prompt that is text beside answers that are turns', { prompt: 'q', chosen: [said('yes')], rejected: [said('no')] }],
    ['implicit conversations', { chosen: [user('q'), said('yes')], rejected: [user('q'), said('no')] }],
    ['a prompt that stands in both conversations too', { prompt: 'q', chosen: [user('q'), said('yes')], rejected: [user('q'), said('no')] }],
    ['dialogues of HH-RLHF', { chosen: '\n\nHuman: q\n\nAssistant: yes', rejected: '\n\nHuman: q\n\nAssistant: no' }],
    ['OpenAI', { input: { messages: [user('q')], tools: [], parallel_tool_calls: true }, preferred_output: [said('yes')], non_preferred_output: [said('no')] }],
  ])('%s', (_, record) => {
    expect(sides(record)).toEqual(expected);
    expect(unreadKeys(detectFormat(record)!, record)).toEqual([]);
  }); // biome-ignore format: a table

  test('earlier answers belong to the prompt, and are not learnt', () => {
    const before = [user('a'), said('b'), user('q')];
    const record = { chosen: [...before, said('yes')], rejected: [...before, said('no')] };
    expect(sides(record)[0]).toEqual(['u0 a', 'a0 b', 'u0 q', 'a yes']);
  });

  test('texts: with a prompt, and with one that both begin with, to the end of a word', () => {
    const plain = {
      kind: 'completion',
      prompt: 'q',
      completion: 'yes',
      rejected: { kind: 'completion', prompt: 'q', completion: 'no' },
    };
    expect(parsed({ prompt: 'q', chosen: 'yes', rejected: 'no' })).toMatchObject(plain);
    const shared = parsed({ chosen: 'it is sunny', rejected: 'it is sultry' });
    expect(shared).toMatchObject({ prompt: 'it is ', completion: 'sunny', rejected: { completion: 'sultry' } });
  });

  test('what cannot be compared is refused', () => {
    expect(refusal({ prompt: 'q', chosen: 'yes', rejected: 'yes' })).toBe('both answers are equal');
    const conversations = { chosen: [user('q'), said('yes')], rejected: [user('q'), said('yes')] };
    expect(refusal(conversations)).toBe('both answers are equal');
    expect(refusal({ chosen: [user('q'), said('yes')], rejected: [user('r'), said('no')] })).toBe(
      'the prompts of both answers differ',
    );
    expect(refusal({ chosen: [user('q '), said('yes')], rejected: [user('q'), said('no')] })).toBe(
      'the prompts of both answers differ (in white space only)',
    );
    expect(refusal({ chosen: 'yes', rejected: 'no' })).toMatch(/no common beginning/);
    expect(refusal({ chosen: [said('yes')], rejected: [said('no')] })).toMatch(/no prompt/);
    expect(refusal({ prompt: 'q', chosen: '', rejected: 'no' })).toMatch(/is empty/);
    expect(refusal({ input: 'q', preferred_output: [said('a')], non_preferred_output: [said('b')] })).toMatch(
      /the input is no object/,
    );
    expect(
      refusal({ input: { messages: [user('q')] }, preferred_output: [said('a')], non_preferred_output: [user('b')] }),
    ).toMatch(/ends with no answer/);
  });
});

describe('labels', () => {
  test('as people write them, under the usual keys', () => {
    for (const value of [true, 'good', '👍', 'thumbs_up', 1, { rating: 'up' }])
      expect(labelOf({ label: value })).toEqual({ label: true });
    for (const value of [false, 'bad', '👎', 0, -1]) expect(labelOf({ feedback: value })).toEqual({ label: false });
    for (const value of ['card_arrival', 7, null, [true]]) expect(labelOf({ label: value })).toEqual({});
  });

  test('stand beside an answer or a conversation; a class is no label, and is said to be unread', () => {
    expect(parsed({ prompt: 'q', completion: 'a', label: false })).toMatchObject({ completion: 'a', label: false });
    expect(parsed({ messages: [user('q'), said('a')], feedback: '👍' })).toMatchObject({ kind: 'chat', label: true });
    expect(unreadKeys('prompt-completion', { prompt: 'q', completion: 'a', label: true })).toEqual([]);
    expect(unreadKeys('prompt-completion', { prompt: 'q', completion: 'a', label: 'card_arrival' })).toEqual(['label']);
  });
});
