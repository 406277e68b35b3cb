/**
 * Renders conversations by the chat template that the model file carries, for training, chat and serving alike.
 * Promises: the pieces of a split conversation add up to its whole rendering, every answer stands behind the very prompt that asks
 * for it in use, and nothing of a conversation is left out; otherwise it is refused with the reason. Knows nothing of tokens. Pure.
 */
import { Template } from '@huggingface/jinja';
import { NomoatError } from '../errors.ts';
import type { Message } from './example.ts';
import { templateDate, withFixedDate } from './template-date.ts';

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

/** One conversation cannot be rendered or divided; others may. `fault` is the kind of reason, equal for equal causes; `detail` says where. */
export class ConversationRefused extends NomoatError {
  readonly reason: string;
  readonly detail: string | undefined;

  constructor(fault: string, detail?: string, cause?: unknown) {
    super({
      part: 'the conversation',
      fault: detail === undefined ? fault : `${fault} (${detail})`,
      remedy: 'Check the roles, their order and their contents against what the model was trained on.',
      cause,
    });
    this.reason = fault;
    this.detail = detail;
  }
}

export class ChatTemplate {
  readonly source: string;
  private readonly template: Template;
  private readonly specials: { readonly bosToken: string; readonly eosToken: string };

  constructor(source: string, specials: { readonly bosToken: string; readonly eosToken: string }) {
    this.source = source;
    this.specials = specials;
    try {
      this.template = new Template(withFixedDate(source));
    } catch (error) {
      throw new NomoatError({
        part: 'the chat template',
        fault: `cannot be parsed (${(error as Error).message})`,
        remedy: 'Use a model file with another template.',
        cause: error,
      });
    }
  }

  /** The conversation as text. Throws ConversationRefused (a NomoatError) when the template refuses it. */
  render(messages: readonly Message[], options: RenderOptions): string {
    try {
      return this.rendered(messages, options);
    } catch (error) {
      // A call has null beside it, as OpenAI writes it: some templates ask for that, others put it together with text.
      const silent = ({ content, tool_calls }: Message): boolean => content === null && tool_calls !== undefined;
      const texts = messages.map((message) => (silent(message) ? { ...message, content: '' } : message));
      const second = messages.some(silent) ? orNull(() => this.rendered(texts, options)) : null;
      if (second !== null) return second;
      const { message } = error as Error;
      throw new ConversationRefused(`the chat template refuses it: ${message}`, undefined, error);
    }
  }

  private rendered(messages: readonly Message[], options: RenderOptions): string {
    return this.template.render({
      messages: messages.map(forTemplate),
      add_generation_prompt: options.addGenerationPrompt,
      bos_token: this.specials.bosToken,
      eos_token: this.specials.eosToken,
      ...templateDate,
      ...(options.tools ? { tools: options.tools } : {}),
    });
  }

  /**
   * The rendering of all messages in pieces, answers apart. What an answer adds is found by rendering the conversation up to it, with
   * the generation prompt and then with the answer; both must begin the whole rendering. Answers of weight 0 are not supervised.
   * Throws ConversationRefused where the template renders an answer differently in the middle of a conversation (see unroll).
   */
  split(messages: readonly Message[], tools?: readonly unknown[]): Piece[] {
    const wanted = supervisedAnswers(messages);
    const whole = this.whole(messages, tools);
    const spans = wanted.map((i) => this.locate(whole, messages, i, tools));
    const missing = spans.indexOf(null);
    if (missing >= 0) {
      throw new ConversationRefused(
        'the template renders an answer differently inside the whole conversation than where it is asked for',
        `message ${wanted[missing]! + 1}`,
      );
    }
    return toPieces(whole, spans as Span[]);
  }

  /**
   * The renderings that a conversation is learnt from: one, up to its last supervised answer (nothing is learnt from what follows),
   * for nearly all templates. Where a template rewrites earlier turns (Qwen3 drops what was thought), an answer is taken from the
   * rendering in which it was the newest, so that it is learnt as it is asked for in use; answers that agree share a rendering.
   * Every supervised answer is in exactly one of them. Throws ConversationRefused.
   */
  unroll(messages: readonly Message[], tools?: readonly unknown[]): Piece[][] {
    this.assertNothingLeftOut(messages, tools);
    const renderings: Piece[][] = [];
    let pending = supervisedAnswers(messages);
    while (pending.length > 0) {
      const newest = pending.at(-1)!;
      const part = messages.slice(0, newest + 1);
      const whole = this.whole(part, tools);
      const spans = pending.map((i) => this.locate(whole, part, i, tools));
      if (spans.at(-1) === null) {
        throw new ConversationRefused(
          'the template does not put the answer behind the prompt that asks for it',
          `message ${newest + 1}`,
        );
      }
      renderings.unshift(
        toPieces(
          whole,
          spans.filter((span) => span !== null),
        ),
      );
      pending = pending.filter((_, k) => spans[k] === null);
    }
    return renderings;
  }

