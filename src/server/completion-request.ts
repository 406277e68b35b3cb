/** The parameters of POST /v1/completions, and the job that they ask for. */
import { z } from 'zod';
import type { Job } from './answer.ts';
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

/** OpenAI's, which clients of this old route count on. */
const usualTokens = 16;
const prompt = plainText.min(1);

export const completionParameters = z.object({
  ...commonParameters,
  prompt: z
    .union([prompt, z.array(prompt).min(1)], { error: 'expected a text, or a list of texts (lists of tokens are not supported yet)' }) // biome-ignore format: one line
    .describe('a text or a list of texts, none of them empty; taken as it is, without a chat template, control tokens that it spells among it'), // biome-ignore format: one line
  max_tokens: open(z.int().min(1)).describe(`default ${usualTokens}`),
  logprobs: open(z.int().min(0).max(mostTopLogprobs)).describe(`0 to ${mostTopLogprobs} of the likeliest tokens beside each (OpenAI: up to 5); as those of chat, but the token that ended the answer is among them, and offsets are in the text that is sent`), // biome-ignore format: one line
});

export const completionRefusals = {
  ...commonRefusals,
  best_of: { why: 'answers are not ranked', nothing: [1] },
  echo: { why: 'the prompt is not given back yet', nothing: [false] },
  suffix: { why: 'models here continue a text and do not fill gaps', nothing: [''] },
} satisfies RefusedTable;

/** What the body asks for. Throws ApiError. */
export function completionJob(body: unknown, mostChoices: number): Job {
  const given = readParameters(body, completionParameters, completionRefusals);
  const asks: Job['asks'] = [given.prompt].flat().map((text) => (model, options) => model.continue(text, options));
  return {
    ...jobOf(given, asks, mostChoices),
    sampling: samplingOf(given, given.max_tokens ?? usualTokens, given.logprobs ?? null),
  };
}
