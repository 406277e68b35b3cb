/**
 * Holds a rendering against the record that it was made of. Promises: every text, thought, call, argument and number of a message is in
 * the rendering, or it is said what is not; nothing is judged by searching the text alone, each piece of it knows its source. Pure.
 */
import type { Message } from './example.ts';
import { isObject } from './refused.ts';
import { remembered } from './remembered.ts';
import { type Origin, originsOf, originsOfTools, parsedMessage } from './template-values.ts';

/** A piece of a rendering that came from the record. */
export interface SourceSpan {
  readonly start: number;
  readonly end: number;
  readonly origin: Origin;
}

/** `trimmed`: but for white space at its boundaries; `changed`: most of it, in other characters; `gone`: not, or hardly. */
export type Kept = 'whole' | 'trimmed' | 'changed' | 'gone';

/** Templates that move thoughts put these tags around them themselves. */
const thoughtTags = /<\/?(?:mm:|seed:)?(?:think|thinking|thought)>/g;
const bare = (text: string): string => text.replace(thoughtTags, '').replace(/\s+/g, '');
/** Of a text that a template rewrites (upper case, another spelling), at least this share of its characters must be there. */
const changedShare = 0.5;

/** What became of `source`, of which `rendered` are the pieces in a rendering, in order. */
export function keptOf(source: string, rendered: readonly string[]): Kept {
  const joined = rendered.join('');
  if (joined.includes(source)) return 'whole';
  const trimmed = source.trim();
  if (joined.includes(trimmed)) return 'trimmed';
  // As an argument inside JSON.
  if (joined.includes(JSON.stringify(source).slice(1, -1))) return 'whole';
  const [theirs, ours] = [bare(joined), bare(source)];
  if (theirs.includes(ours)) return 'whole';
  if (theirs.includes(bare(JSON.stringify(trimmed).slice(1, -1)))) return 'whole';
  return [...theirs].length >= changedShare * [...ours].length ? 'changed' : 'gone';
}

/** The pieces of `text` by the place that they came from. */
function bySource(text: string, spans: readonly SourceSpan[]): Pieces {
  const pieces = new Map<string, string[]>();
  // Not by the origin itself: a message whose content was given as '' for null is another object.
  for (const { start, end, origin } of spans)
    remembered(pieces, keyOf(origin), () => [] as string[]).push(text.slice(start, end));
  return pieces;
}

type Pieces = ReadonlyMap<string, readonly string[]>;
const keyOf = ({ field, message, path }: Origin): string => `${message}.${field}.${path}`;

export interface LeftOut {
  /** What is missing that must not be: equal for equal causes, and where. Null where nothing is. */
  readonly refusal: { readonly fault: string; readonly detail?: string } | null;
  readonly notes: readonly string[];
}

const where = (index: number): string => `message ${index + 1}`;

/** A number in the words of a template: 1.0 as 1.0 or 1, 1e-7 as 1e-07. */
const sameNumber = (source: string, pieces: readonly string[]): boolean =>
  source !== '' && pieces.some((piece) => piece.trim() !== '' && Number(piece) === Number(source));

function keptAt(origin: Origin, pieces: Pieces): Kept {
  const found = pieces.get(keyOf(origin)) ?? [];
  const kept = keptOf(origin.value, found);
  return kept !== 'whole' && sameNumber(origin.value, found) ? 'whole' : kept;
}

/**
 * What is left out of a rendering of `messages` and `tools`, or changed. `learnt` are the indices of the answers that are learnt from this
 * rendering; of earlier answers thoughts may rightly be gone, as in use.
 */
