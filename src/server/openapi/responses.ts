/** Answers of POST /v1/responses, as the document describes them. Pure. */
import { z } from 'zod';
import { efforts } from '../conversation.ts';
import { textFormat } from '../response-format.ts';
import { functionFields, responseToolChoice } from '../tools.ts';
import { named, time } from './components.ts';

const item = { id: z.string(), status: z.enum(['in_progress', 'completed', 'incomplete']) };
const text = z.object({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.never()),
  logprobs: z.array(z.never()),
});
const outputItem = named(
  'ResponseItem',
  z.discriminatedUnion('type', [
    z.object({ ...item, type: z.literal('message'), role: z.literal('assistant'), content: z.array(text) }),
    z.object({
      ...item,
      type: z.literal('reasoning'),
      summary: z.array(z.never()),
      content: z.array(z.object({ type: z.literal('reasoning_text'), text: z.string() })),
    }),
    z.object({
      ...item,
      type: z.literal('function_call'),
      call_id: z.string(),
      name: z.string(),
      arguments: z.string().describe('JSON'),
    }),
  ]),
);

const usage = z.object({
  input_tokens: z.int().min(0),
  input_tokens_details: z.object({ cached_tokens: z.int().min(0), cache_write_tokens: z.literal(0) }),
  output_tokens: z.int().min(0),
  output_tokens_details: z.object({ reasoning_tokens: z.literal(0) }),
  total_tokens: z.int().min(0),
});

export const response = named(
  'Response',
  z.object({
    id: z.string(),
    object: z.literal('response'),
    created_at: time,
    completed_at: time.nullable(),
    status: z.enum(['in_progress', 'completed', 'incomplete']),
    incomplete_details: z.object({ reason: z.literal('max_output_tokens') }).nullable(),
    output: z.array(outputItem),
    usage: usage.nullable(),
    model: z.string(),
    instructions: z.string().nullable(),
    max_output_tokens: z.int().nullable(),
    temperature: z.number().nullable(),
    top_p: z.number().nullable(),
    tools: z.array(z.object({ type: z.literal('function'), ...functionFields })),
    tool_choice: responseToolChoice,
    parallel_tool_calls: z.boolean(),
    reasoning: z.object({ effort: z.enum(efforts).nullable(), summary: z.null() }),
    text: z.object({ format: textFormat, verbosity: z.literal('medium') }),
    background: z.literal(false),
    error: z.null(),
    metadata: z.object({}),
    previous_response_id: z.null(),
    service_tier: z.literal('default'),
    store: z.literal(false),
    truncation: z.literal('disabled'),
  }),
);

/** Events have what their type has in OpenAI's reference. */
export const responseEvent = named(
  'ResponseEvent',
  z.looseObject({
    type: z.string(),
    sequence_number: z.int().min(0),
    response: response.optional(),
    item: outputItem.optional(),
  }),
);
