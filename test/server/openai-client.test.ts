/** The official client of OpenAI's API, unmodified, over a real socket, against real models. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai';
import { beforeAll, describe, expect, test } from 'vitest';
import { endless, folder, manyTokens, reference, type Served, seconds, served, until } from './support.ts';

const models = join(folder, 'models');
mkdirSync(models);
cpSync(reference, join(models, 'reference.gguf'));
endless(join(models, 'endless.gguf'));

/** What the server knows of the disk holds for so long here. */
const listMilliseconds = 50;
const read = () => new Promise((resolve) => setTimeout(resolve, 2 * listMilliseconds));

let server: Served;
let client: OpenAI;
beforeAll(async () => {
  server = await served({ models: [models], contextSize: manyTokens }, { listMilliseconds });
  ({ client } = server);
});

const messages = [{ role: 'user' as const, content: 'What is your name?' }];
const mini = { model: 'nomoat-mini', messages, temperature: 0 };
/** Says the same token until its context is full. */
const long = { model: 'endless', prompt: 'Once', temperature: 0, max_tokens: manyTokens };

/** Seconds: on a busy machine too, and much less than `long` takes. */
const atOnce = 5;

async function gathered<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}

async function thrown(call: () => PromiseLike<unknown>): Promise<unknown> {
  return call().then(
    () => null,
    (error: unknown) => error,
  );
}
/** What the client makes of an answer that is an error. */
async function refused(call: () => PromiseLike<unknown>): Promise<InstanceType<typeof APIError>> {
  const error = await thrown(call);
  if (error instanceof APIError) return error;
  throw error ?? new Error('was answered');
}

describe('models', () => {
  test('are listed and retrieved', async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(['endless', 'reference', 'nomoat-mini']);
    const model = await client.models.retrieve('reference');
    expect(model).toEqual(data[1]);
    expect(model).toMatchObject({ object: 'model', parent: null, root: 'reference', shutdown_date: null });
    expect(Math.abs(model.created - Date.now() / 1000)).toBeLessThan(3600);
  });

  test('that do not exist', async () => {
    for (const call of [
      () => client.models.retrieve('refrence'),
      () => client.chat.completions.create({ ...mini, model: 'refrence' }),
    ]) {
      const error = await refused(call);
      expect(error).toBeInstanceOf(NotFoundError);
      expect(error).toMatchObject({
        status: 404,
        code: 'model_not_found',
        param: 'model',
        type: 'invalid_request_error',
      });
      expect(error.message).toContain('Did you mean reference?');
    }
  });

  test('no name is a path', async () => {
    const paths = [reference, '../models/reference.gguf', 'models/reference.gguf', '/etc/passwd', '%2e%2e/x'];
    for (const path of paths)
      expect(await refused(() => client.models.retrieve(path)), path).toMatchObject({ status: 404 });
    for (const model of [...paths, '..', '.', models, folder, '\0'])
      expect(await refused(() => client.chat.completions.create({ ...mini, model })), model).toMatchObject({
        status: 404,
      });
  });
});

