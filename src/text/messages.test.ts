import { describe, expect, test } from 'vitest';
import { writeJson } from '../files/exact-json.ts';
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
    expect(() => parse({ [name]: 0.5 })).toThrow(RecordRefused);
  });

  test('those that are not OpenAI’s are said; those that contradict each other are refused', () => {
    expect(parse({ weight: 0 }).notes).toEqual([]);
    expect(parse({ train: false, loss: false }).notes).toEqual(['answers marked "train", "loss" are kept out of the loss']); // biome-ignore format: one line
    expect(reason({ train: true, weight: 0 })).toBe('the marks of a message contradict each other');
    expect(parse({ mask: true, train: false }).answer.weight).toBe(0);
  });

  test('on another role they change nothing, and one that asks to learn it is said', () => {
    expect(parse({}, { train: false })).toMatchObject({ notes: [], messages: [user, {}] });
    expect(parse({}, { train: true }).notes).toEqual(['the mark "train" of a user message is not obeyed: only answers are learnt']); // biome-ignore format: one line
  });
});

test('a call of the older form is a call, thoughts have several names, and what is not read is said', () => {
  const call = { name: 'f', arguments: '{"x": 1.0}' };
  // Numbers as they are spelled.
  expect(writeJson(parse({ content: null, function_call: call }).answer.tool_calls)).toBe('[{"type":"function","function":{"name":"f","arguments":{"x":1.0}}}]'); // biome-ignore format: one line
  expect(reason({ function_call: call, tool_calls: [{ function: call }] })).toMatch(
    /both function_call and tool_calls/,
  );
  expect(reason({ function_call: 'f' })).toMatch(/no object with a name/);
  for (const key of ['reasoning_content', 'reasoning', 'thinking', 'thought', 'thoughts'])
    expect(parse({ [key]: 'hm' }).answer.reasoning_content).toBe('hm');
  expect(parse({ reasoning: 'hm', thinking: 'hm' }).answer.reasoning_content).toBe('hm');
  expect(reason({ reasoning: 'hm', thinking: 'ha' })).toBe('a message has two different thoughts');
  expect(parse({ refusal: 'no', audio: null, annotations: [] }).notes).toEqual(['the key "refusal" of messages is not read']); // biome-ignore format: one line
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
  expect(messagesOf(roles, new Set()).map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'user', 'assistant']); // biome-ignore format: one line
});