  /** Refuses what the template would drop without a word: texts of users and systems, tools, tool calls, reasoning. */
  private assertNothingLeftOut(messages: readonly Message[], tools: readonly unknown[] | undefined): void {
    const whole = this.whole(messages, tools);
    for (const [i, { role, content }] of messages.entries()) {
      if ((role === 'user' || role === 'system') && !whole.includes((content ?? '').trim()))
        throw new ConversationRefused(`the template leaves out the text of a ${role} message`, `message ${i + 1}`);
    }
    if (tools && tools.length > 0 && this.whole(messages) === whole)
      throw new ConversationRefused('the template has no place for tools');
    for (const field of ['tool_calls', 'reasoning_content'] as const) {
      const i = messages.findLastIndex((message) => message[field] !== undefined);
      if (i < 0) continue;
      // As the newest message: older ones may lose their reasoning rightly.
      const { [field]: _, ...without } = messages[i]!;
      const before = messages.slice(0, i);
      if (this.whole([...before, messages[i]!], tools) === this.tryWhole([...before, without], tools))
        throw new ConversationRefused(`the template has no place for ${field}`, `message ${i + 1}`);
    }
  }

  private whole(messages: readonly Message[], tools?: readonly unknown[]): string {
    return this.render(messages, { ...(tools ? { tools } : {}), addGenerationPrompt: false });
  }

  private tryWhole(messages: readonly Message[], tools?: readonly unknown[]): string | null {
    return orNull(() => this.whole(messages, tools));
  }

  /** Where answer `i` stands in `whole`, its end of turn included; null where the whole does not begin as the conversation up to it. */
  private locate(whole: string, messages: readonly Message[], i: number, tools?: readonly unknown[]): Span | null {
    const before = this.render(messages.slice(0, i), { ...(tools ? { tools } : {}), addGenerationPrompt: true });
    const after = i === messages.length - 1 ? whole : this.whole(messages.slice(0, i + 1), tools);
    const found = after.length > before.length && after.startsWith(before) && whole.startsWith(after);
    return found ? { start: before.length, end: after.length } : null;
  }
}

function orNull(render: () => string): string | null {
  try {
    return render();
  } catch {
    return null;
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Indices of the answers that are learnt. */
function supervisedAnswers(messages: readonly Message[]): number[] {
  return messages.flatMap(({ role, weight }, i) => (role === 'assistant' && weight !== 0 ? [i] : []));
}

function toPieces(whole: string, spans: readonly Span[]): Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  for (const { start, end } of spans) {
    if (start < position) throw new ConversationRefused('the template lets answers overlap');
    if (start > position) pieces.push({ text: whole.slice(position, start), supervised: false });
    pieces.push({ text: whole.slice(start, end), supervised: true });
    position = end;
  }
  if (position < whole.length) pieces.push({ text: whole.slice(position), supervised: false });
  return pieces;
}

/** A message as templates expect it: without our weight, and with the arguments of tool calls as objects, which OpenAI writes as JSON text. */
function forTemplate({ weight: _, ...message }: Message): Record<string, unknown> {
  if (!message.tool_calls) return message;
  return { ...message, tool_calls: message.tool_calls.map(withParsedArguments) };
}

function withParsedArguments(call: unknown): unknown {
  const { function: called, ...rest } = call as { function?: { arguments?: unknown } };
  if (typeof called?.arguments !== 'string') return call;
  try {
    return { ...rest, function: { ...called, arguments: JSON.parse(called.arguments) as unknown } };
  } catch {
    return call;
  }
}

/** The text of a special token that the metadata names by id; '' where it names none. */
function specialToken(model: TemplateSource, key: string): string {
  const id = model.number(`tokenizer.ggml.${key}_token_id`);
  const tokens = model.metadata.get('tokenizer.ggml.tokens')?.value;
  const text = id !== undefined && Array.isArray(tokens) ? tokens[id] : undefined;
  return typeof text === 'string' ? text : '';
}

/** The `code` field of the error that chatTemplateOf throws for a model without a template. */
export const noChatTemplate = 'no-chat-template';

/** The model file's own template. Throws NomoatError where it has none; no default is made up, since chat would not know it. */
export function chatTemplateOf(model: TemplateSource): ChatTemplate {
  const source = model.string('tokenizer.chat_template');
  if (!source) {
    throw new NomoatError({
      part: model.path,
      fault: 'has no chat template (tokenizer.chat_template)',
      remedy: 'Use an instruction-tuned model file, or train on `text` or prompt/completion records.',
      fields: { code: noChatTemplate },
    });
  }
  return new ChatTemplate(source, { bosToken: specialToken(model, 'bos'), eosToken: specialToken(model, 'eos') });
}
