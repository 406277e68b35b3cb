/**
 * An answer behind the prompt that asks for it, where the template itself does not put it there: the prompt opens the thoughts that the
 * rendered answer lacks, the rendering moves a system prompt, or it drops what was thought. Promises: the text is what a model must
 * write after that prompt to give the data's answer, and what the template ends an answer with. Pure.
 */
import { thoughtTags } from './answers/thought-tags.ts';
import { ConversationRefused, type MarkedText } from './chat-template.ts';
import { commonLength } from './common-length.ts';
import type { Message } from './example.ts';
import { keptOf, type SourceSpan } from './left-out.ts';
import { originOfField } from './template-values.ts';

export interface Composed {
  readonly text: string;
  /** What of the text came from the answer. */
  readonly spans: readonly SourceSpan[];
  /** What a person should know. */
  readonly note: string;
}

const lastEnd = (spans: readonly SourceSpan[], before: number): number =>
  spans.reduce((end, span) => (span.end <= before ? Math.max(end, span.end) : end), 0);

/** `prompt` asks for the message `answer` (of index `index`), which `whole` renders last. Throws ConversationRefused. */
export function composeAnswer(prompt: MarkedText, whole: MarkedText, answer: Message, index: number): Composed {
  const own = whole.spans.filter(({ origin }) => origin.message === index);
  const first = own[0];
  if (!first) throw new ConversationRefused('the template leaves out part of an answer', `message ${index + 1}`);
  const end = Math.max(...own.map((span) => span.end));
  // What stands between the message before and the answer, where it is asked for and where it is rendered.
  const asked = prompt.text.slice(lastEnd(prompt.spans, prompt.text.length));
  const rendered = whole.text.slice(lastEnd(whole.spans, first.start), first.start);
  const turnEnd = literal(whole.text.slice(end));
  const texts = own.filter(({ origin }) => origin.field === 'content');
  const kept = keptOf(
    answer.content ?? '',
    texts.map((span) => whole.text.slice(span.start, span.end)),
  );
  // A template that drops thoughts shows no more than what it shows later; what is learnt is the whole answer.
  const asWritten = (kept === 'gone' || kept === 'changed') && !answer.tool_calls;
  const body = asWritten ? marked((answer.content ?? '').trim(), own) : slice(whole, own, first.start, end);
  if (rendered.startsWith(asked)) {
    const lead = asWritten ? '' : rendered.slice(asked.length);
    return join([literal(lead), body, turnEnd], asWritten ? wholeNote : behindNote);
  }
  const common = commonBeforeTags(asked, rendered);
  const thoughts = thoughtsIn(asked.slice(common));
  if (!thoughts)
    throw new ConversationRefused(
      'the template does not put the answer behind the prompt that asks for it',
      `message ${index + 1}`,
    );
  const context: Context = { ...thoughts, answer, body, own, rendered: rendered.slice(common) };
  if (thoughts.open) return join([behindOpenedThoughts(context), turnEnd], thoughtsNote(context));
  if (hasThoughts(answer))
    throw new ConversationRefused('the prompt closes the thoughts that the answer has', `message ${index + 1}`);
  return join([literal(withoutThoughts(context)), body, turnEnd], behindNote);
}

const wholeNote = 'answers are learnt whole, though the template drops their thoughts';
const behindNote =
  'answers are put behind the prompt that asks for them, since the template renders them in another place';

/** The length of what both begin with, back to before a tag that only begins alike. */
function commonBeforeTags(a: string, b: string): number {
  let length = commonLength(a, b);
  for (const [open, close] of ['<>', '[]']) {
    const at = a.lastIndexOf(open!, length - 1);
    const end = at < 0 ? -1 : a.indexOf(close!, at);
    if (at >= 0 && (end < 0 || end >= length)) length = Math.min(length, at);
  }
  // Thoughts that both open belong to what differs.
  for (const [open, close] of thoughtTags) {
    const before = a.slice(0, length);
    if (before.lastIndexOf(open) > before.lastIndexOf(close)) length = before.lastIndexOf(open);
  }
  return length;
}

