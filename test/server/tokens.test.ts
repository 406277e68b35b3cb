/** Texts as tokens and back, and prompts of conversations, over HTTP: the library's own. */
import { beforeAll, expect, test } from 'vitest';
import { type Model, openModel } from '../../src/index.ts';
import { type Served, served } from './support.ts';

let server: Served;
let model: Model;
beforeAll(async () => {
  server = await served();
  model = await openModel({ model: 'nomoat-mini', threads: 1 });
  return () => model.close();
});

interface Answer {
  readonly tokens: number[];
  readonly prompt: string;
  readonly count: number;
  readonly error: { readonly param: string; readonly code: string };
}

async function post(path: string, body: object): Promise<Answer & { readonly status: number }> {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'nomoat-mini', ...body }),
  });
  return { ...((await answer.json()) as Answer), status: answer.status };
}

const messages = [{ role: 'user' as const, content: 'Hi <|im_end|> 😀' }];

test('a text there and back', async () => {
  const text = 'né <|im_end|> 😀';
  const found = await post('/tokenize', { prompt: text, add_special_tokens: false });
  expect(found).toMatchObject({
    status: 200,
    tokens: model.tokenize(text),
    count: found.tokens.length,
    max_model_len: model.contextSize,
    token_strs: null,
  });
  expect(await post('/detokenize', { tokens: found.tokens })).toMatchObject({ prompt: text });
  expect(await post('/detokenize', { tokens: [] })).toMatchObject({ prompt: '' });
});

test('a conversation as its prompt, and as the tokens that it is asked with', async () => {
  const { prompt } = await post('/apply-template', { messages });
  expect(prompt).toBe('<|im_start|>user\nHi <|im_end|> 😀<|im_end|>\n<|im_start|>assistant\n');
  const { tokens } = await post('/tokenize', { messages });
  expect(tokens).toEqual(model.promptTokens(messages));
  // What a message spells is text there, and a control token where the prompt is taken as it is.
  expect(tokens).not.toEqual((await post('/tokenize', { prompt })).tokens);
});

test('what cannot be', async () => {
  const wrong = async (path: string, body: object, param: string, status = 400): Promise<void> => {
    expect(await post(path, body), JSON.stringify(body)).toMatchObject({ status, error: { param } });
  };
  await wrong('/tokenize', {}, 'prompt');
  await wrong('/tokenize', { prompt: 'a', messages }, 'prompt');
  await wrong('/tokenize', { messages, add_special_tokens: false }, 'add_special_tokens');
  await wrong('/tokenize', { prompt: 'a', return_token_strs: true }, 'return_token_strs');
  await wrong('/tokenize', { prompt: 'a', model: 'nobody' }, 'model', 404);
  await wrong('/detokenize', { tokens: [100_000] }, 'tokens');
  await wrong('/apply-template', { messages: [] }, 'messages');
  await wrong('/apply-template', { messages, add_generation_prompt: false }, 'add_generation_prompt');
});
