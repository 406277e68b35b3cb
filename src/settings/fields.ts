/**
 * The kinds of settings as zod fields: value, default, bounds, unit and words in one place. Flags, recipe keys, types and JSON Schema are all
 * made from them (parse-settings.ts, cli/flags.ts, json-schema.ts). Does not know which settings there are.
 */
import { z } from 'zod';
import { emptyText } from '../words/given.ts';
import { nearestNames } from '../words/nearest-name.ts';

/** What is said of a field beside its type. */
export interface FieldWords {
  readonly description: string;
  /** Of a number: what it counts. */
  readonly unit?: string;
  /** The flag's argument in the help text; of a share that ends in %: texts may write 10% for 0.1. */
  readonly argument?: string;
  /** Of what is on unless said otherwise: what turning it off does. */
  readonly negated?: string;
}
export const fieldWords = z.registry<FieldWords>();

/** The fault of a value, as a clause that follows the setting's name. */
type Fault = (value: unknown) => string;
/** As it was given: of infinity JSON makes null. */
const quoted = (value: unknown): string =>
  typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
const notOf =
  (what: string): Fault =>
  (value) =>
    `${quoted(value)} is ${what}`;
const worded = (fault: Fault) => ({ error: ({ input }: { input?: unknown }) => fault(input) });

interface NumberWords extends Omit<FieldWords, 'description'> {
  /** Where the bounds alone say it badly. */
  readonly fault?: Fault;
}

interface Bounds {
  readonly min: number;
  /** Absent where any number is as good. */
  readonly max?: number;
  readonly isWhole?: boolean;
  readonly fault?: Fault | undefined;
}

function bounded({ fault, isWhole, min, max }: Bounds): z.ZodNumber {
  const range = worded(fault ?? ((value) => `${value} is not from ${min} to ${max}`));
  const base = z.number(worded(notOf('no number')));
  const kind = isWhole ? base.int(worded(fault ?? ((value) => `${value} is no whole number`))) : base;
  return max === undefined ? kind.min(min, range) : kind.min(min, range).max(max, range);
}

type NumberField = z.ZodDefault<z.ZodNumber>;
type OpenNumberField = z.ZodDefault<z.ZodNullable<z.ZodNumber>>;

/** The minimum and the maximum of a number. */
type Range = readonly [min: number, max: number];

/** A number of a range; where its default is null it may stay open. */
export function number(fallback: null, range: Range, help: string, words?: NumberWords): OpenNumberField;
export function number(fallback: number, range: Range, help: string, words?: NumberWords): NumberField;
export function number(fallback: number | null, [min, max]: Range, help: string, words: NumberWords = {}) {
  const { fault, ...more } = words;
  return open(bounded({ min, max, fault }), fallback).register(fieldWords, {
    description: help,
    argument: 'X',
    ...more,
  });
}

/** A whole number of a range. */
export function whole(fallback: null, range: Range, help: string, words?: NumberWords): OpenNumberField;
export function whole(fallback: number, range: Range, help: string, words?: NumberWords): NumberField;
export function whole(fallback: number | null, [min, max]: Range, help: string, words: NumberWords = {}) {
  const { fault, ...more } = words;
  return open(bounded({ min, max, isWhole: true, fault }), fallback).register(fieldWords, {
    description: help,
    argument: 'N',
    ...more,
  });
}

const open = (schema: z.ZodNumber, fallback: number | null): NumberField | OpenNumberField =>
  fallback === null ? schema.nullable().default(null) : schema.default(fallback);

/** A whole number that only has a minimum. */
export function wholeFrom(fallback: null, min: number, help: string, words?: NumberWords): OpenNumberField;
export function wholeFrom(fallback: number, min: number, help: string, words?: NumberWords): NumberField;
export function wholeFrom(fallback: number | null, min: number, help: string, words: NumberWords = {}) {
  const fault: Fault = (value) => `${value} is no whole number from ${min}`;
  return open(bounded({ min, isWhole: true, fault }), fallback).register(fieldWords, {
    description: help,
    argument: 'N',
    ...words,
  });
}

