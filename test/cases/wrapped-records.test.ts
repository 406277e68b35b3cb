/** JSON whose records lie inside something else. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixtures, workspace } from './support.ts';

const { folder, nomoat } = workspace();

test.each([
  ['wrapped.json', 'in the list under "data"'],
  ['columnar.json', 'in lists by column'],
  ['pandas.json', "in pandas' layout by column and row"],
])('%s is read, and how it lies is said', (name, layout) => {
  const { code, out } = nomoat(['preview', join(fixtures, 'wrapped-records', name), '--rows', '0']);
  expect(out).toContain(`format: prompt-completion (by the keys prompt and completion, ${layout})`);
  expect(out).toContain('8 rows,');
  expect(code).toBe(0);
});

test('columns of different lengths are refused by name', () => {
  const path = join(folder, 'lengths.json');
  writeFileSync(path, JSON.stringify({ prompt: ['a', 'b'], completion: ['c'] }));
  const { code, err } = nomoat(['preview', path]);
  expect(err).toContain('has columns of different lengths (prompt 2, completion 1)');
  expect(code).toBe(2);
});
