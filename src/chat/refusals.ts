/** What a chat model refuses, and the words for it. Pure. */
import { NomoatError } from '../errors.ts';
import type { Message } from '../text/example.ts';
import { roles } from '../text/messages.ts';
import type { PromptOptions } from './chat-model.ts';

export const closedModel = (): NomoatError =>
  new NomoatError({ code: 'model-closed', part: 'the model', fault: 'is closed', remedy: 'Open it again.' });

/** `counted` says how, where the tokens were not all counted. */
export const tooLong = (promptTokens: number, contextSize: number, trained: number, counted = ''): NomoatError =>
  new NomoatError({
    code: 'context-full',
    part: 'the conversation',
    fault: `has ${counted}${promptTokens} tokens, and the context holds ${contextSize} with the answer`,
    remedy: `Shorten it, or begin a new one${contextSize < trained ? `; a larger \`contextSize\` goes up to ${trained}` : ''}.`,
    fields: { promptTokens, contextSize },
  });

/** What `ask` gives; null where its prompt does not fit the context. Rejects as it does otherwise. */
export async function unlessTooLong<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NomoatError && error.code === 'context-full') return null;
    throw error;
  }
}

/** Throws NomoatError where a template would make something of nothing, or of a turn that it does not know. */
export function assertConversation(messages: readonly Message[]): void {
  const faultOf = (message: Message | null): string | null => {
    if (typeof message !== 'object' || message === null) return 'has a message that is no object';
    const { content, role } = message;
    if (!roles.includes(role)) return `has a message of the unknown role ${JSON.stringify(role)}`;
    return content === null || typeof content === 'string' ? null : 'has a content that is no text';
  };
  const fault =
    !Array.isArray(messages) || messages.length === 0
      ? 'is no list with at least one message'
      : (messages.map(faultOf).find((found) => found !== null) ?? null);
  if (fault === null) return;
  throw new NomoatError({
    code: 'invalid-conversation',
    part: 'the conversation',
    fault,
    remedy: `Roles are ${roles.join(', ')}.`,
  });
}

/** Throws NomoatError where a list of tokens is none, or has others than the model's. `what` is given as tokens. */
export function assertTokens(tokens: readonly number[], vocabularySize: number, what = 'prompt'): void {
  const isToken = (id: unknown): boolean => Number.isInteger(id) && Number(id) >= 0 && Number(id) < vocabularySize;
  const isList = Array.isArray(tokens) && tokens.length > 0;
  const wrong = isList ? tokens.findIndex((id) => !isToken(id)) : null;
  if (wrong === -1) return;
  throw new NomoatError({
    code: 'invalid-settings',
    part: `the ${what}`,
    fault:
      wrong === null
        ? 'is no list of tokens'
        : `has the token ${String(tokens[wrong])}; the model's ids are 0 to ${vocabularySize - 1}`,
    remedy: 'Give a text, or tokens of this model.',
    fields: { option: what },
  });
}

/** The prompt of a model without a chat template: training on prompt and completion has seen it as it is. Throws NomoatError. */
export function barePrompt(messages: readonly Message[], { templateValues, tools }: PromptOptions): string {
  const [only, ...more] = messages;
  const isBare = more.length === 0 && !tools && !templateValues;
  if (only?.role === 'user' && typeof only.content === 'string' && isBare) return only.content;
  throw new NomoatError({
    code: 'no-chat-template',
    part: 'the model',
    fault: 'has no chat template, so it continues single prompts and holds no conversation',
    remedy: 'Give one prompt without a system prompt (/reset before the next), or use an instruction-tuned model.',
  });
}

export const stoppedScoring = (): NomoatError =>
  new NomoatError({
    part: 'the score',
    fault: 'was stopped',
    remedy: 'Ask for it again.',
    kind: 'interrupted',
  });
