import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellQuote } from './shell-quote.ts';

const words = [
  'runs/a-b.c_1', 'my runs/a b', "it's", '$HOME `x` "y"', 'a\nb\tc', "\u0001'\\", 'ünï', '', '*?[a]{b,c}', '~/x', '!x', 'a;b&c|d', '#x', '(x)',
]; // biome-ignore format: a table

test('a shell makes the same word of it', () => {
  for (const word of words) {
    const line = `printf '%s' ${shellQuote(word, 'linux')}`;
    expect(execFileSync('bash', ['-c', line], { encoding: 'utf8' }), line).toBe(word);
    expect(shellQuote(word, 'linux')).not.toMatch(/[\n\t]/);
  }
  expect(shellQuote('runs/a-b.c_1', 'linux')).toBe('runs/a-b.c_1');
});

// biome-ignore format: a table
test.each([
  ['C:\\runs\\a', 'C:\\runs\\a'],
  ['C:\\my runs\\a', '"C:\\my runs\\a"'],
  ['C:\\a&b', '"C:\\a&b"'],
  ["C:\\$it's", "'C:\\$it''s'"],
])('on Windows %s is %s', (word, quoted) => {
  expect(shellQuote(word, 'win32')).toBe(quoted);
});
