/** Reads a call that is markup around its name and its arguments, while it is written. Pure. */
import { isObject } from '../refused.ts';
import type { MarkedCall, ParameterMarkup } from './answer-form.ts';
import type { CallListener } from './call-listener.ts';
import { jsonObject } from './json-reading.ts';
import type { OfferedTools } from './offered-tools.ts';
import {
  before,
  firstMarkup,
  markup,
  type Reading,
  type TextSource,
  Unreadable,
  wordsOfMarkup,
} from './text-source.ts';

/** Of a name or a key; OpenAI's bound of names is 64. */
const mostLetters = 256;

/** A name, and the markup behind it that had to be read to find its end. */
interface Named {
  readonly name: string;
  readonly read: string;
}

/** What stands before the arguments. Throws Unreadable. */
function* head(source: TextSource, form: MarkedCall): Reading<Named> {
  const parts = [...form.head];
  let found: Named = { name: '', read: '' };
  for (let part = parts.shift(); part; part = parts.shift()) {
    if ('text' in part) {
      if (!(yield* markup(source, part.text))) throw new Unreadable();
      continue;
    }
    const next = parts[0] && 'text' in parts[0] ? parts[0].text.trim() : '';
    yield* source.skipSpace();
    const { end, text } =
      next === '' ? yield* unmarkedName(source, form) : yield* before(source, [firstMarkup(next)], mostLetters);
    if (part.field === 'name') found = { name: text.trim(), read: next === '' ? end : '' };
    if (next !== '') parts[0] = { text: next.slice(end.length) };
  }
  if (found.name === '') throw new Unreadable();
  return found;
}

/** A name that ends where its arguments begin, or the call ends. */
function* unmarkedName(source: TextSource, { after, parameters }: MarkedCall): Reading<{ text: string; end: string }> {
  if (parameters) {
    const ends = [parameters.key.trim(), firstMarkup(after)].filter((end) => end !== '');
    return yield* before(source, ends, mostLetters);
  }
  let text = '';
  while (/[^\s{]/.test(yield* source.peek())) {
    text += yield* source.next();
    if (text.length > mostLetters) throw new Unreadable();
  }
  return { text, end: '' };
}

/** Throws Unreadable where it is no call of this form. */
export function* readMarkedCall(
  source: TextSource,
  form: MarkedCall,
  tools: OfferedTools,
  listener: CallListener,
): Reading<void> {
  const { name, read } = yield* head(source, form);
  yield* source.skipSpace();
  if (form.parameters)
    return yield* new TaggedArguments(source, form, form.parameters).read(name, read, tools, listener);
  if ((yield* source.peek()) !== '{') throw new Unreadable();
  listener.open(name);
  yield* jsonObject(source, listener.arguments);
  listener.close();
  yield* markup(source, form.after);
}

/** Arguments each in its markup, given out as the entries of a JSON object, each when it is whole. */
class TaggedArguments {
  private readonly source: TextSource;
  private readonly parameters: ParameterMarkup;
  /** Of the call; '' where only the answer's end ends it. */
  private readonly end: string;
  private readonly behindEnd: string;

  constructor(source: TextSource, { after }: MarkedCall, parameters: ParameterMarkup) {
    this.source = source;
    this.parameters = parameters;
    this.end = firstMarkup(after);
    this.behindEnd = after.trim().slice(this.end.length);
  }

  *read(name: string, read: string, tools: OfferedTools, listener: CallListener): Reading<void> {
    listener.open(name);
    let count = 0;
    for (let met = read; yield* this.another(met); met = '') {
      const [key, json] = yield* this.argument(tools.get(name));
      listener.arguments(`${count++ === 0 ? '{' : ', '}${JSON.stringify(key)}: ${json}`);
    }
    listener.arguments(count === 0 ? '{}' : '}');
    listener.close();
    yield* markup(this.source, this.behindEnd);
  }

  /** Whether an argument comes: its markup, or that of the call's end, is read; `met` was read already. */
  private *another(met: string): Reading<boolean> {
    const key = this.parameters.key.trim();
    if (met !== '') return met === key;
    yield* this.source.skipSpace();
    if (yield* markup(this.source, key)) return true;
    if (this.end !== '' && !(yield* this.source.has(this.end))) throw new Unreadable();
    return false;
  }

  /** Its key, and its value as JSON. */
  private *argument(schema: unknown): Reading<[string, string]> {
    const [first = '', ...more] = wordsOfMarkup(this.parameters.value);
    const key = (yield* before(this.source, [first], mostLetters)).text.trim();
    if (!(yield* markup(this.source, more.join(' ')))) throw new Unreadable();
    return [key, jsonOf(yield* this.value(), typesOf(schema, key))];
  }

  /** The text up to its markup's end, without the line ends that are part of that. */
  private *value(): Reading<string> {
    const { end, value } = this.parameters;
    const { text } = yield* before(this.source, [end.trim()], Number.POSITIVE_INFINITY);
    const from = value.endsWith('\n') && text.startsWith('\n') ? 1 : 0;
    const to = end.startsWith('\n') && text.endsWith('\n') && text.length > from ? text.length - 1 : text.length;
    return text.slice(from, to);
  }
}

/** The types that a schema has for a property. */
function typesOf(schema: unknown, name: string): readonly unknown[] {
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
  return isObject(property) ? [property.type].flat() : [];
}

/** A text stays one where its schema says so; else it is the JSON that it is. */
function jsonOf(text: string, types: readonly unknown[]): string {
  if (types.includes('string') && !(types.includes('null') && text === 'null')) return JSON.stringify(text);
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return JSON.stringify(text);
  }
}
