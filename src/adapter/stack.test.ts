import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseStack } from './stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-stack-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('divides at +, with a scale behind @', () => {
  expect(parseStack('a@0.7+b/c@-1.5e-1+d')).toEqual([
    { path: 'a', scale: 0.7 },
    { path: 'b/c', scale: -0.15 },
    { path: 'd', scale: 1 },
  ]);
  expect(parseStack('me@home@2')).toEqual([{ path: 'me@home', scale: 2 }]);
});

it('what is there by that name is one adapter', () => {
  const odd = join(folder, 'c++@2');
  mkdirSync(odd);
  expect(parseStack(odd)).toEqual([{ path: odd, scale: 1 }]);
});

it.each(['a@+b', 'a@x', 'a++b', '+a'])('%s is refused', (text) => {
  expect(() => parseStack(text)).toThrow(/no number behind @|has an empty part/);
});
