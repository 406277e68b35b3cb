/**
 * What a message says, as a text or as the parts that OpenAI, Anthropic and Mistral divide it into: text, thoughts, calls and results of
 * calls. Promises: each part is read for what it is, or refused by its type. Pure.
 */
import { type Fields, isObject, RecordRefused, textOf, wordsOf } from './refused.ts';

/** The result of a call inside a message: Anthropic's way, a message of its own everywhere else. */
export interface ToolResult {
  readonly content: string;
  readonly tool_call_id?: string;
}

export interface Said {
  /** Null where there is none. */
  readonly content: string | null;
  readonly thoughts: readonly string[];
  readonly calls: readonly Fields[];
  readonly results: readonly ToolResult[];
}

interface Parts {
  readonly texts: string[];
  readonly thoughts: string[];
  readonly calls: Fields[];
  readonly results: ToolResult[];
}

/** Parts of a result, and of Mistral's thoughts, are texts again. */
const innerText = (value: unknown, name: string, where: string): string =>
  Array.isArray(value) ? (saidIn(value, where).content ?? '') : textOf(value, name, where);

const text = (part: Fields, { texts }: Parts, where: string): void => {
  texts.push(textOf(part.text, 'a part of a content', where));
};
const thought = (part: Fields, { thoughts }: Parts, where: string): void => {
  thoughts.push(innerText(part.thinking ?? part.text, 'a thought', where));
};

/** What each type of part says. */
const readers: Readonly<Record<string, (part: Fields, parts: Parts, where: string) => void>> = {
  text,
  // OpenAI's names for what is asked and answered.
  input_text: text,
  output_text: text,
  thinking: thought,
  reasoning: thought,
  tool_use: ({ id, input, name }, { calls }) => {
    calls.push({ ...(typeof id === 'string' ? { id } : {}), name, arguments: input });
  },
  tool_result: ({ content, tool_use_id: id }, { results }, where) => {
    const said = innerText(content ?? '', 'the result of a call', where);
    results.push({ content: said, ...(typeof id === 'string' ? { tool_call_id: id } : {}) });
  },
};

/** The parts of a list. Throws RecordRefused. */
function saidIn(list: readonly unknown[], where: string): Said {
  const parts: Parts = { texts: [], thoughts: [], calls: [], results: [] };
  for (const part of list) {
    if (typeof part === 'string') {
      parts.texts.push(textOf(part, 'a part of a content', where));
      continue;
    }
    // Google's parts have no type: a text is one by its key.
    const type = isObject(part)
      ? String(part.type ?? (typeof part.text === 'string' ? 'text' : Object.keys(part)[0]))
      : typeof part;
    if (!isObject(part) || !Object.hasOwn(readers, type))
      throw new RecordRefused('a content has a part that is no text', `${where}: ${type.slice(0, 40)}`);
    readers[type]!(part, parts, where);
  }
  const { texts, ...others } = parts;
  return { content: texts.length > 0 || list.length === 0 ? texts.join('') : null, ...others };
}

/** What a content says. Throws RecordRefused. */
export function saidBy(value: unknown, where: string, notes: Set<string>): Said {
  const nothing = { thoughts: [], calls: [], results: [] };
  if (value === undefined || value === null) return { content: null, ...nothing };
  if (isObject(value) && typeof value.type === 'string') return saidIn([value], where);
  return Array.isArray(value)
    ? saidIn(value, where)
    : { content: wordsOf(value, "a message's content", notes, where), ...nothing };
}
