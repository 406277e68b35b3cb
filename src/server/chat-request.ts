/** The parameters of POST /v1/chat/completions, and the job that they ask for. */
import { z } from 'zod';
import type { Message } from '../text/example.ts';
import type { Job } from './answer.ts';
import { wrongParameter } from './api-error.ts';
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

const textPart = z.strictObject({
  type: z.literal('text', { error: 'only text parts are supported' }),
  text: plainText,
});
const toolsLater = 'tools are not supported yet';
const empty = z.array(z.never(), { error: toolsLater }).max(0, toolsLater).nullish();
const noValue = (error: string) => z.null({ error }).optional();

const message = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant'], {
    error: ({ input }) =>
      input === 'tool' || input === 'function' ? toolsLater : 'expected system, developer, user or assistant',
  }),
  content: z.union([plainText, z.array(textPart).min(1)], { error: 'expected a text, or a list of text parts' }),
  // What answers of this API hold, so that they can be sent back as they are.
  refusal: noValue('refusals are not supported'),
  audio: noValue('audio is not supported'),
  function_call: noValue(toolsLater),
  tool_calls: empty,
  annotations: z.array(z.never(), { error: 'annotations are not supported' }).max(0).nullish(),
  name: noValue('names of speakers are not supported: few chat templates have a place for them'),
});

export const chatParameters = z.object({
  ...commonParameters,
  messages: z.array(message).min(1).describe('roles system, developer (asked as system), user and assistant; texts, or lists of text parts, which are joined'), // biome-ignore format: one line
  logprobs: open(z.boolean()).describe('of the tokens of the text, by the model itself: before temperature, penalties, biases and grammars; streamed with the piece that a token begins in; each token is computed twice'), // biome-ignore format: one line
  top_logprobs: open(z.int().min(0).max(mostTopLogprobs)).describe(`0 to ${mostTopLogprobs}, with \`logprobs\``),
  max_tokens: open(z.int().min(1)).describe('default: as many as the context holds'),
  max_completion_tokens: open(z.int().min(1)).describe('the same as `max_tokens`, by its newer name'),
});

const tools = {
  tools: { why: toolsLater, nothing: [[]] },
  tool_choice: { why: toolsLater, nothing: ['none', 'auto'] },
  parallel_tool_calls: { why: toolsLater, nothing: [true, false] },
  functions: { why: toolsLater, nothing: [[]] },
  function_call: { why: toolsLater, nothing: ['none', 'auto'] },
  web_search_options: { why: 'nothing here asks the network' },
} satisfies RefusedTable;

export const chatRefusals = {
  ...commonRefusals,
  ...tools,
  response_format: {
    why: 'only text is supported; JSON and grammars are not yet',
    nothing: [{ type: 'text' }],
  },
  reasoning_effort: { why: 'the effort of models here cannot be set' },
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
const messageOf = ({ content, role }: ChatParameters['messages'][number]): Message => ({
  role: role === 'developer' ? 'system' : role,
  content: typeof content === 'string' ? content : content.map(({ text }) => text).join(''),
});

/** What the body asks for. Throws ApiError. */
export function chatJob(body: unknown, mostChoices: number): Job {
  const given = readParameters(body, chatParameters, chatRefusals);
  const messages = given.messages.map(messageOf);
  const job = jobOf(given, [(model, options) => model.generate(messages, options)], mostChoices);
  return { ...job, sampling: samplingOf(given, mostTokens(given), alternativesOf(given)) };
}
