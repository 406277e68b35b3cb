/** Tools and thoughts over HTTP, by the official client, with a model that was tuned to call and to think. */
import { join } from 'node:path';
import type OpenAI from 'openai';
import { BadRequestError } from 'openai';
import type { RunnableToolFunctionWithParse } from 'openai/lib/RunnableFunction';
import { beforeAll, describe, expect, test } from 'vitest';
import { folder, type Served, served } from './support.ts';
import { lessons, tools, tuneToolModel } from './tool-model.ts';

type Body = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'>;
type Messages = OpenAI.ChatCompletionMessageParam[];
/** As vLLM names it; OpenAI's types have no place for it. */
interface Thinking {
  readonly reasoning_content?: string;
}

const runs = join(folder, 'runs');
let server: Served;
let client: OpenAI;
beforeAll(async () => {
  await tuneToolModel(join(folder, 'base'), runs);
  server = await served({ runs, models: [join(folder, 'base')] });
  ({ client } = server);
}, 120_000);

/** What a lesson's answer is asked with. */
const asked = (name: keyof typeof lessons): Messages => lessons[name].slice(0, -1) as Messages;
const learnt = (name: keyof typeof lessons) => lessons[name].at(-1)!;
const asking = (name: keyof typeof lessons): Body => ({
  model: 'tools',
  tools,
  temperature: 0,
  messages: asked(name),
});

async function choiceOf(body: Body): Promise<OpenAI.ChatCompletion.Choice> {
  return (await client.chat.completions.create(body)).choices[0]!;
}

const callsOf = (message: OpenAI.ChatCompletionMessage) =>
  (message.tool_calls ?? []).map((call) =>
    call.type === 'function' ? [call.function.name, JSON.parse(call.function.arguments)] : [],
  );

async function refused(body: object): Promise<BadRequestError> {
  const error = await client.chat.completions
    .create({ ...asking('plain'), ...body } as Body)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BadRequestError);
  return error as BadRequestError;
}

describe('calls', () => {
  test('one, whose result is sent back as the answer came', async () => {
    const { finish_reason, message } = await choiceOf(asking('look'));
    expect(finish_reason).toBe('tool_calls');
    expect(message).toMatchObject({ content: null, tool_calls: [{ type: 'function' }] });
    expect(callsOf(message)).toEqual([['look', { at: 'the sky' }]]);
    const result = { role: 'tool' as const, tool_call_id: message.tool_calls![0]!.id, content: 'blue' };
    const next = await choiceOf({ ...asking('look'), messages: [...asked('look'), message, result] });
    expect(next).toMatchObject({ finish_reason: 'stop', message: { content: 'It is blue.' } });
    expect(next.message.tool_calls).toBe(undefined);
  });

  test('two in one answer, with ids of their own, or one where no more may be', async () => {
    const both = await choiceOf(asking('both'));
    expect(callsOf(both.message)).toEqual([
      ['look', { at: 'a dog' }],
      ['add', { a: 2 }],
    ]);
    const [first, second] = both.message.tool_calls!;
    expect(first!.id).toMatch(/^[0-9a-zA-Z]{9}$/);
    expect(second!.id).not.toBe(first!.id);
    const one = await client.chat.completions.create({ ...asking('both'), parallel_tool_calls: false });
    expect(one.choices[0]!.finish_reason).toBe('tool_calls');
    expect(callsOf(one.choices[0]!.message)).toEqual([['look', { at: 'a dog' }]]);
    const all = await client.chat.completions.create(asking('both'));
    expect(one.usage!.completion_tokens).toBeLessThan(all.usage!.completion_tokens - 5);
  });

  test('a stream tells of them as they come', async () => {
    const stream = await client.chat.completions.create({ ...asking('both'), stream: true });
    const deltas: OpenAI.ChatCompletionChunk.Choice[] = [];
    for await (const { choices } of stream) deltas.push(choices[0]!);
    const calls = deltas.flatMap(({ delta }) => delta.tool_calls ?? []);
    expect(calls[0]).toMatchObject({ index: 0, type: 'function', function: { name: 'look', arguments: '' } });
    expect(calls[0]!.id).toMatch(/\w/);
    const given = [0, 1].map((index) =>
      calls.filter((call) => call.index === index).map((call) => call.function?.arguments ?? ''),
    );
    expect(given.map((pieces) => JSON.parse(pieces.join('')))).toEqual([{ at: 'a dog' }, { a: 2 }]);
    expect(given[0]!.filter((piece) => piece !== '').length).toBeGreaterThan(3);
    expect(deltas.map(({ delta }) => delta.content ?? '').join('')).toBe('');
    expect(deltas.at(-1)).toMatchObject({ delta: {}, finish_reason: 'tool_calls' });
  });

  test('the helpers of the client: a stream is gathered, and tools are run until there is an answer', async () => {
    const gathered = await client.chat.completions.stream(asking('both')).finalMessage();
    expect(callsOf(gathered)).toEqual([
      ['look', { at: 'a dog' }],
      ['add', { a: 2 }],
    ]);
    const seen: string[] = [];
    const look: RunnableToolFunctionWithParse<{ at: string }> = {
      type: 'function',
      function: {
        name: 'look',
        description: 'x',
        parameters: { type: 'object', properties: { at: { type: 'string' } } },
        parse: (text) => JSON.parse(text) as { at: string },
        function: ({ at }) => {
          seen.push(at);
          return 'blue';
        },
      },
    };
    for (const stream of [false, true]) {
      const { tools: _, ...body } = asking('look');
      const runner = stream
        ? client.chat.completions.runTools({ ...body, stream, tools: [look] })
        : client.chat.completions.runTools({ ...body, tools: [look] });
      expect(await runner.finalContent()).toMatch(/\w/);
    }
    expect(seen).toEqual(['the sky', 'the sky']);
  });

  test('what is no call stays text, whole and streamed', async () => {
    const { content } = learnt('broken');
    expect(await choiceOf(asking('broken'))).toMatchObject({ finish_reason: 'stop', message: { content } });
    const gathered = await client.chat.completions.stream(asking('broken')).finalChatCompletion();
    expect(gathered.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content } });
    const { message } = await choiceOf(asking('plain'));
    expect(message).toEqual({ role: 'assistant', content: 'Hi.', refusal: null });
  });

  test('a call that is cut off is none', async () => {
    const cut = await choiceOf({ ...asking('look'), max_tokens: 12 });
    expect(cut.finish_reason).toBe('length');
    expect(cut.message.tool_calls).toBe(undefined);
    expect(cut.message.content).toMatch(/^<tool_call>/);
  });

  test('with tool_choice none the model is not told of the tools', async () => {
    const without = await client.chat.completions.create({ ...asking('look'), tools: [], max_tokens: 1 });
    const none = await client.chat.completions.create({ ...asking('look'), tool_choice: 'none', max_tokens: 1 });
    const auto = await client.chat.completions.create({ ...asking('look'), tool_choice: 'auto', max_tokens: 1 });
    expect(none.usage!.prompt_tokens).toBe(without.usage!.prompt_tokens);
    expect(auto.usage!.prompt_tokens).toBeGreaterThan(none.usage!.prompt_tokens);
  });
});

