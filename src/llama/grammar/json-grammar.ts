/**
 * JSON as a grammar of llama.cpp's (GBNF, https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md), of any value or of those
 * that a JSON Schema admits. Promises: whatever a grammar admits is JSON that the schema admits; no answer can be filled
 * with white space; a keyword that cannot be held to is refused by its name and place. Not all that a schema admits can be said: properties come in the schema's
 * order, and of an object whose properties are named there are no others. Pure.
 */
import { z } from 'zod';
import { NomoatError } from '../../errors.ts';
import type { JsonSchema } from '../../settings/json-schema.ts';
import { type Basic, basicRules, formats, rulesIn } from './json-rules.ts';
import { numberRange, wholeRange } from './number-ranges.ts';
import { annotations, guessed, isOf, keywordsOf, typeNames, types } from './schema-words.ts';

/** Rules of a schema that is written by hand are some hundred; llama.cpp takes seconds for more than this, and holds the process meanwhile. */
const mostRules = 4000;
/** llama.cpp makes a rule of each repetition. */
const mostRepetitions = 1000;
/** Of a schema within another; nobody writes so many, and each takes some of the stack. */
const deepest = 100;

/** A text of a grammar: JSON has no escapes in it that grammars have not. */
const literal = (value: unknown): string => JSON.stringify(JSON.stringify(value));
const count = z.int().min(0);
const names = z.array(z.string());
const schemas = z.record(z.string(), z.unknown());

function refused(place: string, fault: string): NomoatError {
  return new NomoatError({
    code: 'invalid-settings',
    part: '`jsonSchema`',
    fault: `${place === '' ? 'it' : place} ${fault}`,
    remedy: 'Leave it out, or say it in other keywords.',
    fields: { option: 'jsonSchema', place },
  });
}

/** A schema where it stands. */
interface At {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly place: string;
}

class Grammar {
  private readonly rules = new Map<string, string>();
  private readonly references = new Map<string, string>();
  private readonly root: unknown;
  private depth = 0;

  constructor(root: unknown) {
    this.root = root;
  }

  text(): string {
    const root = this.value(this.root, '');
    return [`root ::= ${root}`, ...[...this.rules].map(([name, body]) => `${name} ::= ${body}`)].join('\n');
  }

  /** The name of a rule that everybody shares. */
  private basic(name: Basic): string {
    if (this.rules.has(name)) return name;
    const body = basicRules[name];
    this.rules.set(name, body);
    for (const word of rulesIn(body)) this.basic(word as Basic);
    return name;
  }

  private rule(body: string): string {
    if (this.rules.size >= mostRules) throw refused('', `is too large: it makes more than ${mostRules} rules`);
    const name = `r${this.rules.size}`;
    this.rules.set(name, body);
    return name;
  }

  /** An expression for the values of a schema. */
  private value(schema: unknown, place: string): string {
    if (schema === true || schema === undefined) return this.basic('value');
    this.depth++;
    if (this.depth > deepest) throw refused('', `is nested deeper than ${deepest}`);
    const { data, success } = schemas.safeParse(schema);
    if (!success || Array.isArray(schema)) throw refused(place, schema === false ? 'admits nothing' : 'is no schema');
    const name = this.rule(this.keywords({ schema: data, place }));
    this.depth--;
    return name;
  }

  private keywords(at: At): string {
    const { schema } = at;
    if ('$ref' in schema) return this.reference(at);
    if ('const' in schema) return this.listed(at, 'const', [schema['const']]);
    if ('enum' in schema) return this.listed(at, 'enum', this.given(at, 'enum', z.array(z.unknown()).min(1)));
    for (const keyword of ['anyOf', 'oneOf', 'allOf']) if (keyword in schema) return this.combined(at, keyword);
    return this.typed(at);
  }

  /** Where one keyword says everything: besides it only its type may stand, which its values are taken to be of. */
  private only({ place, schema }: At, keyword: string, body: string): string {
    const other = Object.keys(schema).find((name) => name !== keyword && name !== 'type' && !annotations.has(name));
    if (other !== undefined) throw refused(`${place}/${other}`, `is not supported beside ${keyword}`);
    return body;
  }

  /** Those of the values that are of the type. */
  private listed(at: At, keyword: string, values: readonly unknown[]): string {
    const of = 'type' in at.schema ? this.given(at, 'type', types) : typeNames;
    const fitting = values.filter((value) => of.some((type) => isOf[type](value)));
    if (fitting.length === 0) throw refused(`${at.place}/${keyword}`, 'has no value of the type');
    return this.only(at, keyword, fitting.map(literal).join(' | '));
  }

