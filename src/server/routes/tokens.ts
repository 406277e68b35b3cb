/** Texts as tokens and back, as vLLM has it, and conversations as the prompt that a chat template makes of them, as llama-server has it. */
import type { Context } from 'hono';
import { z } from 'zod';
import { NomoatError } from '../../errors.ts';
import type { OpenChatModel } from '../../llama/chat-engine.ts';
import { wrongParameter } from '../api-error.ts';
import { conversationOf, conversationParameters } from '../chat-request.ts';
import { conversationOn } from '../conversation.ts';
import { modelFault } from '../model-fault.ts';
import type { ModelPool } from '../model-pool.ts';
import { open, plainText, readParameters } from '../parameters.ts';
import { type Environment, jsonOf } from '../request.ts';
import { modelOf } from './models.ts';
import type { RouteParts, Routes } from './routes.ts';

const model = z.string().min(1).describe('a name that `GET /v1/models` lists, or a stack of such names');
const { messages, ...ofTemplates } = conversationParameters;

export const templateParameters = z.object({ model, ...conversationParameters });
export const tokenizeParameters = z.object({
  model,
  prompt: open(plainText).describe('a text, taken as it is, control tokens that it spells among it'),
  messages: open(messages).describe('or a conversation, as that of a chat, with the prompt for its next answer'),
  add_special_tokens: open(z.boolean()).describe(
    'of a text: whether the token that begins every text goes before it where the model wants that; default true',
  ),
  ...ofTemplates,
});
export const detokenizeParameters = z.object({
  model,
  tokens: z.array(z.int().min(0)).describe('ids; control tokens are spelled out'),
});
export const tokenizeRefusals = {
  return_token_strs: { why: '/detokenize gives the text of tokens', nothing: [false] },
  add_generation_prompt: { why: 'the prompt is always the one for an answer', nothing: [true] },
  continue_final_message: { why: 'the prompt is always the one for an answer', nothing: [false] },
};

interface TokenParts extends RouteParts {
  readonly pool: ModelPool;
}

/** What `call` makes of the model of that name, in its turn. Rejects with ApiError. */
async function withModel<T>(
  context: Context<Environment>,
  { models, pool }: TokenParts,
  name: string,
  call: (model: OpenChatModel) => T,
): Promise<T> {
  const served = await modelOf(context, models, name);
  try {
    return await pool.use(served, context.get('asked').signal, async (opened) => call(opened), []);
  } catch (error) {
    throw modelFault(error, served, 'messages');
  }
}

type Given = z.output<typeof tokenizeParameters>;

/** What `/tokenize` asks of a model: either a text or a conversation. Throws ApiError. */
function tokensOf(body: unknown, given: Given): (model: OpenChatModel) => number[] {
  const { add_special_tokens: added, messages: said, prompt: text } = given;
  const hasText = text !== null && text !== undefined;
  if (hasText === (said !== null && said !== undefined))
    throw wrongParameter('prompt', 'invalid_value', "Either 'prompt' or 'messages' is to be given.");
  if (hasText) return (opened) => opened.tokenize(text, { addBos: added ?? true });
  if (added === false)
    throw wrongParameter('add_special_tokens', 'invalid_value', "'add_special_tokens' is for 'prompt'.");
  const { asked, messages: conversation } = conversationOf(body, { ...given, messages: said! });
  return (opened) => opened.promptTokens(conversation, conversationOn(opened, asked).options);
}

/** Throws ApiError where there are none of these ids. */
function textOf(opened: OpenChatModel, tokens: readonly number[]): string {
  if (tokens.length === 0) return '';
  try {
    return opened.detokenize(tokens);
  } catch (error) {
    if (!(error instanceof NomoatError) || error.kind !== 'input') throw error;
    throw wrongParameter('tokens', 'invalid_value', `Invalid value for 'tokens': ${error.fault}.`);
  }
}

export const tokenRoutes = (parts: TokenParts): Routes => ({
  'POST /tokenize': async (context) => {
    const body = await jsonOf(context);
    const given = readParameters(body, tokenizeParameters, tokenizeRefusals);
    const asked = tokensOf(body, given);
    const found = await withModel(context, parts, given.model, (opened) => ({
      tokens: asked(opened),
      most: opened.contextSize,
    }));
    return context.json({
      count: found.tokens.length,
      max_model_len: found.most,
      tokens: found.tokens,
      token_strs: null,
    });
  },
  'POST /detokenize': async (context) => {
    const { model: name, tokens } = readParameters(await jsonOf(context), detokenizeParameters, {});
    const text = await withModel(context, parts, name, (opened) => textOf(opened, tokens));
    return context.json({ prompt: text });
  },
  'POST /apply-template': async (context) => {
    const body = await jsonOf(context);
    const given = readParameters(body, templateParameters, tokenizeRefusals);
    const { asked, messages: conversation } = conversationOf(body, given);
    const text = await withModel(context, parts, given.model, (opened) =>
      opened.promptText(conversation, conversationOn(opened, asked).options),
    );
    return context.json({ prompt: text });
  },
});