/** A number that is not negative. */
export const notNegative = (fallback: number, help: string, words: NumberWords = {}): z.ZodDefault<z.ZodNumber> =>
  bounded({ min: 0, fault: (value) => `${value} is negative` })
    .default(fallback)
    .register(fieldWords, { description: help, argument: 'X', ...words });

/** A number above `lower`, and no more than `max` where there is one. */
export function above(fallback: number, lower: number, help: string, max?: number): z.ZodDefault<z.ZodNumber> {
  const range = worded((value) => `${value} is not above ${lower}${max === undefined ? '' : ` and up to ${max}`}`);
  const schema = z.number(worded(notOf('no number'))).gt(lower, range);
  return (max === undefined ? schema : schema.max(max, range))
    .default(fallback)
    .register(fieldWords, { description: help, argument: 'X' });
}

/** A number from `min` to below `upper`. */
export const below = (fallback: number, min: number, upper: number, help: string): z.ZodDefault<z.ZodNumber> => {
  const range = worded((value) => `${value} is not from ${min} to below ${upper}`);
  return z
    .number(worded(notOf('no number')))
    .min(min, range)
    .lt(upper, range)
    .default(fallback)
    .register(fieldWords, { description: help, argument: 'X' });
};

/** On or off. */
export const toggle = (fallback: boolean, help: string, negated?: string): z.ZodDefault<z.ZodBoolean> =>
  z
    .boolean(worded(notOf('neither true nor false')))
    .default(fallback)
    .register(fieldWords, { description: help, ...(negated ? { negated } : {}) });

const oneOf = <const Name extends string>(choices: readonly Name[]) =>
  z.enum(choices, worded(notOf(`none of ${choices.join(', ')}`)));

/** One of some names. */
export const choice = <const Name extends string>(fallback: NoInfer<Name>, choices: readonly Name[], help: string) =>
  z._default(oneOf(choices), fallback).register(fieldWords, { description: help });

/** One of some names, or none. */
export const openChoice = <const Name extends string>(choices: readonly Name[], help: string, argument?: string) =>
  z
    ._default(oneOf(choices).nullable(), null)
    .register(fieldWords, { description: help, ...(argument ? { argument } : {}) });

/** One of some names that has to be given. */
export const requiredChoice = <const Name extends string>(choices: readonly Name[], help: string, argument: string) =>
  oneOf(choices).register(fieldWords, { description: help, argument });

const anyText = () => z.string(worded(notOf('no text')));
// An empty text comes of a variable that is not set.
const plainText = () => anyText().regex(/\S/, { error: emptyText });

/** A text, or none. */
export const openText = (argument: string, help: string): z.ZodDefault<z.ZodNullable<z.ZodString>> =>
  plainText().nullable().default(null).register(fieldWords, { description: help, argument });

/** Words, which may be none at all, or nothing given. */
export const openWords = (argument: string, help: string): z.ZodDefault<z.ZodNullable<z.ZodString>> =>
  anyText().nullable().default(null).register(fieldWords, { description: help, argument });

/** A text with a default. */
export const text = (fallback: string, argument: string, help: string): z.ZodDefault<z.ZodString> =>
  plainText().default(fallback).register(fieldWords, { description: help, argument });

/** A text that has to be given. */
export const requiredText = (argument: string, help: string): z.ZodString =>
  plainText().register(fieldWords, { description: help, argument });

/** Some of some names, in their order; all of them by default. */
export const someOf = <const Name extends string>(choices: readonly Name[], argument: string, help: string) => {
  const near = (value: unknown): string => nearestNames(String(value), choices, 1)[0] ?? choices[0]!;
  const item = z.enum(
    choices,
    worded((value) => `${value} (nearest: ${near(value)})`),
  );
  const empty = `is empty; choose of ${choices.join(', ')}`;
  return z
    .array(item, worded(notOf(`no list of ${choices.join(', ')}`)))
    .min(1, { error: empty })
    .readonly()
    .default([...choices])
    .transform((items): readonly Name[] => choices.filter((name) => items.includes(name)))
    .register(fieldWords, { description: help, argument });
};

/** Numbers, or none at all. */
export const numbers = (argument: string, help: string) =>
  z
    .array(z.number(worded(notOf('no number'))), worded(notOf('no list of numbers')))
    .readonly()
    .default([])
    .register(fieldWords, { description: help, argument });

