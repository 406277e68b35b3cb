/** Answers as models of many chat templates write them, read back as what they are, wherever they are cut into pieces. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ChatTemplate } from '../chat-template.ts';
import type { AnswerForm } from './answer-form.ts';
import { AnswerReader } from './answer-reader.ts';
import { answerFormOf } from './find-answer-form.ts';
import { offeredTools } from './offered-tools.ts';

const folder = join(import.meta.dirname, '../../../test/fixtures/templates');
const formOf = (name: string, values: Record<string, unknown> = {}): AnswerForm =>
  answerFormOf(
    new ChatTemplate(readFileSync(join(folder, `${name}.jinja`), 'utf8'), { bosToken: '<s>', eosToken: '</s>' }),
    { values },
  );

const tools = offeredTools([
  { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: { at: { type: 'string' }, far: { type: 'boolean' } } } } },
  { type: 'function', function: { name: 'add', parameters: {} } },
]); // biome-ignore format: a table

/** What is read of an answer in these pieces: thoughts, text, and each call with its arguments, or `none` where it is no call. */
function read(form: AnswerForm, pieces: readonly string[], offered: typeof tools | null = tools) {
  const found = { thoughts: '', text: '', calls: [] as { name: string; given: string; state: string }[], deltas: 0 };
  const reader = new AnswerReader(form, offered, (part) => {
    if (part.kind === 'thought') found.thoughts += part.text;
    else if (part.kind === 'text') found.text += part.text;
    else if (part.kind === 'call') found.calls[part.call] = { name: part.name, given: '', state: 'open' };
    else if (part.kind === 'arguments') {
      found.calls[part.call]!.given += part.text;
      found.deltas++;
    } else found.calls[part.call]!.state = part.kind === 'call-end' ? 'whole' : 'none';
  });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return found;
}

/** The same of the text whole, letter by letter, and cut in two anywhere; without the count of pieces. */
function everyWay(form: AnswerForm, text: string, offered: typeof tools | null = tools) {
  const { deltas: _, ...whole } = read(form, [text], offered);
  const cuts = [[...text], ...Array.from(text, (_, i) => [text.slice(0, i), text.slice(i)])];
  for (const pieces of cuts) {
    const { deltas: __, ...found } = read(form, pieces, offered);
    expect(found, JSON.stringify(pieces)).toEqual(whole);
  }
  return whole;
}

const look = { name: 'look', given: '{"at": "the \\"sky\\"\\n", "far": true}', state: 'whole' };
const none = { thoughts: '', text: '', calls: [] };