describe('chat', () => {
  test('an answer, with its tokens counted', async () => {
    const answer = await client.chat.completions.create({ ...mini, max_tokens: 8 });
    expect(answer).toMatchObject({ object: 'chat.completion', model: 'nomoat-mini' });
    const [choice] = answer.choices;
    expect(choice).toMatchObject({ index: 0, finish_reason: 'length', message: { role: 'assistant', refusal: null } });
    expect(choice!.message.content).toMatch(/\w/);
    const { completion_tokens, prompt_tokens, total_tokens } = answer.usage!;
    expect([completion_tokens, total_tokens]).toEqual([8, prompt_tokens + 8]);
    const whole = await client.chat.completions.create(mini);
    expect(whole.choices[0]!.finish_reason).toBe('stop');
    expect(whole.choices[0]!.message.content!.startsWith(choice!.message.content!)).toBe(true);
    // What was asked just before is not evaluated again, but for the token that the next one follows.
    expect(whole.usage!.prompt_tokens_details!.cached_tokens).toBe(prompt_tokens - 1);
  });

  test('an answer can be sent back as it is, with parts, a system and a developer message', async () => {
    const { message } = (await client.chat.completions.create(mini)).choices[0]!;
    const parts = [
      { type: 'text' as const, text: 'And ' },
      { type: 'text' as const, text: 'mine?' },
    ];
    const ask = (role: 'system' | 'developer', content: typeof parts | string) =>
      client.chat.completions.create({
        ...mini,
        messages: [{ role, content: 'Be brief.' }, ...messages, message, { role: 'user', content }],
      });
    const [first, second] = [await ask('system', parts), await ask('developer', 'And mine?')];
    expect(second.choices).toEqual(first.choices);
    expect(first.usage!.prompt_tokens).toBe(second.usage!.prompt_tokens);
  });

  test('a stream is the same answer in pieces', async () => {
    const whole = await client.chat.completions.create(mini);
    const stream = await client.chat.completions.create({
      ...mini,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await gathered(stream);
    expect(chunks[0]!.choices[0]!.delta).toEqual({ role: 'assistant', content: '' });
    const texts = chunks.map(({ choices }) => choices[0]?.delta.content ?? '');
    expect(texts.filter((text) => text !== '').length).toBeGreaterThan(2);
    expect(texts.join('')).toBe(whole.choices[0]!.message.content);
    expect(chunks.at(-2)!.choices[0]).toMatchObject({ finish_reason: 'stop', delta: {} });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: whole.usage!.completion_tokens } });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  });

  test('the helper of the client that gathers a stream', async () => {
    const { content } = (await client.chat.completions.create(mini)).choices[0]!.message;
    expect(await client.chat.completions.stream(mini).finalContent()).toBe(content);
  });

  test('a seed repeats, and the second choice is what the next seed gives', async () => {
    const drawn = { ...mini, temperature: 2, top_p: 1, top_k: 0, min_p: 0, max_tokens: 12, seed: 7 };
    const ask = async (more: object) =>
      (await client.chat.completions.create({ ...drawn, ...more })).choices.map(({ message }) => message.content);
    const [first] = await ask({});
    expect(await ask({})).toEqual([first]);
    const [next] = await ask({ seed: 8 });
    expect(next).not.toBe(first);
    expect(await ask({ n: 2 })).toEqual([first, next]);
  });

  test('a stop sequence ends the answer before it, also across the borders of tokens', async () => {
    const content = (await client.chat.completions.create(mini)).choices[0]!.message.content!;
    const stream = await client.chat.completions.create({ ...mini, stream: true });
    const pieces = (await gathered(stream)).map(({ choices }) => choices[0]?.delta.content ?? '');
    const borders = pieces
      .flatMap((_, i) => pieces.slice(0, i).join('').length)
      .filter((at) => at > 2 && at < content.length - 2);
    // Of the border's two sides.
    const at = borders.find((border) => content.indexOf(content.slice(border - 2, border + 2)) === border - 2)!;
    const stop = content.slice(at - 2, at + 2);
    const answer = await client.chat.completions.create({ ...mini, stop: ['never said', stop] });
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: content.slice(0, at - 2) } });
    expect(answer.usage!.completion_tokens).toBeLessThan(pieces.length);
    // Nothing is computed behind it.
    const begun = (await client.completions.create({ ...long, max_tokens: 40 })).choices[0]!.text;
    const ended = await client.completions.create({ ...long, stop: begun.slice(2, 6) }, { timeout: 20_000 });
    expect(ended.choices[0]!.finish_reason).toBe('stop');
    expect(ended.usage!.completion_tokens).toBeLessThanOrEqual(40);
  });
});

