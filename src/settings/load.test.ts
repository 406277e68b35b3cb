import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { type Field, fieldOf } from './fields.ts';
import { resolveOptions } from './load.ts';
import { tuneOptions } from './options.ts';
import { readRecipe } from './recipe.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A value that differs from the default and lies within the bounds. */
function another({ choices, fallback, inner, kind }: Field, name: string): unknown {
  if (inner instanceof z.ZodNumber) {
    const [least, most] = [inner.minValue!, inner.maxValue!];
    return fallback === least ? Math.min(most, least + (inner.isInt ? 1 : (most - least) / 2)) : least;
  }
  if (kind === 'boolean') return !fallback;
  if (kind === 'choice') return choices.find((choice) => choice !== fallback && choice !== 'int8');
  if (kind === 'list') return choices[0];
  return name === 'memory' ? 8e9 : 'something';
}

/** What an option wants beside it. */
const methodsWith: Readonly<Record<string, object>> = {
  outputType: { method: 'full' },
  beta: { method: 'dpo' },
  lossType: { method: 'dpo' },
  labelSmoothing: { method: 'dpo', lossType: 'robust' },
  gamma: { method: 'simpo' },
  sftShare: { method: 'dpo' },
  desirableWeight: { method: 'kto' },
  undesirableWeight: { method: 'kto' },
  basePrompts: { mixBase: 0.1 },
};

test.each(Object.entries<z.ZodType>(tuneOptions))(
  '%s: a flag wins over the recipe, the recipe over the default',
  (name, option) => {
    const field = fieldOf(option);
    const value = another(field, name);
    const key = name as keyof typeof tuneOptions;
    const fallback = resolveOptions({})[key];
    expect(fallback).toEqual(field.fallback);
    const fromRecipe = resolveOptions({}, { ...methodsWith[name], [name]: value })[key];
    expect(fromRecipe).not.toEqual(fallback);
    const recipe = {
      ...methodsWith[name],
      ...(field.kind === 'text' || name === 'validation' ? { [name]: 'other' } : {}),
    };
    expect(resolveOptions({ [name]: value }, recipe)[key]).toEqual(fromRecipe);
  },
);

test('an empty list is refused, and int8 where every weight is trained', () => {
  expect(() => resolveOptions({ targetModules: [] })).toThrow(/`targetModules`: is empty; choose of q_proj/);
  expect(() => resolveOptions({ device: 'webgpu', engine: 'native' })).toThrow(
    /`engine: 'native'`: .*onnxruntime's alone/,
  );
  expect(() => resolveOptions({ method: 'full', engine: 'native' })).toThrow(/`engine`: only the methods lora/);
  expect(() => resolveOptions({ method: 'full', precision: 'int8' })).toThrow(
    /`precision`: only the methods lora, dpo, orpo, simpo, kto have it/,
  );
});

test.each(['10%', '-0.1', '0,1', '1', '0', '1.5', '1e1'])(
  'validation %s is no fraction, and no file is looked for',
  (validation) => {
    expect(() => resolveOptions({ validation })).toThrow(/is no file and no fraction between 0 and 1, such as 0\.1/);
  },
);

test('a fraction in any spelling of a number', () => {
  for (const validation of ['0.1', '.1', '1e-1', 0.1]) expect(resolveOptions({ validation }).validation).toBe(0.1);
});

test('what is said of a number is what was given', () => {
  expect(() => resolveOptions({}, { epochs: Number.POSITIVE_INFINITY })).toThrow(/epochs: Infinity is no number/);
  expect(() => resolveOptions({ memory: '8' })).toThrow(/8 bytes are less than .*; with a unit it is 8GB/);
  expect(() => resolveOptions({ memory: '8MB' })).toThrow(/takes for itself \(200 MB\)\. /);
});

test('faults are reported together', () => {
  try {
    resolveOptions({ rank: '0', epochs: 'x', precision: 'int4', targetModules: 'q_proj,k_prj' }, { lerningRate: 1 });
    expect.unreachable();
  } catch (error) {
    expect((error as NomoatError).fields['faults']).toHaveLength(5);
    expect((error as NomoatError).message).toContain('did you mean learningRate');
    expect((error as NomoatError).message).toContain('nearest: k_proj');
  }
});

test('a flag of the other method is a fault; in a recipe it waits for its method', () => {
  expect(() => resolveOptions({ method: 'full', rank: 4, initialAdapter: 'x' })).toThrow(
    /`rank`: only the methods lora, .* have it; `initialAdapter`: only the methods lora, .* have it/,
  );
  expect(() => resolveOptions({ outputType: 'Q8_0' })).toThrow(/`outputType`: only `method: 'full'` has it/);
  expect(resolveOptions({ method: 'full' }, { rank: 4 })).toMatchObject({ method: 'full', rank: 4 });
});

test('600 mutated recipes: settings or a NomoatError, at once', () => {
  const source =
    'rank: 8\nlearningRate: 1.0e-3\ntargetModules: [q_proj, v_proj]\nschedule: linear # falls\nanchor: &a {x: 1}\nother: *a\n';
  let state = 5;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const path = join(folder, 'r.yaml');
  for (let i = 0; i < 600; i++) {
    const bytes = Buffer.from(source);
    for (let k = 0; k <= random(5); k++) bytes[random(bytes.length)] = random(128);
    writeFileSync(path, bytes.subarray(0, 1 + random(bytes.length)));
    const start = performance.now();
    try {
      resolveOptions({}, readRecipe(path));
    } catch (error) {
      expect(error).toBeInstanceOf(NomoatError);
    }
    expect(performance.now() - start).toBeLessThan(1000);
  }
});

test('every recipe of the package is valid', () => {
  const recipes = join(import.meta.dirname, '../../recipes');
  const names = readdirSync(recipes).filter((name) => name.endsWith('.yaml'));
  expect(names.length).toBe(3);
  for (const name of names) resolveOptions({}, readRecipe(join(recipes, name)));
});

test.each([
  ['8GB', 8e9],
  ['1.5 g', 1.5e9],
  ['900MiB', 900e6],
  [4e9, 4e9],
])('a size: %s', (given, bytes) => {
  expect(resolveOptions({ memory: given }).memory).toBe(bytes);
});

test.each(['much', '8 apples', '5MB', '-1GB'])('no size: %s', (given) => {
  expect(() => resolveOptions({ memory: given })).toThrow(/`memory`/);
});

test('an empty text is refused wherever a setting is a text, with what helps', () => {
  for (const name of ['model', 'run', 'validation', 'promptColumn', 'chatTemplate', 'initialAdapter'])
    for (const empty of ['', ' ']) {
      expect(() => resolveOptions({ [name]: empty })).toThrow(/: is empty\. .*\(a variable\?\) is empty/);
      expect(() => resolveOptions({}, { [name]: empty })).toThrow(`recipe key ${name}: is empty`);
    }
});