test('a call that is required is made, of the tool that is named, with arguments that its schema admits', async () => {
  const some = { ...asking('plain'), max_tokens: 60 };
  for (const seed of [1, 2, 3]) {
    const drawn = { ...some, temperature: 1.5, seed, parallel_tool_calls: false };
    const { finish_reason, message } = await choiceOf({ ...drawn, tool_choice: 'required' });
    // An argument may be longer than there is room for: then the call is cut, and none.
    if (finish_reason === 'length') continue;
    expect(finish_reason).toBe('tool_calls');
    expect(message.tool_calls!.length).toBe(1);
  }
  const named = await choiceOf({ ...some, tool_choice: { type: 'function', function: { name: 'add' } } });
  expect(named.finish_reason).toBe('tool_calls');
  for (const call of named.message.tool_calls!) expect(call.type === 'function' && call.function.name).toBe('add');
  expect(Number.isInteger((callsOf(named.message)[0]![1] as { a: number }).a)).toBe(true);
  const thought = await choiceOf({ ...asking('thought'), tool_choice: 'required', parallel_tool_calls: false });
  expect(thought.finish_reason).toBe('tool_calls');
});

test('of a model that thinks, an answer that has to be JSON is no thought', async () => {
  const { message } = await choiceOf({
    ...asking('thought'),
    tools: [],
    response_format: { type: 'json_object' },
    max_tokens: 20,
  });
  expect(message.content).toMatch(/^\{/);
});

describe('thoughts', () => {
  const thoughtsOf = (message: object) => (message as Thinking).reasoning_content;

  test('stand beside the answer, whole and streamed, and can be sent back', async () => {
    const { message } = await choiceOf(asking('thought'));
    expect(message.content).toBe('Yes.');
    expect(thoughtsOf(message)).toBe('A cat is here.');
    const pieces = { thoughts: '', text: '' };
    for await (const { choices } of await client.chat.completions.create({ ...asking('thought'), stream: true })) {
      expect(pieces.text === '' || !thoughtsOf(choices[0]!.delta)).toBe(true);
      pieces.thoughts += thoughtsOf(choices[0]!.delta) ?? '';
      pieces.text += choices[0]!.delta.content ?? '';
    }
    expect(pieces).toEqual({ thoughts: 'A cat is here.', text: 'Yes.' });
    const usageOf = async (answer: object) =>
      (
        await client.chat.completions.create({
          ...asking('thought'),
          messages: [...asked('thought'), answer, ...asked('plain')] as Messages,
          max_tokens: 1,
        })
      ).usage!;
    const [with_, without] = [await usageOf(message), await usageOf({ role: 'assistant', content: message.content })];
    expect(with_.prompt_tokens).toBeGreaterThan(without.prompt_tokens);
  });

  test('are left out where the template can, and a stop sequence is looked for in the answer alone', async () => {
    const off = await client.chat.completions.create({ ...asking('thought'), reasoning_effort: 'none' });
    const same = await client.chat.completions.create({
      ...asking('thought'),
      chat_template_kwargs: { enable_thinking: false },
    } as Body);
    expect(same.usage!.prompt_tokens).toBe(off.usage!.prompt_tokens);
    const on = await client.chat.completions.create({ ...asking('thought'), stop: 'cat' });
    expect(on.usage!.prompt_tokens).toBeLessThan(off.usage!.prompt_tokens);
    expect(on.choices[0]!.message.content).toBe('Yes.');
  });
});

describe('refused', () => {
  const call = { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } };
  const user = { role: 'user', content: 'x' };
  const deep = JSON.parse(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`) as object;
  const tool = (more: object) => ({ tools: [{ type: 'function', function: { name: 'f', ...more } }] });
  test.each([
    ['tools[0].type', 'invalid_value', { tools: [{ type: 'custom', custom: { name: 'f' } }] }],
    ['tools[0].function.name', 'invalid_value', tool({ name: 'a b' })],
    ['tools[1].function.name', 'invalid_value', { tools: [...tool({}).tools, ...tool({}).tools] }],
    ['tools[0].function.strict', 'invalid_value', tool({ strict: true })],
    ['tools[0].function.parameters', 'invalid_value', tool({ parameters: deep })],
    ['tools[0].function.parameters', 'invalid_value', tool({ parameters: { '\ud800': 1 } })],
    ['tools[0].function.why', 'unknown_parameter', tool({ why: 1 })],
    ['tool_choice', 'invalid_value', { tool_choice: 'required', tools: [] }],
    ['tool_choice', 'invalid_value', { tool_choice: { type: 'function', function: { name: 'none' } } }],
    ['tool_choice', 'invalid_value', { tool_choice: 'any' }],
    ['tools', 'unsupported_parameter', { tool_choice: 'required', ...tool({ parameters: { type: 'object', properties: { a: { type: 'string', pattern: 'x' } } } }) }],
    ['functions', 'unsupported_parameter', { functions: [{ name: 'f' }] }],
    ['reasoning_effort', 'unsupported_parameter', { reasoning_effort: 'high' }],
    ['reasoning_effort', 'invalid_value', { reasoning_effort: 'much' }],
    ['chat_template_kwargs.unheard', 'unsupported_parameter', { chat_template_kwargs: { unheard: true } }],
    ['chat_template_kwargs', 'invalid_value', { chat_template_kwargs: { messages: 'x' } }],
    ['messages[0].tool_calls', 'invalid_value', { messages: [{ ...user, tool_calls: [call] }] }],
    ['messages[0].reasoning_content', 'invalid_value', { messages: [{ ...user, reasoning_content: 'x' }] }],
    ['messages[0].tool_call_id', 'invalid_value', { messages: [{ ...user, tool_call_id: 'x' }] }],
    ['messages[1].content', 'invalid_value', { messages: [user, { role: 'assistant', content: null }] }],
    ['messages[1].tool_call_id', 'invalid_value', { messages: [user, { role: 'tool', content: 'x', tool_call_id: 'a' }] }],
    ['messages[2].tool_call_id', 'missing_required_parameter', { messages: [user, { role: 'assistant', tool_calls: [call] }, { role: 'tool', content: 'x' }] }],
  ])('%s: %s', async (param, code, body) => {
    expect(await refused(body)).toMatchObject({ param, code });
  }); // biome-ignore format: a table

  test('tools, by a model whose template has no place for them, and their results too', async () => {
    const error = await refused({ model: 'nomoat-mini' });
    expect(error).toMatchObject({ param: 'tools', code: 'unsupported_parameter' });
    expect(error.message).toContain('has no place for tools');
    const messages = [...asked('result')];
    const lost = await refused({ model: 'nomoat-mini', tools: undefined, messages });
    expect(lost).toMatchObject({ param: 'messages', code: 'invalid_conversation' });
  });
});