test('penalties and biases, on both routes', async () => {
  const drawn = { model: 'nomoat-mini', temperature: 2, top_p: 1, top_k: 0, min_p: 0, seed: 7, max_tokens: 40 };
  const chat = async (more: object) =>
    (await client.chat.completions.create({ ...drawn, messages, ...more })).choices[0]!.message.content;
  const complete = async (more: object) =>
    (await client.completions.create({ ...drawn, prompt: 'Once', ...more })).choices[0]!.text;
  for (const ask of [chat, complete]) {
    const plain = await ask({});
    for (const more of [{ frequency_penalty: -2 }, { presence_penalty: -2 }, { logit_bias: { 5: 100 } }])
      expect(await ask(more), JSON.stringify(more)).not.toBe(plain);
    expect(await ask({ logit_bias: { 5: 0 }, presence_penalty: 0 })).toBe(plain);
  }
});

describe('completions', () => {
  test('continue texts as they are, several and by repetition', async () => {
    const one = { model: 'nomoat-mini', temperature: 0, max_tokens: 6 };
    const [first, second] = await Promise.all(
      ['Once upon', 'The cat'].map((prompt) => client.completions.create({ ...one, prompt })),
    );
    const both = await client.completions.create({ ...one, prompt: ['Once upon', 'The cat'], n: 2 });
    const text = (answer: typeof both, index: number) => answer.choices[index]!.text;
    expect(both.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(both.choices.map(({ text: each }) => each)).toEqual([
      text(first!, 0),
      text(first!, 0),
      text(second!, 0),
      text(second!, 0),
    ]);
    expect(both.usage!.prompt_tokens).toBe(first!.usage!.prompt_tokens + second!.usage!.prompt_tokens);
    expect(both.usage!.completion_tokens).toBe(
      2 * (first!.usage!.completion_tokens + second!.usage!.completion_tokens),
    );
  });

  test('16 tokens unless more are asked for, and streamed', async () => {
    const stream = await client.completions.create({
      ...long,
      max_tokens: null,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await gathered(stream);
    expect(chunks.at(-1)!.usage!.completion_tokens).toBe(16);
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe('length');
  });
});

describe('errors', () => {
  const wrong: readonly (readonly [param: string, code: string, body: object])[] = [
    ['frequency_penalty', 'invalid_value', { frequency_penalty: 2.5 }],
    ['presence_penalty', 'invalid_value', { presence_penalty: -2.5 }],
    ['logit_bias.5', 'invalid_value', { logit_bias: { 5: 101 } }],
    ['logit_bias.the', 'invalid_value', { logit_bias: { the: 1 } }],
    ['logit_bias', 'invalid_value', { logit_bias: { 100000: 1 } }],
    ['tools', 'unsupported_parameter', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['response_format.type', 'invalid_value', { response_format: { type: 'xml' } }],
    ['response_format.json_schema', 'missing_required_parameter', { response_format: { type: 'json_schema' } }],
    ['response_format', 'invalid_value', { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'string', pattern: 'a' } } } }],
    ['logprobs', 'invalid_value', { logprobs: 5 }],
    ['top_logprobs', 'invalid_value', { logprobs: true, top_logprobs: 21 }],
    ['top_logprobs', 'invalid_value', { top_logprobs: 1 }],
    ['user', 'unsupported_parameter', { user: 'me' }],
    ['temprature', 'unknown_parameter', { temprature: 1 }],
    ['__proto__', 'unknown_parameter', JSON.parse('{"__proto__":1}') as object],
    ['temperature', 'invalid_value', { temperature: 3 }],
    ['top_p', 'invalid_value', { top_p: 0 }],
    ['seed', 'invalid_value', { seed: 1.5 }],
    ['n', 'invalid_value', { n: 17 }],
    ['lora[0].scale', 'invalid_value', { lora: [{ id: 'reference', scale: 2.1 }] }],
    ['lora[0].scale', 'invalid_value', { lora: [{ id: 'reference', scale: -1 }] }],
    ['lora[0].id', 'invalid_value', { lora: [{ id: 'reference' }] }],
    ['lora[1].id', 'invalid_value', { lora: [{ id: 'a' }, { id: 'a' }] }],
    ['lora[0].name', 'unknown_parameter', { lora: [{ id: 'a', name: 'a' }] }],
    ['lora[0].id', 'missing_required_parameter', { lora: [{}] }],
    ['stop', 'invalid_value', { stop: ['a', 'b', 'c', 'd', 'e'] }],
    ['stop', 'invalid_value', { stop: '' }],
    ['max_tokens', 'invalid_value', { max_tokens: 1, max_completion_tokens: 2 }],
    ['stream_options', 'invalid_value', { stream_options: { include_usage: true } }],
    ['stream_options.include_obfuscation', 'unknown_parameter', { stream: true, stream_options: { include_obfuscation: true } }],
    ['messages', 'missing_required_parameter', { messages: undefined }],
    ['messages', 'invalid_value', { messages: [] }],
    ['messages[0].content', 'missing_required_parameter', { messages: [{ role: 'user' }] }],
    ['messages[0].content', 'invalid_value', { messages: [{ role: 'user', content: '\ud800' }] }],
    ['messages[1].role', 'invalid_value', { messages: [...messages, { role: 'function', content: 'x' }] }],
    ['messages[0].weight', 'unknown_parameter', { messages: [{ role: 'user', content: 'x', weight: 1 }] }],
    ['messages[0].content[1].type', 'invalid_value', { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }, { type: 'image_url', image_url: { url: 'x' } }] }] }],
  ]; // biome-ignore format: a table

  test.each(wrong)('%s: %s', async (param, code, body) => {
    const error = await refused(() => client.chat.completions.create({ ...mini, ...body }));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ param, code, type: 'invalid_request_error' });
    expect(error.message).toContain(param);
    expect(error.requestID).toMatch(/^req_/);
  });

  test('what asks for nothing is no fault', async () => {
    const nothing = {
      frequency_penalty: 0,
      presence_penalty: null,
      logit_bias: {},
      logprobs: false,
      tools: [],
      store: false,
      response_format: { type: 'text' as const },
      n: 1,
      service_tier: 'auto' as const,
      stop: null,
      user: null,
    };
    const answer = await client.chat.completions.create({ ...mini, ...nothing, max_tokens: 1 } as typeof mini);
    expect(answer.usage!.completion_tokens).toBe(1);
  });

  test('a conversation that is too long: both numbers, also of a stream', async () => {
    const content = 'and on '.repeat(200);
    for (const stream of [false, true]) {
      const error = await refused(() =>
        client.chat.completions.create({ model: 'reference', messages: [{ role: 'user', content }], stream }),
      );
      expect(error).toBeInstanceOf(BadRequestError);
      expect(error).toMatchObject({ code: 'context_length_exceeded', param: 'messages' });
      expect(error.message).toMatch(/has 817 tokens, and the context holds 256 with the answer/);
    }
  });

  test('a model that vanished, and one that is broken, without where it lay', async () => {
    const broken = join(models, 'broken.gguf');
    writeFileSync(broken, 'GGUF, and then nothing of a model');
    await read();
    const error = await refused(() => client.chat.completions.create({ ...mini, model: 'broken' }));
    expect(error).toMatchObject({ status: 422, code: 'unusable_model' });
    expect(error.message).not.toContain(models);
    rmSync(broken);
    await read();
    expect(await refused(() => client.chat.completions.create({ ...mini, model: 'broken' }))).toMatchObject({
      status: 404,
    });
  });
});

