import { describe, expect, test } from 'vitest';
import { writeJson } from '../formats/exact-json.ts';
import { flagNames } from './message-flags.ts';
import { messagesOf, offeredTools } from './messages.ts';
import { RecordRefused } from './refused.ts';

const user = { role: 'user', content: 'q' };
const parse = (answer: Record<string, unknown>, more: Record<string, unknown> = {}) => {
  const notes = new Set<string>();
  const messages = messagesOf(
    [
      { ...user, ...more },
      { role: 'assistant', content: 'a', ...answer },
    ],
    notes,
  );
  return { answer: messages[1]!, messages, notes: [...notes] };
};
const reason = (answer: Record<string, unknown>): string => {
  try {
    parse(answer);
  } catch (error) {
    return (error as RecordRefused).reason;
  }
  throw new Error('nothing was refused');
};

describe('marks that keep an answer out of the loss', () => {
  test.each(flagNames)('%s is obeyed in all its spellings', (name) => {
    const leaves = ['mask', 'masked', 'ignore'].includes(name);
    for (const value of [false, 0, 'false', '0']) expect(parse({ [name]: value }).answer.weight).toBe(leaves ? 1 : 0);
    for (const value of [true, 1, 'true', '1']) expect(parse({ [name]: value }).answer.weight).toBe(leaves ? 0 : 1);
    expect(parse({ [name]: null })).toMatchObject({ notes: [], answer: { role: 'assistant' } });
    expect(parse({ [name]: null }).answer.weight).toBeUndefined();
    if (name === 'weight') expect(parse({ weight: 0.5 }).answer.weight).toBe(0.5);
    else expect(() => parse({ [name]: 0.5 })).toThrow(RecordRefused);
  });

  test('those that are not OpenAI’s are said; those that contradict each other are refused', () => {
    expect(parse({ weight: 0 }).notes).toEqual([]);
    expect(parse({ train: false, loss: false }).notes).toEqual([
      'answers marked "train", "loss" are kept out of the loss',
    ]);
    expect(reason({ train: true, weight: 0 })).toBe('the marks of a message contradict each other');
    expect(parse({ mask: true, train: false }).answer.weight).toBe(0);
    expect(parse({ train: true, weight: 0.3 }).answer.weight).toBe(0.3);
  });

  test('on another role they change nothing, and one that asks to learn it is said', () => {
    expect(parse({}, { train: false })).toMatchObject({ notes: [], messages: [user, {}] });
    expect(parse({}, { train: true }).notes).toEqual([
      'the mark "train" of a user message is not obeyed: only answers are learnt',
    ]);
  });
});

test('a call of the older form is a call, thoughts have several names, and what is not read is said', () => {
  const call = { name: 'f', arguments: '{"x": 1.0}' };
  // Numbers as they are spelled.
  expect(writeJson(parse({ content: null, function_call: call }).answer.tool_calls)).toBe(
    '[{"type":"function","function":{"name":"f","arguments":{"x":1.0}}}]',
  );
  expect(reason({ function_call: call, tool_calls: [{ function: call }] })).toMatch(
    /both function_call and tool_calls/,
  );
  expect(reason({ function_call: 'f' })).toMatch(/no object with a name/);
  for (const key of ['reasoning_content', 'reasoning', 'thinking', 'thought', 'thoughts'])
    expect(parse({ [key]: 'hm' }).answer.reasoning_content).toBe('hm');
  expect(parse({ reasoning: 'hm', thinking: 'hm' }).answer.reasoning_content).toBe('hm');
  expect(reason({ reasoning: 'hm', thinking: 'ha' })).toBe('a message has two different thoughts');
  expect(parse({ refusal: 'no', audio: null, annotations: [] }).notes).toEqual([
    'the key "refusal" of messages is not read',
  ]);
  expect(reason({ value: 'b' })).toBe('a message has both a content and a value');
});

test('tools, and OpenAI’s older functions', () => {
  expect(offeredTools({ functions: [{ name: 'f' }] })).toEqual({
    tools: [{ type: 'function', function: { name: 'f' } }],
  });
  expect(offeredTools({ functions: [], tools: '[{"name": "g"}]' })).toEqual({ tools: [{ name: 'g' }] });
  expect(() => offeredTools({ functions: [{ name: 'f' }], tools: [{ name: 'g' }] })).toThrow(
    /both tools and functions/,
  );
});

test('roles in the words of other data sets, whatever their case', () => {
  const roles = ['Human', 'GPT', 'observation', 'prompter', 'Assistant'].map((from) => ({ from, value: 'x' }));
  expect(messagesOf(roles, new Set()).map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'tool',
    'user',
    'assistant',
  ]);
});

test('thoughts that are given twice are learnt once, two different ones are refused, and open ones are noted', () => {
  const twice = parse({ content: '<think>\nhm\n</think>\n\nyes', reasoning_content: 'hm' });
  expect(twice.answer).toEqual({ role: 'assistant', content: '<think>\nhm\n</think>\n\nyes' });
  expect(twice.notes).toEqual(['thoughts that stand in the answer too are learnt once']);
  expect(reason({ content: '<think>ha</think>yes', reasoning: 'hm' })).toBe('a message has two different thoughts');
  expect(parse({ content: '<think></think>yes', reasoning: 'hm' }).answer.reasoning_content).toBe('hm');
  expect(parse({}, { content: '<think> is what?' }).notes).toEqual([]);
  expect(parse({ content: '<think>\nhm' }).notes).toEqual(['answers open thoughts and do not close them']);
});

test('parts of a content: texts under their names, thoughts, calls and their results', () => {
  const texts = [{ type: 'input_text', text: 'a' }, 'b', { type: 'output_text', text: 'c' }];
  expect(parse({ content: texts }).answer.content).toBe('abc');
  expect(parse({ content: { type: 'text', text: 'a' } }).answer.content).toBe('a');
  const thoughtful = [
    { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
    { type: 'text', text: 'yes' },
  ];
  expect(parse({ content: thoughtful }).answer).toMatchObject({ content: 'yes', reasoning_content: 'hm' });
  expect(reason({ content: thoughtful, reasoning: 'ha' })).toBe('a message has two different thoughts');
  expect(reason({ content: [{ type: 'image_url' }] })).toBe('a content has a part that is no text');
  const call = { type: 'tool_use', id: 't1', name: 'f', input: { x: 1 } };
  expect(reason({ content: [call], tool_calls: [{ function: { name: 'f' } }] })).toMatch(
    /in its content and beside it/,
  );
  const conversation = [
    { role: 'user', content: 'q' },
    { role: 'assistant', content: [{ type: 'text', text: 'look' }, call] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: '5' }] }] },
    { role: 'assistant', content: 'five' },
  ];
  expect(messagesOf(conversation, new Set())).toEqual([
    { role: 'user', content: 'q' },
    {
      role: 'assistant',
      content: 'look',
      tool_calls: [{ id: 't1', type: 'function', function: { name: 'f', arguments: { x: 1 } } }],
    },
    { role: 'tool', content: '5', tool_call_id: 't1' },
    { role: 'assistant', content: 'five' },
  ]);
});
