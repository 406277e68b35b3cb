/** What is thought of an answer, by whoever asked: kept as `collect()` reads it. No answer is kept here by itself: the conversation comes along. */
import { z } from 'zod';
import { markedAnswers, withMarks } from '../../text/feedback.ts';
import { RecordRefused } from '../../text/refused.ts';
import { wrongParameter } from '../api-error.ts';
import { open, plainText, readParameters } from '../parameters.ts';
import { jsonOf } from '../request.ts';
import type { RouteParts, Routes } from './routes.ts';

export const feedbackParameters = z.object({
  messages: z
    .array(z.looseObject({ role: z.string() }))
    .min(2)
    .describe('the conversation, as that of a chat, whose last message is the answer'),
  mark: z.enum(['good', 'bad']).describe('what is thought of that answer'),
  better: open(plainText).describe('of a bad one: the answer that would have been right'),
  model: open(plainText).describe('the model that answered: kept beside it, whatever it is'),
  tools: open(z.array(z.looseObject({}))).describe('those that were offered'),
});

/** The conversation with its mark, as a chat saves it. Throws ApiError. */
function recordOf(body: unknown): object {
  const { better, mark, messages, model, tools } = readParameters(body, feedbackParameters, {});
  const marked = { message: messages.length - 1, mark, ...(typeof better === 'string' ? { better } : {}) };
  const record = { ...withMarks(messages, [marked]), ...(tools ? { tools } : {}) };
  try {
    markedAnswers(record);
  } catch (error) {
    if (!(error instanceof RecordRefused)) throw error;
    const param = typeof better === 'string' && error.reason.includes('better') ? 'better' : 'messages';
    throw wrongParameter(param, 'invalid_value', `Invalid value for '${param}': ${error.message}.`);
  }
  return { ...record, ...(model ? { model } : {}), created: new Date().toISOString() };
}

export const feedbackRoutes = ({ workspace }: RouteParts): Routes => ({
  'POST /v1/feedback': async (context) => {
    const record = recordOf(await jsonOf(context));
    workspace.open().feedback.add(record);
    return context.json({ object: 'feedback', kept: true });
  },
});
