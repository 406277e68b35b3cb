/** The parameters of POST /v1/responses, and the job that they ask for. Nothing is stored: each request has its whole conversation. */
import { z } from 'zod';
import { NomoatError } from '../../errors.ts';
import type { Job } from '../answer.ts';
import { wrongParameter } from '../api-error.ts';
import { conversationOn, efforts } from '../conversation.ts';
import {
  commonParameters,
  jobOf,
  open,
  plainText,
  type RefusedTable,
  readParameters,
  samplingOf,
} from '../parameters.ts';
import { inChat, jsonSchemaOf, textFormat } from '../response-format.ts';
import {
  type ChosenTools,
  choiceText,
  chosenTools,
  functionFields,
  responseToolChoice,
  uniqueNames,
} from '../tools.ts';
import { messagesOf, responseInput, withTypes } from './response-input.ts';

const { lora, min_p, model, seed, stream, temperature, top_k, top_p } = commonParameters;

const tool = z.strictObject({
  type: z.literal('function', {
    error: 'only functions are supported: nothing here searches, runs code or asks the network',
  }),
  ...functionFields,
});

export const responseParameters = z.object({
  model,
  input: responseInput.describe(
    'a text, or items: messages of texts, `function_call`, `function_call_output`, and `reasoning` with `reasoning_text`',
  ),
  instructions: open(plainText).describe('a system message before all others'),
  max_output_tokens: open(z.int().min(1)).describe('default: as many as the context holds'),
  temperature,
  top_p,
  top_k,
  min_p,
  seed: seed.describe('not of this route of OpenAI; 0 to 2^32 - 1, repeats an answer'),
  lora,
  tools: open(z.array(tool).superRefine(uniqueNames((each) => each.name, ['name']))).describe(
    'functions, as with chat completions',
  ),
  tool_choice: open(responseToolChoice).describe(choiceText),
  parallel_tool_calls: open(z.boolean()).describe('`false`: the answer ends with its first call'),
  reasoning: open(
    z.strictObject({
      effort: open(z.enum(efforts)),
      summary: z.null({ error: 'thoughts are not summed up: they are given as they are' }).optional(),
    }),
  ).describe('`effort`, as `reasoning_effort` of chat completions'),
  text: open(
    z.strictObject({
      format: open(textFormat),
      verbosity: open(z.literal('medium', { error: 'the verbosity of models here cannot be set' })),
    }),
  ).describe('`format`: `text`, `json_object` or `json_schema`, as `response_format` of chat completions'),
  stream: stream.describe('server-sent events of the types that OpenAI has'),
});

const notKept = 'nothing is stored: send the whole conversation with each request';

export const responseRefusals = {
  store: { why: notKept, nothing: [false] },
  previous_response_id: { why: notKept },
  conversation: { why: notKept },
  prompt: { why: 'there are no stored prompts' },
  background: { why: 'answers are computed while their client waits', nothing: [false] },
  metadata: { why: 'nothing is stored', nothing: [{}] },
  include: { why: 'nothing is left out that could be included', nothing: [[]] },
  truncation: { why: 'a conversation that is too long is refused, never cut', nothing: ['disabled'] },
  context_management: { why: 'a conversation is taken as it is', nothing: [[]] },
  max_tool_calls: { why: 'tools are called by the client' },
  top_logprobs: { why: '/v1/chat/completions has log-probabilities', nothing: [0] },
  stream_options: { why: 'streams have no options here', nothing: [{}] },
  moderation: { why: 'there is no moderation' },
  service_tier: { why: 'there are no tiers', nothing: ['auto', 'default'] },
  user: { why: 'users are not told apart, and nothing is kept of them' },
  safety_identifier: { why: 'users are not told apart, and nothing is kept of them' },
  prompt_cache_key: { why: 'what prompts share is found without a key' },
  prompt_cache_options: { why: 'the cache of prompts has no options' },
  prompt_cache_retention: { why: 'the cache of prompts has no options' },
} satisfies RefusedTable;

export type ResponseParameters = z.output<typeof responseParameters>;

interface SentTool {
  readonly type: string;
  readonly name: string;
  readonly strict?: unknown;
}

/** In the form of chat completions, which templates know; the rest of a tool as it was sent. */
function toolsOf(body: unknown, { tool_choice: choice, tools }: ResponseParameters): ChosenTools {
  const sent = tools ? (body as { readonly tools: readonly SentTool[] }).tools : [];
  const { mustCall, tools: offered } = chosenTools(sent, choice, ({ name }) => name);
  const inChat = ({ strict: _, type, ...called }: SentTool): object => ({ type, function: called });
  return { mustCall, tools: offered && (offered as readonly SentTool[]).map(inChat) };
}

/** What the answer has to be. Throws ApiError that names `text.format`. */
function formatOf({ text }: ResponseParameters, tools: readonly unknown[] | null): Job['sampling'] {
  const refuse = (why: string) =>
    wrongParameter('text.format', 'invalid_value', `Invalid value for 'text.format': ${why}.`);
  try {
    const schema = jsonSchemaOf(inChat(text?.format));
    if (schema === undefined) return {};
    if (tools === null) return { jsonSchema: schema };
  } catch (error) {
    throw error instanceof NomoatError ? refuse(error.fault) : error;
  }
  throw refuse("JSON leaves no room for calls of 'tools'");
}

/** What the body asks for, and the parameters that it gave. Throws ApiError. */
export function responseJob(body: unknown): { job: Job; given: ResponseParameters } {
  const typed =
    typeof body === 'object' && body !== null && 'input' in body ? { ...body, input: withTypes(body.input) } : body;
  const given = readParameters(typed, responseParameters, responseRefusals);
  const messages = messagesOf(given.input, given.instructions ?? null);
  const asked = {
    ...toolsOf(body, given),
    oneCall: given.parallel_tool_calls === false,
    isJson: (given.text?.format?.type ?? 'text') !== 'text',
    templateValues: {},
    effort: given.reasoning?.effort ?? null,
    effortParam: 'reasoning.effort',
  };
  const job = jobOf(given, [(opened, options) => opened.generate(messages, options)], 1);
  return {
    given,
    job: {
      ...job,
      sampling: { ...samplingOf(given, given.max_output_tokens ?? null, null), ...formatOf(given, asked.tools) },
      conversation: (opened) => conversationOn(opened, asked),
      oneCall: asked.oneCall,
    },
  };
}
