/**
 * Python's text.format(…) and format_map, as jinja2's sandbox runs them: fields reach attributes and items as templates
 * do.
 */
import { MissingConstruct, PythonError, valueError } from './errors.ts';
import { format } from './format-spec.ts';
import { type Str, slice, TextBuilder, textOf } from './marked-text.ts';
import { repr, str } from './to-text.ts';
import type { Value } from './values.ts';

export interface FormatValues {
  readonly args: readonly Value[];
  /** undefined where there is none of that name. */
  readonly named: (name: string) => Value | undefined;
  readonly attributeOf: (value: Value, name: string) => Value;
  readonly itemOf: (value: Value, key: Value) => Value;
  /** What Markup does with a text that is put into it. */
  readonly escape: ((text: Str) => Str) | null;
}

/** Formats inside formats: Python allows two levels. */
const maxDepth = 2;

export function strFormat(template: Str, values: FormatValues): Str {
  return new Formatter(values).run(template, maxDepth);
}

class Formatter {
  private readonly values: FormatValues;
  private automatic = 0;
  private manual = false;

  constructor(values: FormatValues) {
    this.values = values;
  }

  run(template: Str, depth: number): Str {
    if (depth < 0) throw valueError('Max string recursion exceeded');
    const text = textOf(template);
    const out = new TextBuilder();
    let position = 0;
    while (position < text.length) {
      const brace = /[{}]/.exec(text.slice(position));
      const at = brace ? position + brace.index : text.length;
      out.write(slice(template, position, at));
      position = at;
      if (at === text.length) break;
      if (text[at + 1] === text[at]) {
        out.write(slice(template, at, at + 1));
        position = at + 2;
      } else if (text[at] === '}') throw valueError("Single '}' encountered in format string");
      else {
        const end = closing(text, at);
        out.write(this.field(slice(template, at + 1, end), depth));
        position = end + 1;
      }
    }
    return out.finish();
  }

  private field(field: Str, depth: number): Str {
    const text = textOf(field);
    const [, name, conversion, colon] = /^((?:[^[\]!:]|\[[^\]]*\]?)*)(?:!([\s\S]?))?(:)?/.exec(text)!;
    const head = name!.length + (conversion === undefined ? 0 : 1 + conversion.length);
    if (colon === undefined && head < text.length) throw valueError("expected ':' after conversion specifier");
    let value = this.lookUp(name!);
    if (conversion === 's') value = str(value);
    else if (conversion === 'r') value = repr(value);
    else if (conversion === 'a') throw new MissingConstruct('the conversion !a of str.format');
    else if (conversion !== undefined) throw valueError(`Unknown conversion specifier ${conversion}`);
    const spec = colon === undefined ? '' : slice(field, head + 1);
    const formatted = format(value, this.run(spec, depth - 1));
    return this.values.escape ? this.values.escape(formatted) : formatted;
  }

  private lookUp(name: string): Value {
    const [, first, rest] = /^([^.[]*)([\s\S]*)$/.exec(name)!;
    let value = this.first(first!);
    for (const part of rest!.matchAll(/\.([^.[]*)|\[([^\]]*)\]|([\s\S])/g)) {
      const [, attribute, item, odd] = part;
      if (odd !== undefined || attribute === '' || item === '') throw valueError('Empty attribute in format string');
      if (attribute !== undefined) value = this.values.attributeOf(value, attribute);
      else value = this.values.itemOf(value, /^\d+$/.test(item!) ? Number(item) : item);
    }
    return value;
  }

  private first(name: string): Value {
    if (name !== '' && !/^\d+$/.test(name)) {
      const value = this.values.named(name);
      if (value === undefined) throw new PythonError('KeyError', `'${name}'`);
      return value;
    }
    if (name === '' ? this.manual : this.automatic > 0)
      throw valueError('cannot switch between manual field specification and automatic field numbering');
    if (name !== '') this.manual = true;
    const index = name === '' ? this.automatic++ : Number(name);
    const value = this.values.args[index];
    if (value === undefined)
      throw new PythonError('IndexError', `Replacement index ${index} out of range for positional args tuple`);
    return value;
  }
}

/** Where the field that begins at `start` ends. */
function closing(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i;
  }
  throw valueError(
    start === text.length - 1 ? "Single '{' encountered in format string" : "expected '}' before end of string",
  );
}