describe('calls', () => {
  const forms: readonly (readonly [string, string])[] = [
    ['Qwen-Qwen2.5-7B-Instruct', `<tool_call>\n{"name": "look", "arguments": ${look.given}}\n</tool_call>`],
    ['ibm-granite-granite-4.0', `<tool_call>{"arguments": ${look.given}, "name": "look"}</tool_call>`],
    ['Qwen3-Coder', '<tool_call>\n<function=look>\n<parameter=at>\nthe "sky"\n\n</parameter>\n<parameter=far>\ntrue\n</parameter>\n</function>\n</tool_call>'],
    ['MiniMax-M2', '</think>\n<minimax:tool_call>\n<invoke name="look">\n<parameter name="at">the "sky"\n</parameter>\n<parameter name="far">true</parameter>\n</invoke>\n</minimax:tool_call>'],
    ['GLM-4.7-Flash', '</think><tool_call>look<arg_key>at</arg_key><arg_value>the "sky"\n</arg_value><arg_key>far</arg_key><arg_value>true</arg_value></tool_call>'],
    ['meta-llama-Llama-3.2-3B-Instruct', `{"name": "look", "parameters": ${look.given}}`],
    ['mistralai-Mistral-Nemo-Instruct-2407', `[TOOL_CALLS] [{"name": "look", "arguments": ${look.given}, "id": "123456789"}]`],
    ['Mistral-Small-3.2-24B-Instruct-2506', `[TOOL_CALLS]look[CALL_ID]123456789[ARGS]${look.given}`],
    ['mistralai-Ministral-3-14B-Reasoning-2512', `[TOOL_CALLS]look[ARGS]${look.given}`],
    ['meetkai-functionary-medium-v3.1', `<function=look>${look.given}</function>`],
    ['Cohere2MoE', `<|END_THINKING|><|START_ACTION|>[\n    {"tool_call_id": "0", "tool_name": "look", "parameters": ${look.given}}\n]<|END_ACTION|>`],
  ]; // biome-ignore format: a table

  test.each(forms)('of %s', (name, text) => {
    expect(everyWay(formOf(name), text)).toEqual({ ...none, calls: [look] });
  });

  test('several, with words before, in their order', () => {
    const text =
      'I look.\n\n<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>\n<tool_call>\n{"name": "add", "arguments": {"a": [1.50, -2e3, null]}}\n</tool_call>';
    expect(everyWay(formOf('unsloth-qwen25'), text)).toEqual({
      ...none,
      text: 'I look.',
      calls: [
        { name: 'look', given: '{}', state: 'whole' },
        { name: 'add', given: '{"a": [1.50, -2e3, null]}', state: 'whole' },
      ],
    });
    const list = '[TOOL_CALLS][{"name": "add", "arguments": {}}, {"name": "look", "arguments": {}}]';
    expect(everyWay(formOf('mistralai-Mistral-Nemo-Instruct-2407'), list).calls.map(({ name }) => name)).toEqual([
      'add',
      'look',
    ]);
  });

  test('the end of the markup may be missing, since generation ends there; what comes behind a call is text', () => {
    const form = formOf('unsloth-qwen25');
    const begun = '<tool_call>\n{"name": "add", "arguments": {}}';
    const calls = [{ name: 'add', given: '{}', state: 'whole' }];
    expect(everyWay(form, begun)).toEqual({ ...none, calls });
    expect(everyWay(form, `${begun}\n</tool_call>\nSo be it. `)).toEqual({ ...none, text: 'So be it.', calls });
  });

  test('arguments are given out as they come, and a text argument whole', () => {
    const form = formOf('unsloth-qwen25');
    const text = `<tool_call>\n{"name": "look", "arguments": ${look.given}}\n</tool_call>`;
    expect(read(form, [...text]).deltas).toBeGreaterThan(20);
    const half = new AnswerReader(form, tools, (part) => parts.push(part.kind));
    const parts: string[] = [];
    half.push('<tool_call>\n{"name": "look", "arguments": {"at": "the');
    expect(parts.filter((kind) => kind === 'arguments').length).toBeGreaterThan(5);
  });

  test('tagged arguments are of the type that the schema says, and JSON where it says none', () => {
    const form = formOf('Qwen3-Coder');
    const call = (name: string, value: string) =>
      everyWay(
        form,
        `<tool_call>\n<function=${name}>\n<parameter=at>\n${value}\n</parameter>\n</function>\n</tool_call>`,
      ).calls[0]!.given;
    expect([call('look', '12'), call('add', '12'), call('add', 'a b'), call('add', '{"x": [1]}')]).toEqual([
      '{"at": "12"}',
      '{"at": 12}',
      '{"at": "a b"}',
      '{"at": {"x":[1]}}',
    ]);
    expect(everyWay(form, '<tool_call>\n<function=add>\n</function>\n</tool_call>').calls[0]!.given).toBe('{}');
  });
});

describe('what looks like a call and is none stays text, every character of it', () => {
  const qwen = 'unsloth-qwen25';
  test.each([
    [qwen, 'arguments that are no JSON', '<tool_call>\n{"name": "look", "arguments": {"at": no}}\n</tool_call>'],
    [qwen, 'arguments that are no object', '<tool_call>\n{"name": "look", "arguments": [1]}\n</tool_call>'],
    [qwen, 'JSON text that is none', '<tool_call>{"name": "look", "arguments": "{a}"}</tool_call>'],
    [qwen, 'cut off', 'So: <tool_call>\n{"name": "look", "arguments": {"at": "the sk'],
    [qwen, 'another key', '<tool_call>\n{"name": "look", "arguments": {}, "why": 1}\n</tool_call>'],
    [qwen, 'no name', '<tool_call>\n{"arguments": {}}\n</tool_call>'],
    [qwen, 'the markup alone', 'The markup <tool_call> is for calls. '],
    [qwen, 'the beginning of the markup', 'a <tool_cal'],
    ['Qwen3-Coder', 'no markup of arguments', '<tool_call>\n<function=look>\nat the sky\n</function>\n</tool_call>'],
    ['Qwen3-Coder', 'cut off', '<tool_call>\n<function=look>\n<parameter=at>\nthe'],
    [
      'meta-llama-Llama-3.2-3B-Instruct',
      'JSON that calls nothing that is offered',
      '{"name": "Ann", "parameters": {}}',
    ],
    ['meta-llama-Llama-3.2-3B-Instruct', 'JSON inside a text', 'Here: {"name": "look", "parameters": {}}'],
    ['mistralai-Mistral-Nemo-Instruct-2407', 'no list', '[TOOL_CALLS] none'],
  ])('%s: %s', (name, _, text) => {
    const found = everyWay(formOf(name), text);
    expect({ ...found, calls: found.calls.map(({ state }) => state) }).toEqual({
      ...none,
      text,
      calls: found.calls.map(() => 'none'),
    });
  });

  test('a call before it stays one', () => {
    const text = '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>\n<tool_call>\n{"name": }\n</tool_call>';
    const found = everyWay(formOf(qwen), text);
    expect(found.calls.map(({ state }) => state)).toEqual(['whole']);
    expect(found.text.trim()).toBe('<tool_call>\n{"name": }\n</tool_call>');
  });

  test('nesting without an end is none, and ends', () => {
    const text = `<tool_call>{"name": "add", "arguments": {"a": ${'['.repeat(100_000)}`;
    expect(read(formOf(qwen), [text]).text).toBe(text);
  });

  test('without tools, everything is text', () => {
    const text = '<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call> \n';
    expect(everyWay(formOf(qwen), text, null)).toEqual({ ...none, text });
  });
});

