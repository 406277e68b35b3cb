/** Prompts as the model is asked with them: of conversations by its chat template, or as they are. Promises the tokens of training. */
import type { Prompt, PromptOptions } from '../chat/chat-model.ts';
import { AnswerForms, promptText } from '../chat/prompt-text.ts';
import { assertConversation, assertTokens, barePrompt } from '../chat/refusals.ts';
import { answerRow } from '../chat/score.ts';
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

  /** A conversation as a row of which only the last answer is asked about. Throws NomoatError. */
  answerRow(messages: readonly Message[]): TokenRow {
    assertConversation(messages);
    return answerRow(messages, this.parts);
  }
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
