import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { fakeTokenizer } from '../../test/fake-tokenizer.ts';
import { ChatTemplate } from '../text/chat-template.ts';
import { namedTemplates } from '../text/named-templates.ts';
import { readExamples } from './dataset-files.ts';
import { checkTuningLines, type TuningFileCheck, type TuningFileOptions } from './tuning-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-tuning-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const question = { role: 'user', content: 'What is the capital of France?' };
const answer = { role: 'assistant', content: 'Paris.' };
const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"place":"Paris"}' } };
const result = { role: 'tool', tool_call_id: 'call_1', content: '21' };
const tool = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } };
const row = { messages: [question, answer] };

let files = 0;
const write = (content: string | Uint8Array): string => {
  const path = join(folder, `${++files}.jsonl`);
  writeFileSync(path, content);
  return path;
};
const lines = (rows: readonly unknown[]): string =>
  rows.map((each) => `${typeof each === 'string' ? each : JSON.stringify(each)}\n`).join('');
/** A row among nine good ones, in line 4. */
const among = (bad: unknown, good: unknown = row): string =>
  lines([good, good, good, bad, good, good, good, good, good, good]);
const check = (content: string | Uint8Array, options?: TuningFileOptions): Promise<TuningFileCheck> =>
  checkTuningLines(write(content), options);
const messages = ({ faults }: TuningFileCheck): readonly string[] => faults.map(({ message }) => message);
const conversation = (...turns: unknown[]) => ({ messages: turns });
const answered = (more: object) => conversation(question, { ...answer, ...more });
const calling = (more: object) => answered({ content: null, tool_calls: [{ ...call, ...more }] });
const text = (value: string) => [{ type: 'text', text: value }];

const good: readonly (readonly [string, object])[] = [
  ['question and answer', row],
  ['a system prompt', conversation({ role: 'system', content: 'Be brief.' }, question, answer)],
  ['a developer message', conversation({ role: 'developer', content: 'Be brief.' }, question, answer)],
  ['several turns with weights', conversation(question, { ...answer, weight: 0 }, question, { ...answer, weight: 1 })],
  ['a weight with a fraction', answered({ weight: 1 })],
  ['parts of text', conversation({ role: 'user', content: text('Hi') }, { role: 'assistant', content: text('Hello') })],
  ['names', conversation({ ...question, name: 'Ada' }, answer)],
  ['a call', { ...calling({}), tools: [tool], parallel_tool_calls: false }],
  ['a result', { messages: [...calling({}).messages, result, answer], tools: [tool] }],
  [
    'the older form',
    {
      messages: [
        question,
        { role: 'assistant', function_call: call.function },
        { role: 'function', name: 'weather', content: '21' },
        answer,
      ],
      functions: [tool.function],
    },
  ],
  [
    "what Python's client writes of an answer",
    answered({ refusal: null, audio: null, function_call: null, tool_calls: null }),
  ],
];

test.each(good)('%s passes, and every record of it is read by tune', async (_, value) => {
  const path = write(lines(Array(10).fill(value)));
  expect(await checkTuningLines(path)).toEqual({ format: 'chat', examples: 10, faults: [], faultCount: 0, notes: [] });
  const { refusals, train } = await readExamples([path]);
  expect([train.length, refusals]).toEqual([10, []]);
});

