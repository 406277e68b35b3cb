/** POST /v1/responses by the official client, with a model that was tuned to call and to think. */
import { join } from 'node:path';
import type OpenAI from 'openai';
import { BadRequestError } from 'openai';
import { beforeAll, describe, expect, test } from 'vitest';
import { folder, type Served, served } from './support.ts';
import { tools as chatTools, tuneToolModel } from './tool-model.ts';

type Body = OpenAI.Responses.ResponseCreateParamsNonStreaming;
type Item = OpenAI.Responses.ResponseInputItem;

const runs = join(folder, 'runs');
let server: Served;
let client: OpenAI;
beforeAll(async () => {
  await tuneToolModel(join(folder, 'base'), runs);
  server = await served({ runs });
  ({ client } = server);
}, 120_000);

const tools = chatTools.map(({ function: called, type }) => ({ type, ...called, strict: false }));
const asking = (input: string | Item[]): Body => ({ model: 'tools', tools, temperature: 0, input });
const ask = (input: string | Item[], more: Partial<Body> = {}) =>
  client.responses.create({ ...asking(input), ...more });

/** The types of a stream's events, equal ones that follow each other once. */
function typesOf(events: readonly { readonly type: string }[]): string[] {
  return events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
}
async function eventsOf(body: Body): Promise<OpenAI.Responses.ResponseStreamEvent[]> {
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of await client.responses.create({ ...body, stream: true })) events.push(event);
  return events;
}

