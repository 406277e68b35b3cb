/** The card of the packaged model states what its data script makes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const mini = join(import.meta.dirname, '../models/nomoat-mini');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-mini-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('numbers of the data on the card of nomoat-mini', () => {
  const { stdout, status } = spawnSync(process.execPath, [join(mini, 'make-data.mjs'), folder], { encoding: 'utf8' });
  expect(status).toBe(0);
  const [numbers] = stdout.split('\n');
  expect(numbers).toMatch(/^[\d,]+ TinyStories, .* conversations from templates$/);
  const card = readFileSync(join(mini, 'README.md'), 'utf8');
  expect(card).toContain(`| data | ${numbers} (`);
  // A placeholder of the card's maker stood there once.
  expect(card).not.toMatch(/\b[A-Z]{9,}\b/);
});