describe('thoughts', () => {
  const thought = { ...none, thoughts: 'A cat\nis here.', text: 'Yes. ' };
  test.each([
    ['Qwen-Qwen3-0.6B', '<think>\nA cat\nis here.\n</think>\n\nYes. '],
    ['unsloth-qwen3-thinking', 'A cat\nis here.\n</think>\n\nYes. '],
    ['unsloth-qwen3-thinking', '<think>\nA cat\nis here.\n</think>\n\nYes. '],
    ['deepseek-ai-DeepSeek-R1-Distill-Llama-8B', 'A cat\nis here.\n</think>\n\nYes. '],
    ['mistralai-Ministral-3-14B-Reasoning-2512', '[THINK]A cat\nis here.[/THINK]Yes. '],
    ['google-gemma-4-31B-it', '<|channel>thought\nA cat\nis here.<channel|>Yes. '],
  ])('of %s', (name, text) => {
    expect(everyWay(formOf(name), text, null)).toEqual(thought);
  });

  test('an answer without them, one that never ends them, and one before calls', () => {
    const form = formOf('Qwen-Qwen3-0.6B');
    expect(everyWay(form, '\n Yes.\n')).toEqual({ ...none, text: '\n Yes.\n' });
    expect(everyWay(form, '<think>\nA cat')).toEqual({ ...none, thoughts: 'A cat' });
    const call = '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>';
    expect(everyWay(form, `<think>\n${call}\n</think>\n\n${call}`)).toEqual({
      ...none,
      thoughts: call,
      calls: [{ name: 'add', given: '{}', state: 'whole' }],
    });
  });

  test('a prompt that closes them at once', () => {
    const form = formOf('Qwen3.5-4B', { enable_thinking: false });
    expect(formOf('Qwen3.5-4B').thoughts?.begun).toBe(true);
    expect(form.thoughts?.begun).toBe(false);
    expect(everyWay(form, 'Yes.')).toEqual({ ...none, text: 'Yes.' });
  });
});

test('of the templates that show tools, which write calls in a form that is read', () => {
  const forms = readdirSync(folder)
    .filter((name) => name.endsWith('.jinja'))
    .map((name) => name.slice(0, -'.jinja'.length))
    .map((name) => [name, formOf(name)] as const);
  const without = forms
    .filter(([, { noCalls }]) => noCalls?.includes('in no form'))
    .map(([name]) => name)
    .sort();
  expect(forms.filter(([, { calls }]) => calls).length).toBe(51);
  // Python's syntax (LFM2), values in markup of their own (Gemma 4), numbers of calls (Kimi); and some that show tools, and no calls.
  expect(without).toEqual([
    'Kimi-K2-Instruct',
    'Kimi-K2-Thinking',
    'Kimi-K3',
    'LFM2-8B-A1B',
    'LFM2.5-8B-A1B',
    'LFM2.5-Instruct',
    'MiniMax-M3',
    'YandexGPT-5-Lite-8B-instruct',
    'deepseek-ai-DeepSeek-V3.2',
    'deepseek-ai-DeepSeek-V4',
    'deepseek-ai-DeepSeek-V4-Flash-0731',
    'gemma-4-vocab',
    'google-gemma-4-31B-it',
    'google-gemma-4-31B-it-interleaved',
    'granite-3.0-8b-instruct',
    'ibm-granite-granite-3.3-2B-Instruct',
    'meetkai-functionary-medium-v3.2',
    'moonshotai-Kimi-K2',
    'muse-glimmer',
  ]);
});
