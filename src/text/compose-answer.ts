/**
 * An answer behind the prompt that asks for it, where the template itself does not put it there: the prompt opens the thoughts that the
 * rendered answer lacks, the rendering moves a system prompt, or it drops what was thought. Promises: the text is what a model must
 * write after that prompt to give the data's answer, and what the template ends an answer with. Pure.
 */
import { ConversationRefused, type MarkedText } from './chat-template.ts';
import type { Message } from './example.ts';
import { keptOf, type SourceSpan } from './left-out.ts';
import { originOfField } from './template-values.ts';

export interface Composed {
  readonly text: string;
  /** What of the text came from the answer. */
  readonly spans: readonly SourceSpan[];
  /** What a person should know, or null. */
  readonly note: string | null;
}

/** A generation prompt that opens the thoughts ends so. */
const openedTag = /^\s*<([\w:]+)>\s*$/;

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
  const turnEnd = whole.text.slice(end);
  const kept = keptOf(answer.content ?? '', own.filter(({ origin }) => origin.field === 'content').map((span) => whole.text.slice(span.start, span.end))); // biome-ignore format: one line
  // A template that drops thoughts shows no more than what it shows later; what is learnt is the whole answer.
  const asWritten = (kept === 'gone' || kept === 'changed') && !answer.tool_calls;
  const body = asWritten ? answerAsWritten(answer, own) : slice(whole, own, first.start, end);
  if (rendered.startsWith(asked)) {
    const lead = asWritten ? '' : rendered.slice(asked.length);
    const note = asWritten ? 'answers are learnt whole, though the template drops their thoughts' : 'answers are put behind the prompt that asks for them, since the template renders them in another place'; // biome-ignore format: one line
    return join([{ text: lead, spans: [] }, body, { text: turnEnd, spans: [] }], note);
  }
  const opened = asked.startsWith(rendered) ? asked.slice(rendered.length) : null;
  const tag = opened === null ? null : openedTag.exec(opened)?.[1];
  if (opened === null || tag === null || tag === undefined)
    throw new ConversationRefused(
      'the template does not put the answer behind the prompt that asks for it',
      `message ${index + 1}`,
    );
  return join([behindOpenedThoughts(body, answer, tag, own), { text: turnEnd, spans: [] }], thoughtsNote(answer, tag));
}

interface Piece {
  readonly text: string;
  readonly spans: readonly SourceSpan[];
}

const hasTag = (answer: Message, tag: string): boolean => (answer.content ?? '').trimStart().startsWith(`<${tag}>`);

const thoughtsNote = (answer: Message, tag: string): string =>
  hasTag(answer, tag) || answer.reasoning_content !== undefined
    ? 'answers go on from the thoughts that the prompt opens'
    : 'answers have no thoughts: those that the prompt opens are closed at once';

/** The answer's text after a prompt that ends in `<think>`. */
function behindOpenedThoughts(body: Piece, answer: Message, tag: string, own: readonly SourceSpan[]): Piece {
  const content = answer.content ?? '';
  if (hasTag(answer, tag)) {
    // The prompt's tag is followed by a line end already.
    const written = content
      .trimStart()
      .slice(tag.length + 2)
      .replace(/^\n/, '');
    return marked(written, own, 'content');
  }
  const close = `\n</${tag}>\n\n`;
  const thoughts = answer.reasoning_content;
  const thought = thoughts === undefined ? { text: '', spans: [] } : reasoned(thoughts, body, own, answer);
  return concat([thought, { text: close, spans: [] }, body]);
}

/** Thoughts of a field of their own; their mark is made here, since the template may not have rendered them. */
function reasoned(thoughts: string, body: Piece, own: readonly SourceSpan[], answer: Message): Piece {
  if (body.text.includes(thoughts.trim())) return { text: '', spans: [] };
  const text = thoughts.trim();
  const message = own[0]!.origin.message;
  const known = own.find(({ origin }) => origin.field === 'reasoning_content')?.origin;
  const origin = known ?? originOfField(answer, message!, 'reasoning_content');
  return { text, spans: [{ start: 0, end: text.length, origin }] };
}

function answerAsWritten(answer: Message, own: readonly SourceSpan[]): Piece {
  return marked((answer.content ?? '').trim(), own, 'content');
}

function marked(text: string, own: readonly SourceSpan[], field: 'content'): Piece {
  const origin = (own.find((span) => span.origin.field === field) ?? own[0]!).origin;
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