const refused: readonly (readonly [unknown, string])[] = [
  ['{"messages": [', 'Line 4 is no valid JSON'],
  ["{'messages': []}", 'Line 4 is no valid JSON: it is written as Python prints it'],
  ['[]', 'Line 4 is no JSON object'],
  ['3', 'Line 4 is no JSON object'],
  ['', 'Line 4 is blank.'],
  [`\ufeff${JSON.stringify(row)}`, 'Line 4 begins with a byte order mark.'],
  ['[['.repeat(200) + ']]'.repeat(200), 'Line 4 is nested deeper than 200 levels.'],
  [{ prompt: 'a', completion: 'b' }, 'Line 4, key "messages" is missing.'],
  [{ messages: 'none' }, 'Line 4, key "messages" is no list.'],
  [{ messages: [] }, 'Line 4, key "messages" is an empty list.'],
  [{ ...row, weight: 1 }, 'Line 4 has the unknown key "weight": weight stands on messages.'],
  [{ ...row, source: 'mail' }, 'Line 4 has the unknown key "source".'],
  [conversation(question, 'Paris'), 'Line 4, message 2 is no object.'],
  [conversation(question, { content: 'Paris' }), 'Line 4, message 2, key "role" is missing.'],
  [conversation(question, { role: 'gpt', content: 'Paris' }), 'Line 4, message 2, key "role" is none of system'],
  [conversation(question, { role: 'Assistant', content: 'Paris' }), 'Line 4, message 2, key "role" is none of system'],
  [conversation({ ...question, weight: 0 }, answer), 'has the unknown key "weight": only the assistant\'s messages'],
  [answered({ train: false }), 'Line 4, message 2 has the unknown key "train": what is not learnt has weight 0.'],
  [answered({ contents: 'x' }), 'Line 4, message 2 has the unknown key "contents": did you mean "content"?'],
  [answered({ weight: 0.5 }), 'Line 4, message 2, key "weight" is neither 0 nor 1.'],
  [answered({ weight: true }), 'Line 4, message 2, key "weight" is neither 0 nor 1.'],
  [answered({ weight: 0 }), 'Line 4, message 2, key "weight" is 0 of the last message'],
  [answered({ content: '' }), 'Line 4, message 2, key "content" is empty, and there is no call.'],
  [answered({ content: ' \n' }), 'Line 4, message 2, key "content" is empty, and there is no call.'],
  [conversation(question, { role: 'assistant' }), 'Line 4, message 2, key "content" is missing, and there is no call.'],
  [conversation({ role: 'user', content: '' }, answer), 'Line 4, message 1, key "content" is empty.'],
  [conversation({ role: 'user' }, answer), 'Line 4, message 1, key "content" is missing.'],
  [conversation({ role: 'user', content: 7 }, answer), 'key "content" is neither a text nor a list of parts.'],
  [
    conversation({ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }, answer),
    'key "content[0].type" is image_url: images, audio and files cannot be learnt',
  ],
  [conversation({ role: 'user', content: [{ text: 'x' }] }, answer), 'Line 4, message 1, key "content[0].type" is'],
  [answered({ refusal: 'No.' }), 'key "refusal" is not learnt; write the refusal as content.'],
  [conversation(question), 'Line 4, key "messages" has no message of the assistant: there is nothing to learn.'],
  [conversation(question, answer, question), 'Line 4, message 3, key "role" is user: the last message'],
  [calling({ id: undefined }), 'Line 4, message 2, key "tool_calls[0].id" is missing.'],
  [calling({ type: 'tool' }), 'key "tool_calls[0].type" is not "function".'],
  [
    calling({ function: { name: 'weather', arguments: { place: 'Paris' } } }),
    'key "tool_calls[0].function.arguments" is no text: arguments are JSON text.',
  ],
  [calling({ function: { name: 'weather', arguments: '{place' } }), 'arguments" is no JSON text of an object.'],
  [calling({ function: { name: 'the weather', arguments: '{}' } }), 'key "tool_calls[0].function.name" is not made of'],
  [answered({ tool_calls: [] }), 'key "tool_calls" is an empty list.'],
  [answered({ tool_calls: [call], function_call: call.function }), 'key "function_call" stands beside tool_calls.'],
  [conversation(question, { role: 'tool', content: '21' }, answer), 'message 2, key "tool_call_id" is missing.'],
  [
    conversation(question, result, answer),
    'message 2, key "tool_call_id" is the result of no call of the answer before',
  ],
  [{ ...row, tools: [] }, 'Line 4, key "tools" is an empty list.'],
  [{ ...row, tools: [{ name: 'weather' }] }, 'Line 4, key "tools[0].type" is missing.'],
  [{ ...row, tools: [{ type: 'function', function: {} }] }, 'Line 4, key "tools[0].function.name" is missing.'],
  [{ ...row, tools: [tool], functions: [tool.function] }, 'Line 4, key "functions" stands beside tools.'],
  [{ ...row, parallel_tool_calls: 'no' }, 'Line 4, key "parallel_tool_calls" is neither true nor false.'],
  [
    answered({ content: 'a <|fim_suffix|> b' }),
    'Line 4, message 2, key "content" contains the special token <|fim_suffix|>.',
  ],
  [
    '{"messages":[{"role":"user","content":"\\u003c|im_end|>"},{"role":"assistant","content":"x"}]}',
    'Line 4, message 1, key "content" contains the special token <|im_end|>.',
  ],
  [
    { ...calling({}), tools: [{ ...tool, function: { ...tool.function, description: '<|endoftext|>' } }] },
    'key "tools[0].function.description" contains the special token <|endoftext|>.',
  ],
  [answered({ content: '<|reserved_200123|>' }), 'contains the special token <|reserved_200123|>.'],
  [
    '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"\\ud800"}]}',
    "Line 4 cannot be learnt from: a message's content holds half a character (a lone surrogate)",
  ],
];
test.each(refused.map(([bad, expected]) => [expected, bad] as const))('%s', async (expected, bad) => {
  const found = await check(among(bad));
  expect(found.faults[0]?.message).toContain(expected);
  expect(found.faults[0]).toMatchObject({ line: 4, code: 'invalid_file_format' });
  expect(found.faultCount).toBeGreaterThan(0);
});

test('fewer than ten examples are refused, as the platform did', async () => {
  const { faults } = await check(lines([row, row]));
  expect(faults).toEqual([
    { line: null, code: 'invalid_n_examples', message: 'The file has 2 examples, but must have at least 10 examples.' },
  ]);
});

