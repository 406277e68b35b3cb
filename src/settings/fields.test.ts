import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  choice,
  fieldOf,
  fileOrFraction,
  number,
  numbers,
  openSize,
  openText,
  someOf,
  toggle,
  whole,
  wholeFrom,
} from './fields.ts';
import { parseSettings } from './parse-settings.ts';
import { readText } from './read-text.ts';

const table = {
  share: number(0.5, [0, 1], 'a share'),
  steps: whole(null, [1, 10], 'steps', { unit: 'steps' }),
  topK: wholeFrom(null, 0, 'tokens'),
  shuffle: toggle(true, 'in random order', 'in order'),
  schedule: choice('cosine', ['cosine', 'linear'], 'how it falls'),
  modules: someOf(['q_proj', 'k_proj', 'v_proj'], 'q_proj,...', 'what is adapted'),
  memory: openSize('SIZE', 'memory'),
  held: fileOrFraction(null, 'held-out data'),
  name: openText('NAME', 'a name'),
  weights: numbers('W,W...', 'one of each'),
};
const schema = z.object(table);
const parse = (given: Record<string, unknown>) => parseSettings(schema, { given }, { command: 'test' });

test('what is not given, or null, has its default', () => {
  const all = {
    share: 0.5,
    steps: null,
    topK: null,
    shuffle: true,
    schedule: 'cosine',
    modules: ['q_proj', 'k_proj', 'v_proj'],
    memory: null,
    held: null,
    name: null,
    weights: [],
  };
  expect(parse({})).toEqual(all);
  expect(parse(Object.fromEntries(Object.keys(table).map((name) => [name, null])))).toEqual(all);
});

test('texts of flags are read as what the field is, values of programs are taken as they are', () => {
  const texts = { share: '0.25', steps: '3', modules: 'v_proj, q_proj', memory: '8GB', name: 5 };
  const values = { share: 0.25, steps: 3, modules: ['q_proj', 'v_proj'], memory: 8e9, name: '5' };
  expect(parse(texts)).toMatchObject(values);
  expect(parse(values)).toMatchObject(values);
  expect(parse({ modules: 'all' }).modules).toHaveLength(3);
  // Of a flag that takes several: each by itself, or with commas.
  for (const weights of ['0.7,0.3', ['0.7,0.3'], ['0.7', '0.3'], [0.7, 0.3]])
    expect(parse({ weights }).weights).toEqual([0.7, 0.3]);
});

test.each([
  ['share', 2, '`share`: 2 is not from 0 to 1'],
  ['share', 'x', '`share`: "x" is no number'],
  ['share', ' ', '`share`: " " is no number'],
  ['share', '1e999', '`share`: "1e999" is no number'],
  ['share', true, '`share`: true is no number'],
  ['share', Number.NaN, '`share`: NaN is no number'],
  ['steps', 1.5, '`steps`: 1.5 is no whole number'],
  ['steps', [1], '`steps`: [1] is no number'],
  ['topK', -1, '`topK`: -1 is no whole number from 0'],
  ['topK', '0.5', '`topK`: 0.5 is no whole number from 0'],
  ['shuffle', 'no', '`shuffle`: "no" is neither true nor false'],
  ['schedule', 'cosin', '`schedule`: "cosin" is none of cosine, linear'],
  ['schedule', {}, '`schedule`: {} is none of cosine, linear'],
  ['modules', [], '`modules`: is empty; choose of q_proj, k_proj, v_proj'],
  ['modules', 'q_prj,v_proj,k_prj', '`modules`: q_prj (nearest: q_proj), k_prj (nearest: k_proj) is none of q_proj, k_proj, v_proj'], // biome-ignore format: a table
  ['modules', true, '`modules`: true is no list of q_proj, k_proj, v_proj'],
  ['memory', 'much', '`memory`: "much" is no size such as 8GB'],
  ['memory', [8e9], '`memory`: [8000000000] is no size such as 8GB'],
  ['memory', '5MB', '`memory`: 5000000 bytes are less than nomoat takes for itself (200 MB)'],
  ['memory', 5e6, '`memory`: 5000000 bytes are less than nomoat takes for itself (200 MB)'],
  ['held', 1.5, '`held`: 1.5 is no file and no fraction between 0 and 1'],
  ['held', Number.NaN, '`held`: NaN is no file and no fraction between 0 and 1'],
  ['held', true, '`held`: true is no file and no fraction between 0 and 1'],
  ['name', ['x'], '`name`: ["x"] is no text'],
  ['weights', ['1,x'], '`weights`: "x" is no number'],
  ['weights', '1,', '`weights`: "" is no number'],
  ['nmae', 'x', '`nmae` does not exist (did you mean name?)'],
  ['__proto__x', 1, '`__proto__x` does not exist'],
])('%s = %j', (name, value, fault) => {
  expect(() => parse({ [name]: value })).toThrow(expect.objectContaining({ fault }));
});

test('all faults are told together; where only numbers are wanted, that is the remedy', () => {
  const words = { share: 'x', steps: 'y' };
  expect(() => parse(words)).toThrow('settings: `share`: "x" is no number; `steps`: "y" is no number. Give numbers.');
  expect(() => parse({ ...words, schedule: 'z' })).toThrow("`settingsSchema('test')` lists every option");
});

test('a field knows its kind, its default and its bounds', () => {
  expect(fieldOf(table.modules)).toMatchObject({ kind: 'list', choices: ['q_proj', 'k_proj', 'v_proj'] });
  expect(fieldOf(table.steps)).toMatchObject({
    kind: 'number',
    fallback: null,
    nullable: true,
    words: { unit: 'steps' },
  });
  expect(fieldOf(table.steps).inner).toMatchObject({ minValue: 1, maxValue: 10 });
  expect(readText(fieldOf(table.memory), '8GB')).toBe('8GB');
});
