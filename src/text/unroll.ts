/**
 * The renderings that a conversation is learnt from. Promises: every supervised answer is in exactly one of them, behind the very prompt
 * that asks for it in use and as the data has it; what a template leaves out is refused or noted. Knows nothing of tokens. Pure.
 */
import { type Beginning, type ChatTemplate, ConversationRefused, type MarkedText } from './chat-template.ts';
import { commonLength } from './common-length.ts';
import { composeAnswer } from './compose-answer.ts';
import type { Message } from './example.ts';
import { leftOut, type SourceSpan } from './left-out.ts';
import { remembered } from './remembered.ts';

/** A half-open range of a text's characters (UTF-16 units). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A rendered conversation with the answers that are learnt from it, each with the end of its turn. */
export interface Rendering {
  readonly text: string;
  /** In order, without overlap; with what the loss of their tokens counts where that is not 1. */
  readonly answers: readonly (Span & { readonly weight?: number })[];
  /** What of the text came from the data, in order. */
  readonly data: readonly Span[];
}

export interface Unrolled {
  readonly renderings: readonly Rendering[];
  /** What a person should know, in sentences that are equal for equal causes. */
  readonly notes: readonly string[];
}

/** Indices of the answers that are learnt. */
const supervisedAnswers = (messages: readonly Message[]): number[] =>
  messages.flatMap(({ role, weight }, i) => (role === 'assistant' && weight !== 0 ? [i] : []));

/**
 * One rendering, up to the last supervised answer (nothing is learnt from what follows), for nearly all templates. Where a template
 * rewrites earlier turns (Qwen3 drops what was thought), an answer is taken from the rendering in which it was the newest; answers
 * that agree share a rendering. Where the template does not put an answer behind the prompt that asks for it, or leaves part of it out, the
 * row is that prompt with the answer behind it. Throws ConversationRefused.
 */
export function unroll(template: ChatTemplate, messages: readonly Message[], tools?: readonly unknown[]): Unrolled {
  const { messages: taken, note } = withKnownRoles(template, messages, tools);
  const notes = new Set<string>(note === null ? [] : [note]);
  const renderings: Rendering[] = [];
  const asked = new Asked(template, taken, tools);
  let pending = supervisedAnswers(taken);
  if (pending.length > 0 && pending.at(-1)! < taken.length - 1)
    notes.add('messages behind the last answer that is learnt are not used');
  while (pending.length > 0) {
    const newest = pending.at(-1)!;
    const part = taken.slice(0, newest + 1);
    const made = sharedRendering(asked, part, pending) ?? alone(template, part, tools);
    renderings.unshift(made.rendering);
    for (const each of made.notes) notes.add(each);
    pending = pending.filter((i) => !made.learnt.has(i));
  }
  return { renderings, notes: [...notes] };
}

/** An answer's place with its weight. */
const weighted = (span: Span, { weight }: Message): Rendering['answers'][number] =>
  weight === undefined ? span : { ...span, weight };

/** A rendering, and which answers are learnt from it. */
interface Learnt {
  readonly learnt: ReadonlySet<number>;
  readonly rendering: Rendering;
  readonly notes: readonly string[];
}

/** From this many answers on, their beginnings are rendered together. */
const manyAnswers = 4;

/** Texts that several renderings are held against, each rendered once: of answer i, the prompt that asks for it and the conversation up to it. */
class Asked {
  readonly template: ChatTemplate;
  readonly tools: readonly unknown[] | undefined;
  private readonly messages: readonly Message[];
  private readonly prompts = new Map<number, Beginning>();
  private readonly conversations = new Map<number, Beginning>();

  constructor(template: ChatTemplate, messages: readonly Message[], tools: readonly unknown[] | undefined) {
    this.template = template;
    this.messages = messages;
    this.tools = tools;
    const answers = supervisedAnswers(messages);
    if (answers.length < manyAnswers) return;
    this.renderTogether(this.prompts, answers, 0, true);
    this.renderTogether(this.conversations, answers, 1, false);
  }

  /** Long conversations would take quadratic time, each beginning rendered by itself. */
  private renderTogether(
    into: Map<number, Beginning>,
    answers: readonly number[],
    more: 0 | 1,
    addGenerationPrompt: boolean,
  ): void {
    const cuts = answers.map((i) => i + more);
    const options = { tools: this.tools, addGenerationPrompt };
    const found = this.template.renderBeginnings(this.messages, cuts, options);
    for (const [k, beginning] of found.entries()) if (beginning) into.set(answers[k]!, beginning);
  }

  /** The prompt that asks for message `i`. */
  prompt(i: number): Beginning {
    return remembered(this.prompts, i, () => this.render(i, true));
  }

  /** The conversation up to and with message `i`. */
  conversation(i: number): Beginning {
    return remembered(this.conversations, i, () => this.render(i + 1, false));
  }

  private render(count: number, addGenerationPrompt: boolean): Beginning {
    const text = this.template.render(this.messages.slice(0, count), { tools: this.tools, addGenerationPrompt });
    return { whole: { text }, shared: text.length, text: '' };
  }
}

