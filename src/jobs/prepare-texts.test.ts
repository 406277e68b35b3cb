import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readTexts } from './prepare-texts.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-prepare-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the held-out end of a text begins with a whole character, wherever the share falls', async () => {
  const path = join(folder, 'faces.txt');
  const text = `x${'😀'.repeat(500)}`;
  writeFileSync(path, text);
  for (const validation of [0.05, 0.051, 0.1, 0.333]) {
    const { train, validation: held } = await readTexts({ data: [path], seed: 1, validation });
    expect(train.join('') + held.join('')).toBe(text);
    expect([...train, ...held].every((part) => !/\p{Surrogate}/u.test(part))).toBe(true);
  }
});