test('a byte order mark before the file, CR LF, and blank lines behind it are let through with a note', async () => {
  const found = await check(`\ufeff${lines(Array(10).fill(row)).replaceAll('\n', '\r\n')}\r\n\n`);
  expect(found.faults).toEqual([]);
  expect(found.notes.join()).toMatch(/begins with a byte order mark.*ends in blank lines \(2\)/);
});

test.each<readonly [string, Uint8Array, string]>([
  ['UTF-16', Buffer.from(`\ufeff${lines([row])}`, 'utf16le'), 'The file is in UTF-16: UTF-8 is wanted.'],
  ['gzip', gzipSync(lines([row])), 'The file is compressed (gzip): the file itself is wanted, as JSONL.'],
  ['a JSON list', Buffer.from(JSON.stringify([row, row], null, 1)), 'The file is JSON that goes over lines'],
  ['JSON over lines', Buffer.from(JSON.stringify(row, null, 1)), 'The file is JSON that goes over lines'],
])('%s is named as what it is', async (_, bytes, expected) => {
  expect(messages(await check(bytes))[0]).toContain(expected);
});

test('Latin-1 is named with its line', async () => {
  const bytes = Buffer.from(among(answered({ content: 'déjà vu' })), 'latin1');
  expect((await check(bytes)).faults[0]).toMatchObject({
    line: 4,
    message: expect.stringContaining('is not valid UTF-8'),
  });
});

const template = new ChatTemplate(namedTemplates.chatml, { bosToken: '', eosToken: '<|im_end|>' });
const tokenizer = fakeTokenizer(['<|im_start|>', '<end_of_turn>'], ['<|im_end|>']);
const encoding = { template: () => template, tokenizer, supervise: 'answers', specialTokens: 'auto' } as const;

test('control tokens of the model are refused where it is given, and only there', async () => {
  const content = among(answered({ content: 'Paris <end_of_turn>' }));
  expect((await check(content)).faults).toEqual([]);
  const found = await check(content, { encoding });
  expect(messages(found)).toEqual(['Line 4, message 2, key "content" contains the special token <end_of_turn>.']);
});

test("what the model's template cannot say is refused where it is given, and only there", async () => {
  const content = among({ ...calling({}), tools: [tool] });
  expect((await check(content)).faults).toEqual([]);
  const found = await check(content, { encoding });
  expect(messages(found)).toEqual([
    'Line 4 cannot be learnt from: the template has no place for tool_calls (message 2: 0.function.name).',
  ]);
});

test('pairs, preferences and rows of reinforcement are told apart', async () => {
  const preference = {
    input: { messages: [question] },
    preferred_output: [answer],
    non_preferred_output: [{ ...answer, content: 'no idea' }],
  };
  const graded = { messages: [question], reference: 'Paris' };
  const formats = [{ prompt: 'a', completion: 'b' }, preference, graded].map((value) => check(among(value, value)));
  expect((await Promise.all(formats)).map(({ faults, format, notes }) => [format, faults, notes])).toEqual([
    ['completion', [], []],
    ['preference', [], []],
    ['reinforcement', [], ['holds reinforcement rows, which cannot be trained on yet']],
  ]);
});

test('rows of another format than the method wants are refused', async () => {
  const value = {
    input: { messages: [question] },
    preferred_output: [answer],
    non_preferred_output: [{ ...answer, content: 'no idea' }],
  };
  const found = await check(among(value, value), { formats: ['chat', 'completion'] });
  expect(messages(found)).toEqual(['The file is in the format preference, and chat or completion is wanted.']);
  const graded = { messages: [question], reference: 'Paris' };
  expect(messages(await check(among(graded, graded), { formats: ['chat'] }))[0]).toContain(
    'has the unknown key "reference"',
  );
});

test('faults are listed up to a bound and counted beyond it', async () => {
  const found = await check(lines(Array(5000).fill({ messages: [question] })));
  expect([found.faults.length, found.faultCount, found.examples]).toEqual([100, 5000, 5000]);
});

test('a row of hundreds of thousands of values is refused as one', { timeout: 30_000 }, async () => {
  const found = await check(among({ messages: Array(300_000).fill(1) }));
  expect(found.faults).toEqual([
    { line: 4, code: 'invalid_file_format', message: 'Line 4 holds more than 100000 values.' },
  ]);
  expect(found.faultCount).toBe(1);
});

test('others in the process go on while a large file is checked', async () => {
  const path = write(lines(Array(20_000).fill(row)));
  let [longest, last] = [0, performance.now()];
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  const began = performance.now();
  await checkTuningLines(path);
  clearInterval(timer);
  const took = performance.now() - began;
  expect(longest).toBeLessThan(took / 2);
});

test('it stops when it is told to', async () => {
  const rows = lines(Array(20_000).fill(row));
  await expect(check(rows, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'interrupted' });
});