test('a stream that is left half-way stops its computation: the next request is answered at once', async () => {
  const stream = await client.completions.create({ ...long, stream: true });
  let pieces = 0;
  for await (const _ of stream) if (++pieces === 5) break;
  const next = () => client.completions.create({ ...long, max_tokens: 1 });
  expect(await seconds(next)).toBeLessThan(atOnce);
  await until(() => server.log.some((entry) => entry.type === 'request' && entry.status === 499));
});

test('more than may wait are told to come again, and whoever leaves the queue frees a place', {
  timeout: 60_000,
}, async () => {
  const { client: own, log } = await served(
    { models: [models], contextSize: manyTokens },
    { sequences: 1, waitingPerModel: 1 },
  );
  const [running, waiting] = [new AbortController(), new AbortController()];
  const stream = await own.completions.create({ ...long, stream: true }, { signal: running.signal });
  const left = thrown(() => own.completions.create({ ...long, max_tokens: 1 }, { signal: waiting.signal }));
  let refusal: unknown = null;
  // The one that waits has got there when the next is refused.
  while (!(refusal instanceof RateLimitError))
    refusal = await thrown(() =>
      own.completions.create({ ...long, max_tokens: 1 }, { signal: AbortSignal.timeout(200) }),
    );
  expect(refusal).toMatchObject({ code: 'rate_limit_exceeded', type: 'invalid_request_error' });
  expect(refusal.headers.get('retry-after')).toBe('2');
  // Another model is free.
  expect((await own.chat.completions.create({ ...mini, max_tokens: 1 })).usage!.completion_tokens).toBe(1);
  waiting.abort();
  expect(await left).toBeInstanceOf(OpenAI.APIUserAbortError);
  await until(() => log.some((entry) => entry.type === 'request' && entry.status === 499));
  const next = own.completions.create({ ...long, max_tokens: 1 });
  running.abort();
  await thrown(() => gathered(stream));
  expect((await next).usage!.completion_tokens).toBe(1);
});

