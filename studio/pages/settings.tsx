/** Settings of a run as fields, made from the one schema that flags and recipes are made from. */
import type { JSX } from 'preact';
import type { SettingSchema, Settings } from '../api.ts';
import { Select, TextField } from '../fields.tsx';
import { fill } from '../parts.tsx';
import { ofLibrary } from '../words/sentences.ts';
import { figure, w } from '../words.ts';

/** What decides most, shown first. */
export const mainNames = ['epochs', 'learningRate', 'rank', 'batchSize', 'sequenceLength', 'validation'] as const;
/** Set elsewhere on the page, or not to be changed by most. */
const leftOut = ['seeds', 'format', 'promptColumn', 'completionColumn', 'textColumn', 'strictData', 'targetModules'];

type Schemas = Readonly<Record<string, SettingSchema>>;
export const furtherNames = (schemas: Schemas): string[] =>
  Object.keys(schemas).filter((name) => !leftOut.includes(name) && !(mainNames as readonly string[]).includes(name));

/** The kinds of value that a field takes, null apart. */
const kindsOf = (schema: SettingSchema): readonly SettingSchema[] =>
  (schema.anyOf ?? [schema]).filter(({ type }) => type !== 'null');
const isNumber = (schema: SettingSchema): boolean =>
  kindsOf(schema).some(({ type }) => type === 'number' || type === 'integer');

/** What was typed, as the schema has it; undefined where it is empty. */
function typed(schema: SettingSchema, text: string): unknown {
  if (text.trim() === '') return undefined;
  const number = Number(text.replace(',', '.'));
  return isNumber(schema) && Number.isFinite(number) ? number : text;
}

export const inWords = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace(/^./, (letter) => letter.toUpperCase());

function placeholderOf(fallback: unknown): string {
  const { plan } = w();
  if (fallback === null || fallback === undefined) return plan.fromData;
  return fill(plan.usual, { value: typeof fallback === 'number' ? figure(fallback) : String(fallback) });
}

/** What a setting is called on the page. */
export const labelOf = (name: string): string => w().plan.settings[name]?.[0] ?? ofLibrary(inWords(name)).text;

interface SettingProps {
  readonly name: string;
  readonly schema: SettingSchema;
  readonly settings: Settings;
  readonly change: (settings: Settings) => void;
}

export function Setting({ change, name, schema, settings }: SettingProps): JSX.Element {
  const { plan } = w();
  const label = labelOf(name);
  const hint = plan.settings[name]?.[1] ?? ofLibrary(schema.description ?? '').text;
  const given = settings[name];
  const set = (value: unknown): void => {
    const { [name]: _, ...others } = settings;
    change(value === undefined ? others : { ...others, [name]: value });
  };
  const choices = schema.type === 'boolean' ? ['true', 'false'] : kindsOf(schema).find((kind) => kind.enum)?.enum;
  if (choices) {
    const word = (value: string): string =>
      schema.type === 'boolean' ? (value === 'true' ? plan.on : plan.off) : value;
    const usual =
      schema.default === null || schema.default === undefined
        ? plan.fromData
        : fill(plan.usual, { value: word(String(schema.default)) });
    return (
      <Select
        label={label}
        hint={hint ?? ''}
        value={given === undefined ? '' : String(given)}
        options={[['', usual], ...choices.map((each) => [each, word(each)] as const)]}
        onChange={(value) => set(value === '' ? undefined : schema.type === 'boolean' ? value === 'true' : value)}
      />
    );
  }
  return (
    <TextField
      label={label}
      hint={hint}
      value={given === undefined ? '' : String(given)}
      inputMode={isNumber(schema) ? 'decimal' : 'text'}
      placeholder={placeholderOf(schema.default)}
      onChange={(text) => set(typed(schema, text))}
    />
  );
}
