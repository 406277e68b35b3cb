/** Which settings a page may give: none that names a place. */
import { expect, test } from 'vitest';
import { settingsSchema } from '../../settings/json-schema.ts';
import { pageSettings, settingsOf } from './parameters.ts';

/** Free texts that name nothing on a disk or elsewhere: columns of a data file, and the size of memory. */
const harmless = ['promptColumn', 'completionColumn', 'textColumn', 'memory'];

interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
}
const isFreeText = (schema: Schema): boolean =>
  (schema.anyOf ?? [schema]).some((each) => each.type === 'string' && !each.enum);

test('every setting that takes any text is refused, or where it holds a path', () => {
  const all = Object.entries(settingsSchema('tune').properties as Readonly<Record<string, Schema>>);
  const free = all.filter(([name, schema]) => isFreeText(schema) && !harmless.includes(name)).map(([name]) => name);
  expect(free).toEqual(expect.arrayContaining(['from', 'frozenAdapter', 'basePrompts', 'chatTemplate']));
  for (const name of free) {
    expect(() => settingsOf({ [name]: '../elsewhere/file.txt' }), name).toThrow(/Unsupported parameter/);
    expect(() => settingsOf({ [name]: 'https://example.org/x' }), name).toThrow(/Unsupported parameter/);
  }
});

test('what a page is shown is what it may give', () => {
  const { properties } = pageSettings();
  expect(Object.keys(properties)).toContain('epochs');
  for (const name of ['from', 'run', 'nice', 'basePrompts']) expect(Object.keys(properties)).not.toContain(name);
});