describe('whole', () => {
  test('a text, to a text and to items alike', async () => {
    const answer = await ask('hello');
    expect(answer).toMatchObject({ object: 'response', status: 'completed', output_text: 'Hi.', store: false, error: null, incomplete_details: null });
    expect(answer.output).toMatchObject([{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hi.', annotations: [] }] }]);
    const { input_tokens, output_tokens, total_tokens } = answer.usage!;
    expect([output_tokens > 0, total_tokens]).toEqual([true, input_tokens + output_tokens]);
    const parts = await ask([{ role: 'user', content: [{ type: 'input_text', text: 'hel' }, { type: 'input_text', text: 'lo' }] }]);
    expect([parts.output_text, parts.usage!.input_tokens]).toEqual(['Hi.', input_tokens]);
    const chat = await client.chat.completions.create({ model: 'tools', tools: chatTools, temperature: 0, messages: [{ role: 'user', content: 'hello' }] });
    expect(chat.usage!.prompt_tokens).toBe(input_tokens);
  }); // biome-ignore format: long lines

  test('calls, whose results are sent back with what came', async () => {
    const both = await ask('do both');
    expect(both.output).toMatchObject([
      { type: 'function_call', name: 'look', status: 'completed' },
      { type: 'function_call', name: 'add', status: 'completed' },
    ]);
    const called = await ask('look up');
    const [call] = called.output;
    if (call?.type !== 'function_call') throw new Error('no call');
    expect(JSON.parse(call.arguments)).toEqual({ at: 'the sky' });
    const result: Item = { type: 'function_call_output', call_id: call.call_id, output: 'blue' };
    const next = await ask([{ role: 'user', content: 'look up' }, ...(called.output as Item[]), result]);
    expect(next.output_text).toBe('It is blue.');
    const one = await ask('do both', { parallel_tool_calls: false });
    expect(one.output.length).toBe(1);
  });

  test('thoughts are an item of their own, and can be sent back', async () => {
    const answer = await ask('think');
    expect(answer.output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
    expect(answer.output[0]).toMatchObject({
      summary: [],
      content: [{ type: 'reasoning_text', text: 'A cat is here.' }],
    });
    expect(answer.output_text).toBe('Yes.');
    const again: Item[] = [
      { role: 'user', content: 'think' },
      ...(answer.output as Item[]),
      { role: 'user', content: 'hello' },
    ];
    const [with_, without] = [
      await ask(again, { max_output_tokens: 1 }),
      await ask(
        again.filter((item) => item.type !== 'reasoning'),
        { max_output_tokens: 1 },
      ),
    ];
    expect(with_.usage!.input_tokens).toBeGreaterThan(without.usage!.input_tokens);
  });

  test('JSON of a schema', async () => {
    const format = {
      type: 'json_schema' as const,
      name: 'colour',
      schema: { type: 'object', properties: { is: { enum: ['red', 'blue'] } }, required: ['is'] },
    };
    const answer = await ask('think', { tools: [], text: { format } });
    expect(['red', 'blue']).toContain((JSON.parse(answer.output_text) as { is: string }).is);
    expect(answer.text!.format).toEqual(format);
  });

  test('a call that is required', async () => {
    const { output } = await ask('hello', {
      tool_choice: { type: 'function', name: 'add' },
      parallel_tool_calls: false,
      max_output_tokens: 60,
    });
    expect(output).toMatchObject([{ type: 'function_call', name: 'add', status: 'completed' }]);
  });

  test('an answer that is cut, instructions, and what is no call', async () => {
    const cut = await ask('think', { max_output_tokens: 3 });
    expect(cut).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    const more = await ask('hello', { instructions: 'Be brief.', max_output_tokens: 1 });
    const less = await ask('hello', { max_output_tokens: 1 });
    expect(more.usage!.input_tokens).toBeGreaterThan(less.usage!.input_tokens);
    expect(more.instructions).toBe('Be brief.');
    const broken = await ask('fail');
    expect(broken.output.map(({ type }) => type)).toEqual(['message']);
    expect(broken.output_text).toMatch(/^<tool_call>/);
  });
});

describe('streamed', () => {
  const text = [
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
  ];
  const thoughts = text.map((type) => type.replace('output_text', 'reasoning_text'));
  const call = [
    'response.output_item.added',
    'response.function_call_arguments.delta',
    'response.function_call_arguments.done',
    'response.output_item.done',
  ];
  const whole = (...inner: readonly (readonly string[])[]) => [
    'response.created',
    'response.in_progress',
    ...inner.flat(),
    'response.completed',
  ];

  test.each([
    ['hello', whole(text)],
    ['think', whole(thoughts, text)],
    ['do both', whole(call, call)],
  ])('the events of "%s", in their order', async (input, types) => {
    const events = await eventsOf(asking(input));
    expect(typesOf(events)).toEqual(types);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
    const last = events.at(-1)!;
    if (last.type !== 'response.completed') throw new Error(last.type);
    const same = (output: OpenAI.Responses.ResponseOutputItem[]) =>
      output.map((item) => ({ ...item, id: '', call_id: '' }));
    expect(same(last.response.output)).toEqual(same((await ask(input)).output));
    expect(last.response.usage!.output_tokens).toBeGreaterThan(0);
  });

  test('the helper of the client that gathers them', async () => {
    const { stream: _, ...body } = { ...asking('do both'), stream: true };
    const gathered = await client.responses.stream(body).finalResponse();
    expect(gathered.output.map((item) => (item.type === 'function_call' ? item.arguments : item.type))).toEqual([
      '{"at": "a dog"}',
      '{"a": 2}',
    ]);
    expect(
      (await client.responses.stream({ model: 'tools', input: 'think', tools, temperature: 0 }).finalResponse())
        .output_text,
    ).toBe('Yes.');
  });

  test('one that is cut ends as incomplete, and what is no call goes on as text', async () => {
    const cut = await eventsOf({ ...asking('hello'), max_output_tokens: 1 });
    expect(cut.at(-1)!.type).toBe('response.incomplete');
    const broken = (await eventsOf(asking('fail'))).at(-1)!;
    if (broken.type !== 'response.completed') throw new Error(broken.type);
    expect(broken.response.output.at(-1)).toMatchObject({ type: 'message', status: 'completed' });
    expect(broken.response.output[0]).toMatchObject({ type: 'function_call', status: 'incomplete' });
  });
});

describe('refused', () => {
  const user = { role: 'user', content: 'x' };
  test.each([
    ['store', 'unsupported_parameter', { store: true }],
    ['previous_response_id', 'unsupported_parameter', { previous_response_id: 'resp_1' }],
    ['conversation', 'unsupported_parameter', { conversation: 'conv_1' }],
    ['background', 'unsupported_parameter', { background: true }],
    ['truncation', 'unsupported_parameter', { truncation: 'auto' }],
    ['include', 'unsupported_parameter', { include: ['reasoning.encrypted_content'] }],
    ['unheard', 'unknown_parameter', { unheard: 1 }],
    ['input', 'missing_required_parameter', { input: undefined }],
    ['input', 'invalid_value', { input: [] }],
    ['input[0].type', 'invalid_value', { input: [{ type: 'web_search_call', id: 'x' }] }],
    ['input[0].content[0].type', 'invalid_value', { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] }],
    ['input[1].call_id', 'invalid_value', { input: [user, { type: 'function_call_output', call_id: 'x', output: 'y' }] }],
    ['tools[0].type', 'invalid_value', { tools: [{ type: 'web_search' }] }],
    ['tools[1].name', 'invalid_value', { tools: [tools[0], tools[0]] }],
    ['tools[0].strict', 'invalid_value', { tools: [{ ...tools[0], strict: true }] }],
    ['text.format', 'invalid_value', { text: { format: { type: 'json_object' } } }],
    ['text.format', 'invalid_value', { tools: [], text: { format: { type: 'json_schema', name: 'x', schema: { type: 'string', pattern: 'x' } } } }],
    ['text.format.type', 'invalid_value', { text: { format: { type: 'xml' } } }],
    ['reasoning.effort', 'unsupported_parameter', { reasoning: { effort: 'high' } }],
    ['reasoning.summary', 'invalid_value', { reasoning: { summary: 'auto' } }],
    ['tool_choice', 'invalid_value', { tool_choice: { type: 'function', name: 'none' } }],
  ])('%s: %s', async (param, code, body) => {
    const error = await client.responses.create({ ...asking('hello'), ...body } as Body).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ param, code });
  }); // biome-ignore format: a table

  test('too long an input, whole and streamed, and tools where there is no place for them', async () => {
    const input = 'and on '.repeat(4000);
    for (const stream of [false, true]) {
      const error = await client.responses
        .create({ ...asking(input), stream } as Body)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', param: 'input' });
    }
    const error = await ask('hello', { model: 'nomoat-mini' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ param: 'tools', code: 'unsupported_parameter' });
  });
});