/** The whole rendering with all of `pending` that stand in it as they are asked for; null where the newest does not, or not whole. */
function sharedRendering(asked: Asked, messages: readonly Message[], pending: readonly number[]): Learnt | null {
  const { template, tools } = asked;
  const whole = template.renderMarked(messages, { tools, addGenerationPrompt: false });
  const held = new Held(whole.text);
  const spans = new Map<number, Rendering['answers'][number]>();
  for (const i of [...pending].reverse()) {
    const span = locate(asked, held, messages.length, i);
    if (span) spans.set(i, weighted(span, messages[i]!));
    else if (i === messages.length - 1) return null;
  }
  const learnt = new Set(spans.keys());
  const { notes, refusal } = leftOut(whole, messages, tools, learnt);
  if (refusal) {
    // Alone, an answer may be whole: behind its prompt, as the data has it.
    const made = aloneOrNull(template, messages, tools);
    if (made) return made;
    throw new ConversationRefused(refusal.fault, refusal.detail);
  }
  const answers = [...spans.values()].sort((a, b) => a.start - b.start);
  if (answers.some(({ start }, k) => k > 0 && start < answers[k - 1]!.end))
    throw new ConversationRefused('the template lets answers overlap');
  return { rendering: { text: whole.text, answers, data: whole.spans }, notes, learnt };
}

function aloneOrNull(
  template: ChatTemplate,
  messages: readonly Message[],
  tools: readonly unknown[] | undefined,
): Learnt | null {
  try {
    return alone(template, messages, tools);
  } catch (error) {
    if (error instanceof ConversationRefused) return null;
    throw error;
  }
}

/** The prompt that asks for the newest answer, and that answer behind it. Throws ConversationRefused. */
function alone(template: ChatTemplate, messages: readonly Message[], tools: readonly unknown[] | undefined): Learnt {
  const newest = messages.length - 1;
  const prompt = template.renderMarked(messages.slice(0, newest), { tools, addGenerationPrompt: true });
  const whole = template.renderMarked(messages, { tools, addGenerationPrompt: false });
  const { note, spans, text } = composeAnswer(prompt, whole, messages[newest]!, newest);
  const row: MarkedText = {
    text: prompt.text + text,
    spans: [...prompt.spans, ...spans.map((span) => shifted(span, prompt.text.length))],
  };
  const { notes, refusal } = leftOut(row, messages, tools, new Set([newest]));
  if (refusal) throw new ConversationRefused(refusal.fault, refusal.detail);
  const answer = weighted({ start: prompt.text.length, end: row.text.length }, messages[newest]!);
  return {
    rendering: { text: row.text, answers: [answer], data: row.spans },
    notes: [...notes, note],
    learnt: new Set([newest]),
  };
}

const shifted = ({ start, end, origin }: SourceSpan, by: number): SourceSpan => ({
  start: start + by,
  end: end + by,
  origin,
});

/** Where answer `i` of `count` messages stands in `whole`, its end of turn included; null where the whole does not begin as the conversation up to it. */
function locate(asked: Asked, whole: Held, count: number, i: number): Span | null {
  const before = asked.prompt(i);
  if (!whole.beginsAs(before)) return null;
  const start = lengthOf(before);
  if (i === count - 1) return whole.text.length > start ? { start, end: whole.text.length } : null;
  const after = asked.conversation(i);
  const end = lengthOf(after);
  return end > start && whole.beginsAs(after) ? { start, end } : null;
}

const lengthOf = ({ shared, text }: Beginning): number => shared + text.length;

/** A rendering that beginnings are held against: those of one whole are compared with it once, not each by itself. */
class Held {
  readonly text: string;
  private readonly common = new Map<object, number>();

  constructor(text: string) {
    this.text = text;
  }

  beginsAs({ shared, text, whole }: Beginning): boolean {
    const common = remembered(this.common, whole, () => commonLength(this.text, whole.text));
    return common >= shared && this.text.startsWith(text, shared);
  }
}

/** Roles that not every template knows, and the ones that say the same. */
const otherRoles: Readonly<Record<string, string>> = { developer: 'system', function: 'tool', ipython: 'tool' };

/** The messages, with roles that the template refuses or passes over under the name that it knows. */
function withKnownRoles(
  template: ChatTemplate,
  messages: readonly Message[],
  tools: readonly unknown[] | undefined,
): { messages: readonly Message[]; note: string | null } {
  const rare = [...new Set(messages.map(({ role }) => role).filter((role) => Object.hasOwn(otherRoles, role)))];
  if (rare.length === 0) return { messages, note: null };
  const fits = (tried: readonly Message[]): boolean => {
    try {
      const whole = template.renderMarked(tried, { tools, addGenerationPrompt: false });
      return leftOut(whole, tried, undefined, new Set()).refusal === null;
    } catch (error) {
      if (error instanceof ConversationRefused) return false;
      throw error;
    }
  };
  if (fits(messages)) return { messages, note: null };
  const renamed = messages.map((message) => ({ ...message, role: otherRoles[message.role] ?? message.role }));
  if (!fits(renamed)) return { messages, note: null };
  return {
    messages: renamed,
    note: `${rare.map((role) => `the role ${role} is rendered as ${otherRoles[role]}`).join('; ')}, which the template knows`,
  };
}