test('sixteen at once are answered side by side, each as it would be alone', async () => {
  const { client: own, log } = await served({ models: [models] });
  const names = ['Ada', 'Bob', 'Cem', 'Dee'];
  const ask = async (name: string) => {
    const said = [{ role: 'user' as const, content: `My name is ${name}. What is my name?` }];
    return (await own.chat.completions.create({ ...mini, messages: said, max_tokens: 24 })).choices[0]!.message.content;
  };
  const alone: (string | null)[] = [];
  for (const name of names) alone.push(await ask(name));
  const together = await Promise.all(Array.from({ length: 16 }, (_, i) => ask(names[i % names.length]!)));
  expect(together).toEqual(Array.from({ length: 16 }, (_, i) => alone[i % names.length]));
  // It is one model still, for who reads the log.
  expect(log.filter(({ type }) => type === 'model-opened')).toHaveLength(1);
});

test('with a key, only who has it is answered; health is for everybody', async () => {
  const { client: own, url } = await served({ models: [models], apiKey: 'sk-secret' });
  expect((await own.models.list()).data.length).toBeGreaterThan(1);
  const stranger = own.withOptions({ apiKey: 'sk-guess' });
  const error = await refused(() => stranger.models.list());
  expect(error).toBeInstanceOf(AuthenticationError);
  expect(error.code).toBe('invalid_api_key');
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});

test('a server that closes ends what runs, with a word, and takes nothing more', async () => {
  const {
    client: own,
    close,
    url,
  } = await served({ models: [models], contextSize: manyTokens }, { graceMilliseconds: 200 });
  const stream = await own.completions.create({ ...long, stream: true });
  const read = thrown(() => gathered(stream));
  const whole = refused(() => own.completions.create({ ...long }));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await seconds(close)).toBeLessThan(atOnce);
  expect(await read).toMatchObject({ code: 'server_stopping' });
  expect(await whole).toMatchObject({ status: 503, code: 'server_stopping' });
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

test('the log knows routes, models and counts, and nothing of what was said', async () => {
  const { client: own, log } = await served({ models: [models] });
  await own.chat.completions.create({ ...mini, messages: [{ role: 'user', content: 'a secret' }], max_tokens: 3 });
  await thrown(() => own.models.retrieve('another-secret'));
  await until(() => log.length === 3);
  expect(log).toMatchObject([
    { type: 'model-opened', model: 'nomoat-mini', notes: [] },
    {
      type: 'request',
      method: 'POST',
      route: '/v1/chat/completions',
      status: 200,
      model: 'nomoat-mini',
      completionTokens: 3,
    },
    { type: 'request', method: 'GET', route: '/v1/models/:id{.+}', status: 404, model: null, completionTokens: null },
  ]);
  expect(JSON.stringify(log)).not.toContain('secret');
});