/** Texts, or none at all. */
export const texts = (argument: string, help: string) =>
  z
    .array(plainText(), worded(notOf('no list of texts')))
    .readonly()
    .default([])
    .register(fieldWords, { description: help, argument });

/** Powers of ten, as disks and the rest of nomoat count. */
const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
/** Node and the engine alone take more than this. */
const minMemory = 200e6;

const tooLittle: Fault = (bytes) => `${bytes} bytes are less than nomoat takes for itself (${minMemory / 1e6} MB)`;

/** `8GB`, `1.5 g`, `900MB` or a number of bytes, as bytes; else the fault as text. */
function bytesOf(value: string | number): number | string {
  const [, digits, unit] = /^\s*([\d.]+)\s*([kmgt]?)i?b?\s*$/i.exec(String(value)) ?? [];
  const bytes = Number(digits) * (sizeUnits[unit?.toLowerCase() ?? ''] ?? Number.NaN);
  if (!Number.isFinite(bytes)) return notOf('no size such as 8GB')(value);
  const unitLess = unit === '' ? `; with a unit it is ${digits}GB` : '';
  return bytes < minMemory ? `${tooLittle(bytes)}${unitLess}` : bytes;
}

/** An amount of memory, or none. */
export const openSize = (argument: string, help: string) =>
  z
    .union([z.number().min(minMemory, worded(tooLittle)), z.string()], worded(notOf('no size such as 8GB')))
    .nullable()
    .default(null)
    .transform((value, context) => {
      const bytes = value === null ? null : bytesOf(value);
      if (typeof bytes !== 'string') return bytes;
      context.addIssue({ code: 'custom', message: bytes });
      return z.NEVER;
    })
    .register(fieldWords, { description: help, argument, unit: 'bytes' });

const noFraction = worded((value) =>
  String(value).trim() === '' ? emptyText : notOf('no file and no fraction between 0 and 1')(value),
);

/** A file's path, or a fraction: which of them a text is, is seen once it is known whether there is such a file. */
export const fileOrFraction = (fallback: number | null, help: string) =>
  z
    .union([z.number().gt(0, noFraction).lt(1, noFraction), plainText()], noFraction)
    .nullable()
    .default(fallback)
    .register(fieldWords, { description: help, argument: 'FILE|FRACTION' });

/** A field as flags, help and types see it. */
export interface Field {
  readonly kind: 'number' | 'boolean' | 'choice' | 'list' | 'text' | 'text-or-number';
  /** The type alone, without default and what is made of it. */
  readonly inner: z.core.$ZodType;
  /** undefined: it has to be given. */
  readonly fallback: unknown;
  readonly nullable: boolean;
  /** Of a choice or a list. */
  readonly choices: readonly string[];
  readonly words: FieldWords;
}

const namesOf = (schema: z.core.$ZodType): string[] =>
  schema instanceof z.ZodEnum
    ? schema.options.map(String)
    : schema instanceof z.ZodArray
      ? namesOf(schema.element)
      : [];

function kindOf(schema: z.core.$ZodType): Field['kind'] {
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodEnum) return 'choice';
  if (schema instanceof z.ZodArray) return 'list';
  return schema instanceof z.ZodUnion ? 'text-or-number' : 'text';
}

/** What a field is made of. */
export function fieldOf(schema: z.core.$ZodType): Field {
  let [inner, nullable, fallback]: [z.core.$ZodType, boolean, unknown] = [schema, false, undefined];
  for (;;) {
    if (inner instanceof z.ZodPipe) inner = inner.in;
    else if (inner instanceof z.ZodReadonly) inner = inner.unwrap();
    else if (inner instanceof z.ZodNullable) [inner, nullable] = [inner.unwrap(), true];
    else if (inner instanceof z.ZodDefault) [inner, fallback] = [inner.unwrap(), inner.def.defaultValue];
    else break;
  }
  const words = fieldWords.get(schema) ?? { description: '' };
  return { kind: kindOf(inner), inner, fallback, nullable, choices: namesOf(inner), words };
}
