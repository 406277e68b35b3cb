/** The AI SDK (`ai` with @ai-sdk/openai-compatible) against the server, with a model that was tuned to call and to think. */
import { join } from 'node:path';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateObject, generateText, stepCountIs, streamText, tool } from 'ai';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { folder, type Served, served } from './support.ts';
import { tuneToolModel } from './tool-model.ts';

const runs = join(folder, 'runs');
let server: Served;
let model: ReturnType<ReturnType<typeof createOpenAICompatible>>;
beforeAll(async () => {
  await tuneToolModel(join(folder, 'base'), runs);
  server = await served({ runs });
  model = createOpenAICompatible({
    name: 'nomoat',
    baseURL: `${server.url}/v1`,
    apiKey: 'none',
    supportsStructuredOutputs: true,
  })('tools');
}, 120_000);

const seen: unknown[] = [];
const tools = {
  look: tool({
    description: 'x',
    inputSchema: z.object({ at: z.string() }),
    execute: async ({ at }) => {
      seen.push(at);
      return 'blue';
    },
  }),
  add: tool({ description: 'x', inputSchema: z.object({ a: z.int() }) }),
};
const asking = (prompt: string) => ({ model, prompt, tools, temperature: 0, maxRetries: 0 });

test('a text, with its tokens counted and why it ended', async () => {
  const { finishReason, text, usage } = await generateText(asking('hello'));
  expect([text, finishReason]).toEqual(['Hi.', 'stop']);
  expect(usage.inputTokens! + usage.outputTokens!).toBe(usage.totalTokens);
  expect((await generateText({ ...asking('hello'), maxOutputTokens: 1 })).finishReason).toBe('length');
});

test('thoughts are reasoning', async () => {
  const { reasoningText, text } = await generateText(asking('think'));
  expect([reasoningText, text]).toEqual(['A cat is here.', 'Yes.']);
});

test('calls, and a tool that is run for the next step', async () => {
  const { finishReason, toolCalls } = await generateText(asking('do both'));
  expect(finishReason).toBe('tool-calls');
  expect(toolCalls.map(({ input, toolName }) => [toolName, input])).toEqual([
    ['look', { at: 'a dog' }],
    ['add', { a: 2 }],
  ]);
  seen.length = 0;
  const { steps } = await generateText({ ...asking('look up'), stopWhen: stepCountIs(2) });
  expect(seen).toEqual(['the sky']);
  expect(steps.length).toBe(2);
  expect(steps[0]!.finishReason).toBe('tool-calls');
});

test('an object of a schema', async () => {
  const schema = z.object({ is: z.enum(['red', 'blue']) });
  const { object } = await generateObject({ model, schema, prompt: 'hello', temperature: 0, maxRetries: 0 });
  expect(['red', 'blue']).toContain(object.is);
});

test('streams: texts, thoughts, calls', async () => {
  const stream = streamText(asking('think'));
  const parts: string[] = [];
  for await (const part of stream.fullStream)
    if (part.type === 'reasoning-delta' || part.type === 'text-delta') parts.push(part.type);
  expect([...new Set(parts)]).toEqual(['reasoning-delta', 'text-delta']);
  expect([await stream.reasoningText, await stream.text]).toEqual(['A cat is here.', 'Yes.']);
  const calls = streamText(asking('do both'));
  expect((await calls.toolCalls).map(({ input }) => input)).toEqual([{ at: 'a dog' }, { a: 2 }]);
  expect(await calls.finishReason).toBe('tool-calls');
});

test('a stream that is left half-way, and an error', async () => {
  const left = new AbortController();
  const stream = streamText({ ...asking('think'), abortSignal: left.signal, onError: () => {} });
  for await (const _ of stream.textStream) left.abort();
  const error = await generateText({ ...asking('hello'), temperature: 9 }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(APICallError);
  expect(error).toMatchObject({ statusCode: 400, isRetryable: false });
  expect(String(error)).toContain("Invalid value for 'temperature'");
});
