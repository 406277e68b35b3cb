/** Prompts as the model is asked with them: of conversations by its chat template, or as they are. Promises the tokens of training. */
import type { Prompt, PromptOptions } from '../chat/chat-model.ts';
import { AnswerForms, promptText } from '../chat/prompt-text.ts';
import { assertConversation, assertTokens, barePrompt } from '../chat/refusals.ts';
import { answerRow, completionRow } from '../chat/score.ts';
import type { ScoreRow } from '../chat/score-row.ts';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { documentSeparator } from '../records/text-documents.ts';
import { type ChatTemplate, chatTemplateOf, type MarkedText, noChatTemplate } from '../text/chat-template.ts';
import type { Message } from '../text/example.ts';
import { withBos } from '../tokens/boundaries.ts';
import { encodeText, type SpecialTokens } from '../tokens/encode-text.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';

export interface PromptParts {
  /** null: a base model, which continues single prompts. */
  readonly template: ChatTemplate | null;
  readonly tokenizer: Tokenizer;
  readonly specialTokens: SpecialTokens;
}

export class Prompts {
  readonly tokenizer: Tokenizer;
  readonly forms: AnswerForms;
  private readonly parts: PromptParts;

  constructor(parts: PromptParts) {
    this.parts = parts;
    this.tokenizer = parts.tokenizer;
    this.forms = new AnswerForms(parts.template);
  }

  /** What the next answer of a conversation follows. Throws NomoatError. */
  ofConversation(messages: readonly Message[], options: PromptOptions): number[] {
    const { specialTokens, template, tokenizer } = this.parts;
    const { spans, text } = this.textOfConversation(messages, options);
    if (!template) return this.asIs(text);
    return withBos(encodeText(text, spans, tokenizer, specialTokens), tokenizer);
  }

  /** Its text, and which parts of it are the messages'. Throws NomoatError. */
  textOfConversation(messages: readonly Message[], options: PromptOptions): MarkedText {
    assertConversation(messages);
    const { template } = this.parts;
    return template ? promptText(template, messages, options) : { text: barePrompt(messages, options), spans: [] };
  }

  /** A prompt taken as it is, control tokens that it spells among it. */
  asIs(prompt: Prompt): number[] {
    if (typeof prompt === 'string') return withBos(this.tokenizer.encode(prompt, true), this.tokenizer);
    assertTokens(prompt, this.tokenizer.vocabularySize);
    return [...prompt];
  }

  /** As `asIs`, with or without the token that begins every text. */
  ofBareText(text: string, { addBos = true }: { readonly addBos?: boolean }): number[] {
    return addBos ? this.asIs(text) : this.tokenizer.encode(text, true);
  }

  /** How many tokens `asIs` puts before a text that does not spell them. */
  addedTo(prompt: Prompt): number {
    if (typeof prompt !== 'string') return 0;
    return this.asIs(prompt).length - this.ofBareText(prompt, { addBos: false }).length;
  }

  /** The text that tokens of `asIs` spell, without one that was put before it. */
  textOf(prompt: Prompt): string {
    return typeof prompt === 'string' ? prompt : this.tokenizer.decode(this.asIs(prompt));
  }

  /** A text as pretraining saw it: after the token that ends the text before it, where the vocabulary has one. */
  ofText(text: string): number[] {
    const separator = this.tokenizer.encode(documentSeparator, true);
    const ids = this.tokenizer.encode(text, false);
    return withBos(separator.length === 1 ? [...separator, ...ids] : ids, this.tokenizer);
  }

  /** What is scored of a row. Throws NomoatError. */
  scoreRow(row: ScoreRow): TokenRow {
    if ('continuation' in row) return this.continuationRow(row.prompt, row.continuation);
    if ('prompt' in row) return completionRow(row.prompt, row.answer, this.parts);
    return this.answerRow([...row.messages, { role: 'assistant', content: row.answer }]);
  }

  /** Both as one text, divided where the prompt's tokens end; behind nothing, after the token that begins a text or ends the one before. */
  private continuationRow(prompt: Prompt, continuation: Prompt): TokenRow {
    if (typeof prompt !== 'string')
      return continued(
        this.asIs(prompt),
        typeof continuation === 'string' ? this.tokenizer.encode(continuation, true) : this.asIs(continuation),
      );
    const bare = prompt.trimEnd();
    const whole = this.asIs(prompt + continuation);
    if (bare !== '') return continued(whole, [], this.asIs(bare).length);
    const { bosToken, eosToken } = this.tokenizer;
    const first = bosToken ?? eosToken;
    const before = first === null || whole[0] === first ? [] : [first];
    return continued([...before, ...whole], [], 1);
  }

  /** A conversation as a row of which only the last answer is asked about. Throws NomoatError. */
  answerRow(messages: readonly Message[]): TokenRow {
    assertConversation(messages);
    return answerRow(messages, this.parts);
  }
}

/** A row of which the tokens from `first` on are scored. */
function continued(prompt: readonly number[], continuation: readonly number[], first = prompt.length): TokenRow {
  const tokens = Int32Array.from([...prompt, ...continuation]);
  return {
    tokens,
    supervised: Uint8Array.from(tokens, (_, t) => (t > 0 && t >= first ? 1 : 0)),
    source: { file: 'the row', line: 1 },
  };
}

/** The template of a model file; null for a base model, which continues single prompts. */
export function templateOf(model: GgufFile): ChatTemplate | null {
  try {
    return chatTemplateOf(model);
  } catch (error) {
    if (error instanceof NomoatError && error.fields.code === noChatTemplate) return null;
    throw error;
  }
}
