import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseModelStack, parseStack, stackText } from './stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-stack-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('divides at +, with a scale behind @', () => {
  expect(parseStack('a@0.7+b/c@-1.5e-1+d')).toEqual([
    { path: 'a', scale: 0.7 },
    { path: 'b/c', scale: -0.15 },
    { path: 'd', scale: 1 },
  ]);
  expect(parseStack('/home/me@work/a')).toEqual([{ path: '/home/me@work/a', scale: 1 }]);
  expect(parseStack('me@home@2')).toEqual([{ path: 'me@home', scale: 2 }]);
});

it('what is there by that name is one adapter', () => {
  const odd = join(folder, 'c++@2');
  mkdirSync(odd);
  expect(parseStack(odd)).toEqual([{ path: odd, scale: 1 }]);
});

it('of a name with a + the longest that is there is meant', () => {
  const names = ['a', 'a+b', 'c@d'];
  const isName = (text: string): boolean => names.includes(text);
  const stack = [
    { path: 'a+b', scale: 0.5 },
    { path: 'a', scale: 1 },
    { path: 'c@d', scale: 2 },
  ];
  expect(parseStack('a+b@0.5+a+c@d@2', isName)).toEqual(stack);
  expect(stackText(stack)).toBe('a+b@0.5+a+c@d@2');
});

it('a model with adapters is told from a model by itself', () => {
  expect(parseModelStack('base.gguf+a@0.7')).toEqual({
    first: { path: 'base.gguf', scale: 1 },
    adapters: [{ path: 'a', scale: 0.7 }],
  });
  expect(parseModelStack('run@0.5')).toEqual({ first: { path: 'run', scale: 0.5 }, adapters: [] });
  for (const one of ['base.gguf', 'org/me@home', 'c++', '']) expect(parseModelStack(one)).toBeNull();
  expect(() => parseModelStack('base+a@b')).toThrow(/no number behind @/);
});

it.each(['a@+b', 'a@x', 'a++b', '+a'])('%s is refused', (text) => {
  expect(() => parseStack(text)).toThrow(/no number behind @|has an empty part/);
});