  private combined(at: At, keyword: string): string {
    const all = this.given(at, keyword, z.array(z.unknown()).min(1));
    if (keyword === 'allOf' && all.length > 1) throw refused(`${at.place}/allOf`, 'is supported for one schema alone');
    return this.only(
      at,
      keyword,
      all.map((schema, i) => this.value(schema, `${at.place}/${keyword}/${i}`)).join(' | '),
    );
  }

  private reference(at: At): string {
    const pointer = this.given(at, '$ref', z.string());
    if (!/^#(\/|$)/.test(pointer))
      throw refused(`${at.place}/$ref`, `${JSON.stringify(pointer)} is none within the schema`);
    const known = this.references.get(pointer);
    if (known !== undefined) return this.only(at, '$ref', known);
    const keys = pointer
      .split('/')
      .slice(1)
      .map((key) => decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~'));
    const target = keys.reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      this.root,
    );
    if (target === undefined) throw refused(`${at.place}/$ref`, `${JSON.stringify(pointer)} is not there`);
    // Known before it is made: it may be within itself.
    const name = this.rule('');
    this.references.set(pointer, name);
    this.rules.set(name, this.value(target, pointer.slice(1)));
    return this.only(at, '$ref', name);
  }

  private typed(at: At): string {
    const { place, schema } = at;
    const found = 'type' in schema ? this.given(at, 'type', types) : guessed(schema);
    const known = new Set(found.flatMap((type) => keywordsOf[type]));
    const stray = Object.keys(schema).find((name) => name !== 'type' && !known.has(name) && !annotations.has(name));
    if (stray !== undefined) throw refused(`${place}/${stray}`, 'is not supported');
    if (found.length === 0) return this.basic('value');
    return [...new Set(found)].map((type) => this[type](at)).join(' | ');
  }

  private given<T>({ place, schema }: At, keyword: string, shape: z.ZodType<T>): T {
    const { data, error } = shape.safeParse(schema[keyword]);
    if (error) throw refused(`${place}/${keyword}`, `is wrong (${error.issues[0]!.message})`);
    return data as T;
  }

  private optional<T>(at: At, keyword: string, shape: z.ZodType<T>): T | null {
    return keyword in at.schema ? this.given(at, keyword, shape) : null;
  }

  private null(): string {
    return this.basic('null');
  }

  private boolean(): string {
    return this.basic('boolean');
  }

  private integer(at: At): string {
    return this.bounded(at, 'integer');
  }

  private number(at: At): string {
    return this.bounded(at, 'number');
  }

  private bounded(at: At, type: 'integer' | 'number'): string {
    const bound = (keyword: string): number | null => this.optional(at, keyword, z.number());
    const [above, below] = [bound('exclusiveMinimum'), bound('exclusiveMaximum')];
    const low = tighter(bound('minimum'), above, Math.max);
    const high = tighter(bound('maximum'), below, Math.min);
    if (low === null && high === null) return this.basic(type);
    const bounds = { low, high, aboveLow: low === above, belowHigh: high === below };
    const rule = type === 'integer' ? wholeRange(bounds) : numberRange(bounds);
    if (rule === null) throw refused(at.place, 'leaves no number that could be written');
    return rule;
  }

  private string(at: At): string {
    const format = this.optional(at, 'format', z.string());
    const [least, most] = this.lengths(at, 'minLength', 'maxLength');
    if (format !== null) {
      if (!Object.hasOwn(formats, format))
        throw refused(
          `${at.place}/format`,
          `${JSON.stringify(format)} is not supported (${Object.keys(formats).join(', ')} are)`,
        );
      if (least !== 0 || most !== null) throw refused(`${at.place}/format`, 'is not supported beside a length');
      return `"\\"" ${formats[format]} "\\""`;
    }
    if (least === 0 && most === null) return this.basic('string');
    return `"\\"" ${this.basic('unit')}{${least},${most ?? ''}} "\\""`;
  }

  /** At least and at most how many; of more than can be, as many as can be are enough. */
  private lengths(at: At, low: string, high: string): [least: number, most: number | null] {
    const [least, most] = [this.optional(at, low, count) ?? 0, this.optional(at, high, count)];
    if (least > mostRepetitions) throw refused(`${at.place}/${low}`, `is supported up to ${mostRepetitions}`);
    if (most !== null && most < least) throw refused(`${at.place}/${high}`, `is below ${low}`);
    return [least, most === null ? null : Math.min(most, mostRepetitions)];
  }

  private array(at: At): string {
    const { place } = at;
    const first = (this.optional(at, 'prefixItems', z.array(z.unknown())) ?? []).map((schema, i) =>
      this.value(schema, `${place}/prefixItems/${i}`),
    );
    const [asked, most] = this.lengths(at, 'minItems', 'maxItems');
    if (most !== null && most < first.length) throw refused(`${place}/maxItems`, 'is below the number of prefixItems');
    const ws = this.basic('ws');
    const least = Math.max(0, asked - first.length);
    const noMore = at.schema['items'] === false || (most !== null && most === first.length);
    if (noMore && least > 0) throw refused(`${place}/minItems`, 'is more than there may be');
    const head = first.join(` ${ws} "," ${ws} `);
    if (noMore) return `"[" ${ws} ${head} ${ws} "]"`;
    const item = this.value(at.schema['items'], `${place}/items`);
    const upTo = most === null ? '' : String(most - first.length - (first.length > 0 ? 0 : 1));
    const more = `(${ws} "," ${ws} ${item})`;
    if (first.length > 0) return `"[" ${ws} ${head} ${more}{${least},${upTo}} ${ws} "]"`;
    const some = `${item} ${more}{${Math.max(0, least - 1)},${upTo}}`;
    return `"[" ${ws} ${least > 0 ? some : `(${some})?`} ${ws} "]"`;
  }

  private object(at: At): string {
    const { place, schema } = at;
    const properties = this.optional(at, 'properties', schemas) ?? {};
    const required = new Set(this.optional(at, 'required', names) ?? []);
    const others = schema['additionalProperties'];
    const unnamed = [...required].filter((name) => !Object.hasOwn(properties, name));
    if (others === false && unnamed.length > 0)
      throw refused(`${place}/required`, `names ${JSON.stringify(unnamed[0])}, which may not be there`);
    const named = [
      ...Object.entries(properties).map(([name, each]) => ({ name, of: each, at: `${place}/properties/${name}` })),
      ...unnamed.map((name) => ({ name, of: others, at: `${place}/additionalProperties` })),
    ];
    if (named.length > 0)
      return this.members(
        named.map(({ at: where, name, of }) => ({
          body: this.member(name, of, where),
          isRequired: required.has(name),
        })),
      );
    const ws = this.basic('ws');
    if (others === false) return `"{" ${ws} "}"`;
    if (others === undefined || others === true) return this.basic('object');
    const entry = this.rule(
      `${this.basic('string')} ${ws} ":" ${ws} ${this.value(others, `${place}/additionalProperties`)}`,
    );
    return `"{" ${ws} (${entry} (${ws} "," ${ws} ${entry})*)? ${ws} "}"`;
  }

  private member(name: string, schema: unknown, place: string): string {
    const ws = this.basic('ws');
    return this.rule(`${literal(name)} ${ws} ":" ${ws} ${this.value(schema, place)}`);
  }

  /** In their order, those that may be left out each by itself: what follows depends on whether one came before. */
  private members(all: readonly { readonly body: string; readonly isRequired: boolean }[]): string {
    const ws = this.basic('ws');
    let [first, rest] = ['', ''];
    for (const { body, isRequired } of [...all].reverse()) {
      const behind = rest === '' ? '' : this.rule(rest);
      const begin = `${body} ${behind}`;
      const before = isRequired || first === '' ? '' : ` | ${this.rule(first)}`;
      first = isRequired ? begin : `(${begin})${first === '' ? '?' : before}`;
      const next = `${ws} "," ${ws} ${body}`;
      rest = isRequired ? `${next} ${behind}` : `(${next})? ${behind}`;
    }
    return `"{" ${ws} (${first}) ${ws} "}"`;
  }
}

/** Of two bounds the one that admits less. */
const tighter = (a: number | null, b: number | null, of: (a: number, b: number) => number): number | null =>
  a === null ? b : b === null ? a : of(a, b);

/** A grammar of the values that `schema` admits. Throws NomoatError that names a keyword that cannot be held to. */
export const jsonGrammar = (schema: JsonSchema): string => new Grammar(schema).text();
