import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readRecipe } from './recipe.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-recipe-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (text: string | Uint8Array): unknown => {
  const path = join(folder, 'r.yaml');
  writeFileSync(path, text);
  return readRecipe(path);
};

test.each([
  ['a key twice', 'rank: 4\nrank: 8\n', /Map keys must be unique at line 2/],
  ['two documents', 'rank: 4\n---\nrank: 8\n', /multiple documents/],
  ['an open bracket', 'targetModules: [q_proj, v_proj\nrank: 4\n', /at line \d/],
  ['an open quote', 'model: "a.gguf\nrank: 4\n', /at line \d/],
  ['a line that is indented more', 'rank: 4\n  alpha: 8\n', /at line 1/],
  ['a line without a colon', 'rank: 4\nalpha 8\n', /at line \d/],
  ['a tab', 'targetModules:\n\t- q_proj\n', /at line \d/],
  ['an unknown tag', 'rank: !number 4\n', /Unresolved tag: !number at line 1/],
  ['an alias of nothing', 'rank: *r\n', /is no valid YAML/],
])('%s is refused with its line, not read as far as it goes', (_, text, fault) => {
  expect(() => read(text)).toThrow(fault);
});

test.each([
  ['JSON', '{"rank": 4}'],
  ['a byte order mark', '\ufeffrank: 4\n'],
  ['UTF-16, as PowerShell writes it', Buffer.from('\ufeffrank: 4\n', 'utf16le')],
  ['CRLF', 'rank: 4\r\n'],
  ['an anchor', 'rank: &r 4\n'],
  ['comments and a document mark', '# mine\n---\nrank: 4 # small\n...\n'],
])('%s is a recipe', (_, text) => {
  expect(read(text)).toEqual({ rank: 4 });
});
