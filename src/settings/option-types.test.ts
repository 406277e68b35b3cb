/**
 * option-types.ts is written from the schemas, for editors and readers to whom inferred types say nothing: this holds that it is fresh, and that
 * its types are those that the schemas take. `npx vitest run src/settings/option-types.test.ts -u` writes it again.
 */
import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { type PretrainOptions, pretrain, type TuneOptions, tune } from '../index.ts';
import { type Field, fieldOf } from './fields.ts';
import type { PretrainOptionValues, TuneOptionValues } from './option-types.ts';
import { type OptionTable, pretrainOptions, type pretrainSettings, tuneOptions, type tuneSettings } from './options.ts';

const columns = 120;
const quoted = (text: string): string => `'${text}'`;

function typeOf({ choices, kind, nullable }: Field): readonly string[] {
  const plain = { number: ['number'], boolean: ['boolean'], text: ['string'], 'text-or-number': ['number', 'string'] };
  const own =
    kind === 'choice'
      ? choices.map(quoted)
      : kind === 'list'
        ? [`readonly (${choices.map(quoted).join(' | ')})[]`]
        : plain[kind];
  return nullable ? [...own, 'null'] : own;
}

/** What a number counts, and from where to where. */
function amount({ inner, words }: Field): string {
  const of = words.unit ? ` of ${words.unit}` : '';
  if (!(inner instanceof z.ZodNumber)) return of && `A number${of}`;
  const [least, most] = [inner.minValue ?? 0, inner.maxValue ?? Number.POSITIVE_INFINITY];
  return `${inner.isInt ? 'A whole number' : 'A number'}${of} from ${least} to ${most}`;
}

/** Unit, range and default, behind what the field is. */
function sentences(field: Field): string {
  const { fallback, words } = field;
  const description = words.description.replace(/; default:? .*$/, '');
  const openDefault = /default:? (.*)$/.exec(words.description)?.[1] ?? 'none';
  const given = Array.isArray(fallback)
    ? 'all'
    : typeof fallback === 'string'
      ? quoted(fallback)
      : (fallback ?? openDefault);
  const about = [description, amount(field), `Default: ${given}`].filter((part) => part !== '');
  return about.map((part) => `${part[0]!.toUpperCase()}${part.slice(1)}.`).join(' ');
}

function comment(text: string): string {
  if (`  /** ${text} */`.length <= columns) return `  /** ${text} */`;
  const lines = [''];
  for (const word of text.split(' '))
    if (`   * ${lines.at(-1)} ${word}`.length > columns) lines.push(word);
    else lines.push([lines.pop(), word].filter((part) => part !== '').join(' '));
  return ['  /**', ...lines.map((line) => `   * ${line}`), '   */'].join('\n');
}

function property(name: string, schema: z.ZodType): string {
  const field = fieldOf(schema);
  const type = typeOf(field);
  const line = `  readonly ${name}?: ${type.join(' | ')};`;
  const items = (indent: string, names: readonly string[]): string =>
    names.map((part) => `\n${indent}| ${part}`).join('');
  // As the formatter breaks them.
  const broken =
    field.kind === 'list'
      ? `  readonly ${name}?: readonly (${items('    ', field.choices.map(quoted))}\n  )[]`
      : `  readonly ${name}?:${items('    ', type)}`;
  return `${comment(sentences(field))}\n${line.length <= columns ? line : `${broken};`}`;
}

const interfaceOf = (name: string, about: string, table: OptionTable): string =>
  `/** ${about} */\nexport interface ${name} {\n${Object.entries(table)
    .map(([key, schema]) => property(key, schema))
    .join('\n')}\n}\n`;

test('the file is what the schemas say', async () => {
  const text = [
    '/** The options of `tune` and `pretrain` as programs give them. Written by option-types.test.ts from options.ts: change that. */\n',
    interfaceOf('TuneOptionValues', 'Every option of `tune`.', tuneOptions),
    interfaceOf('PretrainOptionValues', 'Every option of `pretrain`.', pretrainOptions),
  ].join('\n');
  await expect(text).toMatchFileSnapshot('option-types.ts');
});

test('its types are those that the schemas take', () => {
  expectTypeOf<TuneOptionValues>().toEqualTypeOf<Readonly<z.input<typeof tuneSettings>>>();
  expectTypeOf<PretrainOptionValues>().toEqualTypeOf<Readonly<z.input<typeof pretrainSettings>>>();
  expectTypeOf<TuneOptions['rank']>().toEqualTypeOf<number | null | undefined>();
  expectTypeOf<TuneOptions['schedule']>().toEqualTypeOf<'linear' | 'cosine' | 'constant' | undefined>();
  expectTypeOf<TuneOptions['shuffle']>().toEqualTypeOf<boolean | undefined>();
  expectTypeOf<PretrainOptions['size']>().toEqualTypeOf<'nano' | 'micro' | 'mini' | 'small' | undefined>();
});

test('what is no setting does not compile', () => {
  const data = 'x.jsonl';
  // Never called: the compiler is the test.
  const calls = [
    // @ts-expect-error a number
    () => tune({ data, rank: true }),
    // @ts-expect-error a number, not its text
    () => tune({ data, learningRate: '1e-3' }),
    // @ts-expect-error a misspelt choice
    () => tune({ data, schedule: 'cosin' }),
    // @ts-expect-error a misspelt name
    () => tune({ data, lerningRate: 1e-3 }),
    // @ts-expect-error a list of names
    () => tune({ data, targetModules: ['k_prj'] }),
    // @ts-expect-error has a value in any case
    () => tune({ data, shuffle: null }),
    // @ts-expect-error needs data
    () => tune({ rank: 8 }),
    // @ts-expect-error no size of a model
    () => pretrain({ data, size: 'huge' }),
    // @ts-expect-error only `tune` has it
    () => pretrain({ data, rank: 8 }),
    () => tune({ data: [data], rank: 8, memory: '8GB', validation: 0.1, targetModules: ['q_proj'], epochs: null }),
    () => pretrain({ data, size: 'nano', tokenizer: null, validation: 'held.txt' }),
  ];
  expect(calls).toHaveLength(11);
});