export function leftOut(
  rendering: { readonly text: string; readonly spans: readonly SourceSpan[] },
  messages: readonly Message[],
  tools: readonly unknown[] | undefined,
  learnt: ReadonlySet<number>,
): LeftOut {
  const pieces = bySource(rendering.text, rendering.spans);
  const notes = new Set<string>();
  for (const [i, message] of messages.entries()) {
    const { role } = message;
    for (const origin of originsOf(message, i)) {
      const kept = keptAt(origin, pieces);
      if (kept === 'whole') continue;
      const judged = judge(origin, kept, role, learnt.has(i));
      if (judged.refuse)
        return {
          refusal: {
            fault: judged.refuse,
            detail: `${where(i)}${origin.field === 'tool_calls' ? `: ${origin.path}` : ''}`,
          },
          notes: [],
        };
      if (judged.note) notes.add(judged.note);
    }
    const key = missingKey(message, rendering.text);
    if (key !== null)
      return {
        refusal: { fault: 'the template leaves out arguments of a call', detail: `${where(i)}: ${key}` },
        notes: [],
      };
  }
  const missing = tools ? missingOfTools(tools, pieces) : null;
  if (missing === 'all') return { refusal: { fault: 'the template has no place for tools' }, notes: [] };
  if (missing) notes.add(missing);
  return { refusal: null, notes: [...notes] };
}

interface Judged {
  readonly refuse?: string;
  readonly note?: string;
}

function judge(origin: Origin, kept: Kept, role: string, learnt: boolean): Judged {
  switch (origin.field) {
    case 'name':
    case 'tool_call_id':
      return kept === 'gone' ? { note: `the template has no place for the ${origin.field} of a ${role} message` } : {};
    case 'tool_calls':
      if (!origin.essential) return kept === 'gone' ? { note: 'the template leaves out ids or types of calls' } : {};
      if (kept === 'trimmed') return {};
      return origin.path.endsWith('.name')
        ? { refuse: 'the template has no place for tool_calls' }
        : { refuse: 'the template leaves out arguments of a call' };
    case 'reasoning_content':
      if (kept === 'trimmed') return {};
      // Thoughts of other roles have no place in any template.
      if (role !== 'assistant')
        return { note: `the template has no place for the reasoning_content of a ${role} message` };
      // An older answer's thoughts are not shown in use either.
      return learnt
        ? { refuse: 'the template has no place for reasoning_content' }
        : { note: 'thoughts of earlier answers are left out by the template, as in use' };
    case 'content':
      return judgeContent(kept, role, learnt);
    case 'tools':
      return {};
  }
}

function judgeContent(kept: Kept, role: string, learnt: boolean): Judged {
  if (kept === 'trimmed')
    return role === 'assistant' && learnt
      ? { note: 'white space at the boundaries of answers is cut off by the template' }
      : {};
  if (kept === 'changed' && !learnt)
    return {
      note:
        role === 'assistant'
          ? 'the template changes earlier answers, as in use'
          : `the template changes the text of a ${role} message`,
    };
  if (role !== 'assistant') return { refuse: `the template leaves out the text of a ${role} message` };
  return learnt
    ? { refuse: 'the template leaves out part of an answer' }
    : { note: 'thoughts of earlier answers are left out by the template, as in use' };
}

/** Keys of an object and of all that is inside it. */
function* keysInside(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const each of value) yield* keysInside(each);
  else if (isObject(value))
    for (const [key, each] of Object.entries(value)) {
      yield key;
      yield* keysInside(each);
    }
}

/** A key of a call's arguments that stands nowhere in the rendering, its value (a flag, a null) with it; null where all do. */
function missingKey(message: Message, text: string): string | null {
  for (const call of parsedMessage(message).tool_calls ?? []) {
    const called = isObject(call) && isObject(call.function) ? call.function.arguments : undefined;
    for (const key of keysInside(called))
      if (!text.includes(key) && !text.includes(JSON.stringify(key).slice(1, -1))) return key;
  }
  return null;
}

/** 'all' where no tool's name is rendered; a note where something of them is missing; null otherwise. */
function missingOfTools(tools: readonly unknown[], pieces: Pieces): 'all' | string | null {
  const places = originsOfTools(tools);
  if (places.length === 0) return null;
  const gone = places.filter((origin) => keptAt(origin, pieces) === 'gone');
  if (gone.length === places.length) return 'all';
  const name = gone.find(({ path }) => /(^|\.)name$/.test(path) && path.split('.').length <= 3);
  if (name) return 'all';
  return gone.length > 0 ? 'the template leaves out parts of the description of tools' : null;
}
