/**
 * Renders conversations by the chat template that the model file carries, for training, chat and serving alike.
 * Promises: the pieces of a split conversation add up to its whole rendering, or the conversation is refused with the reason.
 * Knows nothing of tokens. Pure.
 */
import { Template } from '@huggingface/jinja';
import { NomoatError } from '../errors.ts';
import type { Message } from './example.ts';

export interface RenderOptions {
  readonly tools?: readonly unknown[];
  readonly addGenerationPrompt: boolean;
}

/** A part of a rendered conversation; an answer begins after the generation prompt and holds the end of its turn. */
export interface Piece {
  readonly text: string;
  readonly supervised: boolean;
}

/** The metadata that a template needs of a model file; GgufFile has it. */
export interface TemplateSource {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, { readonly value: unknown }>;
  string(key: string): string | undefined;
  number(key: string): number | undefined;
}

export class ChatTemplate {
  readonly source: string;
  private readonly template: Template;
  private readonly specials: { readonly bosToken: string; readonly eosToken: string };

  constructor(source: string, specials: { readonly bosToken: string; readonly eosToken: string }) {
    this.source = source;
    this.specials = specials;
    try {
      this.template = new Template(source);
    } catch (error) {
      throw new NomoatError({
        part: 'the chat template',
        fault: `cannot be parsed (${(error as Error).message})`,
        remedy: 'Use a model file with another template.',
        cause: error,
      });
    }
  }

  /** The conversation as text. Throws NomoatError when the template refuses it. */
  render(messages: readonly Message[], options: RenderOptions): string {
    try {
      return this.template.render({
        messages: messages.map(({ weight: _, ...message }) => message),
        add_generation_prompt: options.addGenerationPrompt,
        bos_token: this.specials.bosToken,
        eos_token: this.specials.eosToken,
        ...(options.tools ? { tools: options.tools } : {}),
      });
    } catch (error) {
      throw new NomoatError({
        part: 'the chat template',
        fault: `refuses the conversation (${(error as Error).message})`,
        remedy: 'Check the roles and their order: most templates want user and assistant in turns.',
        cause: error,
      });
    }
  }

  /**
   * The rendering in pieces, answers apart: what an answer adds is found by rendering the conversation up to it, with the generation
   * prompt and then with the answer. Answers of weight 0 are not supervised. Throws NomoatError where the template rewrites earlier turns.
   */
  split(messages: readonly Message[], tools?: readonly unknown[]): Piece[] {
    const withTools = tools ? { tools } : {};
    const whole = this.render(messages, { ...withTools, addGenerationPrompt: false });
    const pieces: Piece[] = [];
    let position = 0;
    messages.forEach((message, i) => {
      if (message.role !== 'assistant' || message.weight === 0) return;
      const before = this.render(messages.slice(0, i), { ...withTools, addGenerationPrompt: true });
      const after = this.render(messages.slice(0, i + 1), { ...withTools, addGenerationPrompt: false });
      if (!whole.startsWith(after) || !after.startsWith(before) || before.length < position) {
        throw new NomoatError({
          part: `message ${i + 1}`,
          fault:
            'the chat template renders this answer differently inside the whole conversation, so its borders cannot be proven',
          remedy: 'Split the conversation so that this answer is the last one.',
        });
      }
      if (before.length > position) pieces.push({ text: whole.slice(position, before.length), supervised: false });
      pieces.push({ text: whole.slice(before.length, after.length), supervised: true });
      position = after.length;
    });
    if (position < whole.length) pieces.push({ text: whole.slice(position), supervised: false });
    return pieces;
  }
}

/** The text of a special token that the metadata names by id; '' where it names none. */
function specialToken(model: TemplateSource, key: string): string {
  const id = model.number(`tokenizer.ggml.${key}_token_id`);
  const tokens = model.metadata.get('tokenizer.ggml.tokens')?.value;
  const text = id !== undefined && Array.isArray(tokens) ? tokens[id] : undefined;
  return typeof text === 'string' ? text : '';
}

/** The model file's own template. Throws NomoatError where it has none. */
export function chatTemplateOf(model: TemplateSource): ChatTemplate {
  const source = model.string('tokenizer.chat_template');
  if (!source) {
    throw new NomoatError({
      part: model.path,
      fault: 'has no chat template (tokenizer.chat_template)',
      remedy: 'Use an instruction-tuned model file, or train on `text` records.',
    });
  }
  return new ChatTemplate(source, { bosToken: specialToken(model, 'bos'), eosToken: specialToken(model, 'eos') });
}
