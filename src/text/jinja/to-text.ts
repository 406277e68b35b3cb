/** Python's str and repr of a value; marks of its texts and numbers stay on their characters. */
import { DictView, dictEntries, isDict } from './dict.ts';
import { MissingConstruct } from './errors.ts';
import { isStr, MarkedText, Markup, mapRuns, markText, type Str, TextBuilder, textOf } from './marked-text.ts';
import { numRepr } from './numbers.ts';
import { Range } from './range.ts';
import { typeName } from './types.ts';
import { Attributed, admit, isNum, MarkedNumber, Namespace, Tuple, Undefined, type Value } from './values.ts';

export function str(value: Value): Str {
  if (typeof value === 'string') return value;
  if (value instanceof MarkedText) return value instanceof Markup ? unmarked(value) : value;
  if (value instanceof Undefined) return '';
  return repr(value);
}

const unmarked = ({ text, spans }: Markup): Str => (spans.length === 0 ? text : new MarkedText(text, spans));

export function repr(value: Value): Str {
  const builder = new TextBuilder();
  write(value, builder);
  return builder.finish();
}

function write(value: Value, out: TextBuilder): void {
  if (value === null) out.write('None');
  else if (typeof value === 'boolean') out.write(value ? 'True' : 'False');
  else if (isNum(value)) out.write(numRepr(value));
  else if (value instanceof MarkedNumber) out.write(markText(numRepr(value.value), value.origin));
  else if (value instanceof Markup) {
    out.write('Markup(');
    writeQuoted(value, out);
    out.write(')');
  } else if (isStr(value)) writeQuoted(value, out);
  else if (Array.isArray(value)) writeItems('[', value, ']', out);
  else if (value instanceof Tuple) writeItems('(', value.items, value.items.length === 1 ? ',)' : ')', out);
  else if (isDict(value)) writeDict(dictEntries(value), out);
  else out.write(otherRepr(value));
}

function writeItems(open: string, items: readonly Value[], close: string, out: TextBuilder): void {
  out.write(open);
  items.forEach((item, i) => {
    if (i > 0) out.write(', ');
    write(admit(item), out);
  });
  out.write(close);
}

function writeDict(entries: readonly (readonly [Value, Value])[], out: TextBuilder): void {
  out.write('{');
  entries.forEach(([key, value], i) => {
    if (i > 0) out.write(', ');
    write(key, out);
    out.write(': ');
    write(value, out);
  });
  out.write('}');
}

function otherRepr(value: Value): Str {
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Range) {
    const step = value.step === 1 ? '' : `, ${value.step}`;
    return `range(${value.start}, ${value.stop}${step})`;
  }
  const out = new TextBuilder();
  if (value instanceof DictView) writeItems(`dict_${value.part}([`, value.items(), '])', out);
  else if (value instanceof Namespace) {
    out.write('<Namespace ');
    writeDict([...value.values], out);
    out.write('>');
  } else if (value instanceof Attributed) {
    const text = value.attribute('__repr__');
    if (!isStr(text)) throw new MissingConstruct(`a ${value.typeName} as text`);
    out.write(text);
  } else throw new MissingConstruct(`a ${typeName(value)} as text (Python prints its address)`);
  return out.finish();
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/**
 * What Python's repr escapes: separators but the space, control and format characters, what is private or not assigned.
 */
const unprintable = /[\\]|(?! )[\p{Z}\p{C}]/gu;

function writeQuoted(value: Str, out: TextBuilder): void {
  const text = textOf(value);
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  out.write(quote);
  out.write(
    mapRuns(value, (run) => {
      const escaped = run.replace(unprintable, escapeOf);
      return quote === "'" ? escaped.replaceAll("'", "\\'") : escaped;
    }),
  );
  out.write(quote);
}

function escapeOf(char: string): string {
  const simple = escapes[char];
  if (simple) return simple;
  const code = char.codePointAt(0)!;
  const [letter, digits] = code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8];
  return `\\${letter}${code.toString(16).padStart(digits as number, '0')}`;
}
