/** The parameters of POST /v1/completions, and the job that they ask for. */
import { z } from 'zod';
import type { Generated, Model, Prompt } from '../chat/chat-model.ts';
import type { Job } from './answer.ts';
import { wrongParameter } from './api-error.ts';
import { echoOf } from './echo.ts';
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

/** OpenAI's, which clients of this old route count on. */
const usualTokens = 16;
const text = plainText.min(1);
const tokens = z.array(z.int().min(0)).min(1);

export const completionParameters = z.object({
  ...commonParameters,
  prompt: z
    .union([text, z.array(text).min(1), tokens, z.array(tokens).min(1)], {
      error: 'expected a text, a list of texts, a list of token ids, or a list of such lists, none of them empty',
    })
    .describe(
      'a text, a list of texts, a list of token ids, or a list of such lists, none of them empty; taken as it is, without a chat template, control tokens that it spells among it; to token ids none is added',
    ),
  max_tokens: open(z.int().min(0)).describe(`default ${usualTokens}; 0 with \`echo\``),
  echo: open(z.boolean()).describe(
    'the prompt before the answer; with `logprobs` those of its tokens too, of the first null. What prompts share at their beginning is not computed again',
  ),
  response_format: responseFormat,
  logprobs: open(z.int().min(0).max(mostTopLogprobs)).describe(
    `0 to ${mostTopLogprobs} of the likeliest tokens beside each (OpenAI: up to 5); as those of chat, but the token that ended the answer is among them, and offsets are in the text that is sent`,
  ),
});

export const completionRefusals = {
  ...commonRefusals,
  best_of: { why: 'answers are not ranked', nothing: [1] },
  suffix: { why: 'models here continue a text and do not fill gaps', nothing: [''] },
} satisfies RefusedTable;

type CompletionParameters = z.output<typeof completionParameters>;

/** Each prompt, however they were given. */
function promptsOf({ prompt }: CompletionParameters): Prompt[] {
  if (typeof prompt === 'string') return [prompt];
  const isTokens = (given: typeof prompt): given is number[] => typeof given[0] === 'number';
  return isTokens(prompt) ? [prompt] : [...prompt];
}

/** Nothing is generated: a request for the prompt alone. */
const nothing = (model: Model, prompt: Prompt): Generated => {
  const { length } = typeof prompt === 'string' ? model.tokenize(prompt) : prompt;
  return { text: '', tokens: 0, promptTokens: length, reusedTokens: 0, stopReason: 'length' };
};

/** What the body asks for. Throws ApiError. */
export function completionJob(body: unknown, mostChoices: number): Job {
  const given = readParameters(body, completionParameters, completionRefusals);
  const { echo, logprobs = null, max_tokens: asked } = given;
  const maxTokens = asked ?? usualTokens;
  if (maxTokens === 0 && !echo)
    throw wrongParameter('max_tokens', 'invalid_value', "'max_tokens' of 0 wants 'echo' to be true.");
  const prompts = promptsOf(given);
  const schema = jsonSchemaOf(given.response_format);
  const asks: Job['asks'] = prompts.map(
    (prompt) => async (model, options) => (maxTokens === 0 ? nothing(model, prompt) : model.continue(prompt, options)),
  );
  return {
    ...jobOf(given, asks, mostChoices),
    ...(echo ? { echoes: prompts.map((prompt) => echoOf(prompt, logprobs)) } : {}),
    sampling: { ...samplingOf(given, maxTokens, logprobs), ...(schema === undefined ? {} : { jsonSchema: schema }) },
  };
}
