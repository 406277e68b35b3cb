/** The shape of the sources, as bench/shape.mjs finds it (docs/decisions, shape): what is zero stays zero, and what is not does not grow. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

interface Shape {
  /** Findings, each with its place. */
  readonly longFiles: readonly string[];
  readonly longFunctions: readonly string[];
  readonly manyParameters: readonly string[];
  readonly casts: readonly string[];
  readonly cycles: readonly string[];
  readonly files: number;
}

/** Of over 300 lines. What is split makes this smaller; one that grows over it is to be split. */
const longFiles = 1;
/** Of over 50 lines, likewise. */
const longFunctions = 0;

const script = join(import.meta.dirname, '../bench/shape.mjs');
const shape: Shape = JSON.parse(execFileSync(process.execPath, [script, '--json'], { encoding: 'utf8' }));

test('the whole library was looked at', () => {
  expect(shape.files).toBeGreaterThan(300);
});

test('no function takes five things by place', () => {
  expect(shape.manyParameters).toEqual([]);
});

test('nothing is cast by way of unknown', () => {
  expect(shape.casts).toEqual([]);
});

test('no file imports itself by way of others', () => {
  expect(shape.cycles).toEqual([]);
});

test('long files and long functions become no more', () => {
  expect(shape.longFiles.length, shape.longFiles.join('\n')).toBeLessThanOrEqual(longFiles);
  expect(shape.longFunctions.length, shape.longFunctions.join('\n')).toBeLessThanOrEqual(longFunctions);
});