interface Thoughts {
  readonly tags: readonly [open: string, close: string];
  /** Whether the prompt ends inside of thoughts. */
  readonly open: boolean;
  /** Whether a line ends behind the tag. */
  readonly line: boolean;
}

/** What the end of a prompt does with thoughts, where that is all it does; else null. */
function thoughtsIn(text: string): Thoughts | null {
  const tags = thoughtTags.find(([open, close]) => text.includes(open) || text.includes(close));
  if (!tags) return null;
  const [open, close] = tags;
  if (text.replaceAll(open, '').replaceAll(close, '').trim() !== '') return null;
  return { tags, open: text.lastIndexOf(open) > text.lastIndexOf(close), line: text.endsWith('\n') };
}

interface Context extends Thoughts {
  readonly answer: Message;
  readonly body: Piece;
  readonly own: readonly SourceSpan[];
  /** What the rendering has before the answer and the prompt has not. */
  readonly rendered: string;
}

/** What the rendering has before the answer, without empty thoughts. */
function withoutThoughts({ rendered, tags: [open, close] }: Context): string {
  const closed = rendered.lastIndexOf(close);
  return closed >= 0 ? rendered.slice(closed + close.length) : rendered.replace(open, '');
}

interface Piece {
  readonly text: string;
  readonly spans: readonly SourceSpan[];
}

const literal = (text: string): Piece => ({ text, spans: [] });

const beginsWith = (answer: Message, tag: string): boolean => (answer.content ?? '').trimStart().startsWith(tag);

const hasThoughts = (answer: Message): boolean =>
  answer.reasoning_content !== undefined || thoughtTags.some(([open]) => beginsWith(answer, open));

const thoughtsNote = ({ answer, tags }: Context): string =>
  beginsWith(answer, tags[0]) || answer.reasoning_content !== undefined
    ? 'answers go on from the thoughts that the prompt opens'
    : 'answers have no thoughts: those that the prompt opens are closed at once';

/** The answer's text after a prompt that ends inside of thoughts. */
function behindOpenedThoughts(context: Context): Piece {
  const { answer, body, line, own, rendered, tags } = context;
  const [open, close] = tags;
  if (beginsWith(answer, open)) {
    const written = (answer.content ?? '').trimStart().slice(open.length);
    // The prompt's tag is followed by a line end already.
    return marked(line ? written.replace(/^\n/, '') : written, own);
  }
  const thoughts = answer.reasoning_content?.trim() ?? '';
  const thought = thoughts === '' || body.text.includes(thoughts) ? literal('') : reasoned(thoughts, answer, own);
  const at = rendered.indexOf(close);
  const closing = at >= 0 ? rendered.slice(at) : `${line ? `\n${close}\n\n` : close}${withoutThoughts(context)}`;
  return concat([thought, literal(closing), body]);
}

/** Thoughts of a field of their own; their mark is made here, since the template may not have rendered them. */
function reasoned(text: string, answer: Message, own: readonly SourceSpan[]): Piece {
  const origin = originOfField(answer, own[0]!.origin.message!, 'reasoning_content');
  return { text, spans: [{ start: 0, end: text.length, origin }] };
}

/** A text of the answer's content. */
function marked(text: string, own: readonly SourceSpan[]): Piece {
  const origin = (own.find((span) => span.origin.field === 'content') ?? own[0]!).origin;
  return { text, spans: [{ start: 0, end: text.length, origin }] };
}

function slice(whole: MarkedText, own: readonly SourceSpan[], start: number, end: number): Piece {
  return {
    text: whole.text.slice(start, end),
    spans: own.map((span) => ({ start: span.start - start, end: span.end - start, origin: span.origin })),
  };
}

function concat(pieces: readonly Piece[]): Piece {
  let text = '';
  const spans: SourceSpan[] = [];
  for (const piece of pieces) {
    for (const { start, end, origin } of piece.spans)
      spans.push({ start: start + text.length, end: end + text.length, origin });
    text += piece.text;
  }
  return { text, spans };
}

const join = (pieces: readonly Piece[], note: string): Composed => ({ ...concat(pieces), note });
