/** The parameters of POST /v1/chat/completions, and the job that they ask for. */
import { z } from 'zod';
import type { Message } from '../text/example.ts';
import type { Job } from './answer.ts';
import { wrongParameter } from './api-error.ts';
import { type Conversation, conversationOn, efforts } from './conversation.ts';
import { mostTopLogprobs } from './logprobs.ts';
import {
  commonParameters,
  commonRefusals,
  jobOf,
  open,
  plainText,
  type RefusedTable,
  readParameters,
  samplingOf,
} from './parameters.ts';
import { jsonSchemaOf, responseFormat } from './response-format.ts';
import { type ChosenTools, checkCalls, choiceText, chosenTools, toolCall, toolChoice, toolList } from './tools.ts';

const textPart = z.strictObject({
  type: z.literal('text', { error: 'only text parts are supported' }),
  text: plainText,
});
const noValue = (error: string) => z.null({ error }).optional();
const older = 'an older form: send `tools` and `tool_calls`';

const message = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool'], {
    error: ({ input }) => (input === 'function' ? older : 'expected system, developer, user, assistant or tool'),
  }),
  content: open(z.union([plainText, z.array(textPart).min(1)], { error: 'expected a text, or a list of text parts' })),
  tool_calls: open(z.array(toolCall)),
  tool_call_id: open(plainText),
  reasoning_content: open(plainText),
  // What answers of this API hold, so that they can be sent back as they are.
  refusal: noValue('refusals are not supported'),
  audio: noValue('audio is not supported'),
  function_call: noValue(older),
  annotations: z.array(z.never(), { error: 'annotations are not supported' }).max(0).nullish(),
  name: noValue('names of speakers are not supported: few chat templates have a place for them'),
});

const messagesText =
  'roles system, developer (asked as system), user, assistant (with `tool_calls`, and `reasoning_content`, which is not of OpenAI) and tool; texts, or lists of text parts, which are joined';
const templateName = z.string().regex(/^[A-Za-z_]\w*$/, 'expected names of variables');
/** What the server itself gives a template. */
const ownNames = ['messages', 'tools', 'documents', 'add_generation_prompt', 'bos_token', 'eos_token', 'strftime_now'];
const templateValues = z
  .record(templateName, z.union([z.boolean(), z.number(), plainText]))
  .refine(
    (values) => !ownNames.some((name) => Object.hasOwn(values, name)),
    `${ownNames.join(', ')} are given by the server`,
  );

/** What a conversation is, and what it asks of a chat template. */
export const conversationParameters = {
  messages: z.array(message).min(1).superRefine(checkCalls).describe(messagesText),
  tools: open(toolList).describe(
    'functions, for models whose chat template shows tools and writes calls in a form that can be read; others refuse them. What looks like a call and is none stays text',
  ),
  tool_choice: open(toolChoice).describe(choiceText),
  reasoning_effort: open(z.enum(efforts)).describe(
    'for models whose chat template asks for it; `none` where the template can do without thoughts (`enable_thinking`, `thinking`)',
  ),
  chat_template_kwargs: open(templateValues).describe(
    'not of OpenAI (vLLM has it): variables that the chat template of the model asks for, such as `enable_thinking`; others are refused',
  ),
};

export const chatParameters = z.object({
  ...commonParameters,
  ...conversationParameters,
  logprobs: open(z.boolean()).describe(
    'of the tokens of the text, by the model itself: before temperature, penalties, biases and grammars; streamed with the piece that a token begins in; each token is computed twice',
  ),
  top_logprobs: open(z.int().min(0).max(mostTopLogprobs)).describe(`0 to ${mostTopLogprobs}, with \`logprobs\``),
  max_tokens: open(z.int().min(1)).describe('default: as many as the context holds'),
  max_completion_tokens: open(z.int().min(1)).describe('the same as `max_tokens`, by its newer name'),
  response_format: responseFormat,
  parallel_tool_calls: open(z.boolean()).describe('`false`: the answer ends with its first call'),
});

