/**
 * What a model thought before its answer, under the names that data sets give it, or inside the answer between tags. Promises: what is
 * given twice is learnt once, and two different thoughts are refused. Pure.
 */
import { type Fields, RecordRefused, textOf } from './refused.ts';

export const thoughtKeys = ['reasoning_content', 'reasoning', 'thinking', 'thoughts', 'thought'] as const;

/** Thoughts that an answer begins with. */
const inside = /^\s*<(think|thinking|thought)>([\s\S]*?)<\/\1>/;
const opened = /^\s*<(think|thinking|thought)>/;

interface Place {
  readonly role: string;
  readonly content: string | null;
  /** Thoughts among the parts of the content. */
  readonly parts: readonly string[];
  readonly where: string;
}

/**
 * The thoughts of a message with this content, `parts` of it among them, where they do not stand in the content already. Throws
 * RecordRefused.
 */
export function thoughtsOf(
  fields: Fields,
  { content, parts, role, where }: Place,
  notes: Set<string>,
): { reasoning_content?: string } {
  const given = thoughtKeys.filter((key) => fields[key] !== undefined && fields[key] !== null && fields[key] !== '');
  const texts = new Set(given.map((key) => textOf(fields[key], key, where)));
  if (parts.length > 0) texts.add(parts.join('\n'));
  if (texts.size > 1)
    throw new RecordRefused(
      'a message has two different thoughts',
      `${where}: ${[...given, ...(parts.length > 0 ? ['a part of the content'] : [])].join(', ')}`,
    );
  const [thoughts] = texts;
  const there = inside.exec(content ?? '')?.[2]?.trim();
  const unclosed = there === undefined && opened.test(content ?? '');
  if (role === 'assistant' && unclosed) notes.add('answers open thoughts and do not close them');
  if (thoughts === undefined) return {};
  if (there === undefined || there === '') return { reasoning_content: thoughts };
  if (there !== thoughts.trim())
    throw new RecordRefused(
      'a message has two different thoughts',
      `${where}: ${[...given, 'the content'].join(', ')}`,
    );
  notes.add('thoughts that stand in the answer too are learnt once');
  return {};
}
