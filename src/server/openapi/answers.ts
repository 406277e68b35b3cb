/** Answers of models, and models, as the document describes them. Pure. */
import { z } from 'zod';
import { named, time } from './components.ts';

export const model = named(
  'Model',
  z.object({
    id: z.string(),
    object: z.literal('model'),
    created: time,
    owned_by: z.string(),
    parent: z.string().nullable().describe('the base that a run trained an adapter for'),
    root: z.string(),
    shutdown_date: z.null(),
  }),
);
export const modelList = named('ModelList', z.object({ object: z.literal('list'), data: z.array(model) }));

const usage = named(
  'Usage',
  z.object({
    prompt_tokens: z.int().min(0),
    completion_tokens: z.int().min(0),
    total_tokens: z.int().min(0),
    prompt_tokens_details: z.object({ cached_tokens: z.int().min(0) }),
  }),
);
const finishReason = z.enum(['stop', 'length']);
const chatReason = z.enum(['stop', 'length', 'tool_calls']);

const toolCall = named(
  'ToolCall',
  z.object({
    id: z.string(),
    type: z.literal('function'),
    function: z.object({ name: z.string(), arguments: z.string().describe('JSON') }),
  }),
);
/** A piece of a call: the first has its name, the others what is added to its arguments. */
const toolCallPiece = z.object({
  index: z.int().min(0),
  id: z.string().optional(),
  type: z.literal('function').optional(),
  function: z.object({ name: z.string().optional(), arguments: z.string() }),
});

const scored = { token: z.string(), logprob: z.number(), bytes: z.array(z.int().min(0).max(255)) };
const chatLogprobs = named(
  'ChatLogprobs',
  z.object({
    content: z.array(z.object({ ...scored, top_logprobs: z.array(z.object(scored)) })),
    refusal: z.null(),
  }),
).nullable();

const head = { id: z.string(), created: time, model: z.string() };

export const chatCompletion = named(
  'ChatCompletion',
  z.object({
    ...head,
    object: z.literal('chat.completion'),
    choices: z.array(
      z.object({
        index: z.int().min(0),
        message: z.object({
          role: z.literal('assistant'),
          content: z.string().nullable(),
          refusal: z.null(),
          reasoning_content: z.string().optional(),
          tool_calls: z.array(toolCall).optional(),
        }),
        logprobs: chatLogprobs,
        finish_reason: chatReason,
      }),
    ),
    usage,
  }),
);
/** Of a stream: of the last piece with `stream_options`, and null in those before it then. */
const streamedUsage = usage.nullable().optional();

export const chatChunk = named(
  'ChatCompletionChunk',
  z.object({
    ...head,
    object: z.literal('chat.completion.chunk'),
    choices: z.array(
      z.object({
        index: z.int().min(0),
        delta: z.object({
          role: z.literal('assistant').optional(),
          content: z.string().optional(),
          reasoning_content: z.string().optional(),
          tool_calls: z.array(toolCallPiece).optional(),
        }),
        logprobs: chatLogprobs,
        finish_reason: chatReason.nullable(),
      }),
    ),
    usage: streamedUsage,
  }),
);

const completionLogprobs = named(
  'CompletionLogprobs',
  z.object({
    tokens: z.array(z.string()),
    // null of a prompt's first token, with `echo`.
    token_logprobs: z.array(z.number().nullable()),
    top_logprobs: z.array(z.record(z.string(), z.number()).nullable()),
    text_offset: z.array(z.int().min(0)),
  }),
).nullable();

const textChoice = { index: z.int().min(0), text: z.string(), logprobs: completionLogprobs };
export const completion = named(
  'Completion',
  z.object({
    ...head,
    object: z.literal('text_completion'),
    choices: z.array(z.object({ ...textChoice, finish_reason: finishReason })),
    usage,
  }),
);
export const completionChunk = named(
  'CompletionChunk',
  z.object({
    ...head,
    object: z.literal('text_completion'),
    choices: z.array(z.object({ ...textChoice, finish_reason: finishReason.nullable() })),
    usage: streamedUsage,
  }),
);

export const embeddingList = named(
  'EmbeddingList',
  z.object({
    object: z.literal('list'),
    data: z.array(
      z.object({
        object: z.literal('embedding'),
        index: z.int().min(0),
        embedding: z.union([z.array(z.number()), z.string().describe('base64 of float32, little-endian')]),
      }),
    ),
    model: z.string(),
    usage: z.object({ prompt_tokens: z.int().min(0), total_tokens: z.int().min(0) }),
  }),
);