export const chatRefusals = {
  ...commonRefusals,
  functions: { why: older, nothing: [[]] },
  function_call: { why: older, nothing: ['none', 'auto'] },
  web_search_options: { why: 'nothing here asks the network' },
  verbosity: { why: 'the verbosity of models here cannot be set', nothing: ['medium'] },
  modalities: { why: 'only text is supported', nothing: [['text']] },
  audio: { why: 'only text is supported' },
  prediction: { why: 'predicted outputs are not supported' },
  moderation: { why: 'there is no moderation' },
  store: { why: 'nothing is stored', nothing: [false] },
  metadata: { why: 'nothing is stored', nothing: [{}] },
  service_tier: { why: 'there are no tiers', nothing: ['auto', 'default'] },
  safety_identifier: { why: 'users are not told apart, and nothing is kept of them' },
  prompt_cache_key: { why: 'what prompts share is found without a key' },
  prompt_cache_options: { why: 'the cache of prompts has no options' },
  prompt_cache_retention: { why: 'the cache of prompts has no options' },
} satisfies RefusedTable;

type ChatParameters = z.output<typeof chatParameters>;
type ConversationParameters = z.output<z.ZodObject<typeof conversationParameters>>;

function mostTokens({ max_completion_tokens: newer, max_tokens: older }: ChatParameters): number | null {
  const both = newer !== null && newer !== undefined && older !== null && older !== undefined;
  if (both && newer !== older)
    throw wrongParameter(
      'max_tokens',
      'invalid_value',
      "'max_tokens' and 'max_completion_tokens' say different things.",
    );
  return newer ?? older ?? null;
}

/** How many alternatives are asked for; null without log-probabilities. */
function alternativesOf({ logprobs, top_logprobs: top }: ChatParameters): number | null {
  if (logprobs) return top ?? 0;
  if (top) throw wrongParameter('top_logprobs', 'invalid_value', "'top_logprobs' wants 'logprobs' to be true.");
  return null;
}

/** As the library asks models: one text a message. */
function messageOf(given: ChatParameters['messages'][number]): Message {
  const { content, reasoning_content: thoughts, role, tool_call_id: answered, tool_calls: calls } = given;
  return {
    role: role === 'developer' ? 'system' : role,
    content: Array.isArray(content) ? content.map(({ text }) => text).join('') : (content ?? null),
    ...(thoughts ? { reasoning_content: thoughts } : {}),
    ...(calls && calls.length > 0 ? { tool_calls: calls } : {}),
    ...(answered ? { tool_call_id: answered } : {}),
  };
}

interface SentTool {
  readonly function: { readonly name: string };
}

/** The tools as they were sent: a template shows their keys in their order, as training has seen them. */
function toolsOf(body: unknown, { tool_choice: choice, tools }: ConversationParameters): ChosenTools {
  const sent = tools ? (body as { readonly tools: readonly SentTool[] }).tools : [];
  return chosenTools(sent, typeof choice === 'object' ? choice?.function : choice, (each) => each.function.name);
}

/** The conversation of a body, and what it asks of the model. */
export function conversationOf(
  body: unknown,
  given: ConversationParameters,
): { readonly messages: Message[]; readonly asked: Conversation } {
  const asked: Conversation = {
    ...toolsOf(body, given),
    oneCall: false,
    isJson: false,
    templateValues: given.chat_template_kwargs ?? {},
    effort: given.reasoning_effort ?? null,
    effortParam: 'reasoning_effort',
  };
  return { messages: given.messages.map(messageOf), asked };
}

/** Throws where a call could not be written. */
function formatOf({ response_format: format }: ChatParameters, tools: readonly unknown[] | null): Job['sampling'] {
  const schema = jsonSchemaOf(format);
  if (schema !== undefined && tools !== null)
    throw wrongParameter(
      'response_format',
      'invalid_value',
      "'response_format' of JSON leaves no room for calls of 'tools'.",
    );
  return schema === undefined ? {} : { jsonSchema: schema };
}

/** What the body asks for. Throws ApiError. */
export function chatJob(body: unknown, mostChoices: number): Job {
  const given = readParameters(body, chatParameters, chatRefusals);
  const { asked: ofConversation, messages } = conversationOf(body, given);
  const asked: Conversation = {
    ...ofConversation,
    oneCall: given.parallel_tool_calls === false,
    isJson: (given.response_format?.type ?? 'text') !== 'text',
  };
  const job = jobOf(given, [(model, options) => model.generate(messages, options)], mostChoices);
  return {
    ...job,
    sampling: { ...samplingOf(given, mostTokens(given), alternativesOf(given)), ...formatOf(given, asked.tools) },
    conversation: (model) => conversationOn(model, asked),
    oneCall: asked.oneCall,
  };
}
