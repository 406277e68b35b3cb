import { expect, test } from 'vitest';
import type { Example } from './example.ts';
import { parseRecord } from './records.ts';

const source = { file: 'f', line: 1 };
const parsed = (message: Record<string, unknown>) =>
  parseRecord(
    'messages',
    {
      messages: [
        { role: 'user', content: 'q' },
        { role: 'assistant', ...message },
      ],
    },
    source,
  );
const callOf = (message: Record<string, unknown>): unknown => {
  const example = parsed(message) as Extract<Example, { kind: 'chat' }>;
  return example.messages[1]!.tool_calls;
};
const withArguments = (given: unknown) => ({ tool_calls: [{ function: { name: 'f', arguments: given } }] });
const learnt = (value: unknown) => [{ function: { name: 'f', arguments: value } }];

test('arguments of a call are what was meant: none, JSON text, or JSON inside JSON text', () => {
  for (const none of ['', ' ', null, undefined, {}, '{}']) expect(callOf(withArguments(none))).toEqual(learnt({}));
  for (const text of ['{"x": 1}', JSON.stringify('{"x": 1}')])
    expect(callOf(withArguments(text))).toEqual(learnt({ x: 1 }));
  expect(callOf(withArguments([1, 2]))).toEqual(learnt([1, 2]));
});

test('arguments that were to be JSON and are not are refused, others are noted: they were learnt as a text without a word', () => {
  expect(parsed(withArguments('{"x": 1'))).toMatchObject({
    reason: 'the arguments of a call are no valid JSON',
    detail: 'message 2: {"x": 1',
  });
  const code = parsed(withArguments('print(1)')) as Example;
  expect(code.notes).toEqual(['arguments of calls that are no JSON object are learnt as they are']);
  expect(callOf(withArguments('print(1)'))).toEqual(learnt('print(1)'));
});

test('calls have a name, whichever way they are written', () => {
  expect(parsed({ tool_calls: [{ function: { arguments: {} } }] })).toMatchObject({ reason: 'a call has no name' });
  expect(parsed({ tool_calls: [{ type: 'custom', custom: { name: 'f' } }] })).toMatchObject({
    reason: 'a call has no name',
  });
  expect(parsed({ tool_calls: [{ function: 'f' }] })).toMatchObject({
    reason: 'a call has a function that is no object',
  });
  const whole = { id: 'a', type: 'function', function: { name: 'f', arguments: { x: 1 } } };
  // A name beside the id, and a column of JSON text, as tables hold it.
  expect(callOf({ tool_calls: [{ id: 'a', name: 'f', arguments: '{"x":1}' }] })).toEqual([whole]);
  expect(callOf({ tool_calls: JSON.stringify([whole]) })).toEqual([whole]);
  expect(parsed({ tool_calls: 'f(1)' })).toMatchObject({ reason: 'tool_calls is no list of calls' });
  expect(callOf({ content: 'a', tool_calls: '' })).toBeUndefined();
});

test('turns of calls as JSON text hold one, or a list of parallel ones', () => {
  const turn = (value: string) =>
    parseRecord(
      'sharegpt',
      {
        conversations: [
          { from: 'human', value: 'q' },
          { from: 'function_call', value },
        ],
      },
      source,
    );
  const call = (name: string) => ({ type: 'function', function: { name, arguments: { x: 1 } } });
  const both = turn('[{"name":"f","arguments":{"x":1}},{"name":"g","arguments":"{\\"x\\":1}"}]') as Extract<
    Example,
    { kind: 'chat' }
  >;
  expect(both.messages[1]!.tool_calls).toEqual([call('f'), call('g')]);
  for (const wrong of ['[]', '[1]', 'f(1)', '{"arguments":{}}'])
    expect(turn(wrong)).toMatchObject({ reason: 'a function call is no JSON with a name' });
});
