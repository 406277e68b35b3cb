import { join, sep } from 'node:path';
import { expect, test } from 'vitest';
import { commandName } from './command-name.ts';

test('what is said to type next is how nomoat was called', () => {
  const at = (...parts: string[]): string => join(sep, 'home', 'me', ...parts);
  expect(commandName(at('checkout', 'dist', 'cli', 'main.js'), at('checkout'))).toBe(
    `node ${join('dist', 'cli', 'main.js')}`,
  );
  expect(commandName(at('checkout', 'dist', 'cli', 'main.js'), at('elsewhere', 'deep'))).toBe(
    `node ${at('checkout', 'dist', 'cli', 'main.js')}`,
  );
  expect(commandName(at('app', 'node_modules', 'nomoat', 'dist', 'cli', 'main.js'), at('app'))).toBe('npx nomoat');
  expect(commandName(at('app', 'node_modules', '.bin', 'nomoat'), at('app'))).toBe('npx nomoat');
  expect(commandName(join(sep, 'usr', 'bin', 'nomoat'), at('app'))).toBe('nomoat');
});
