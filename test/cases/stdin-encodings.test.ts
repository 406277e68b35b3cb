/** What is piped into a chat is decoded, or refused by name before a model is opened; nothing is replaced in silence. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repo, workspace } from './support.ts';

const { folder, nomoat } = workspace();
const args = ['chat', '--json', '--max-tokens', '3', '--temperature', '0', '--threads', '1'];
const answer = (input: string | Uint8Array): { text: string; promptTokens: number } => {
  const { code, err, out } = nomoat(args, { input });
  expect(err).not.toMatch(/standard input/);
  expect(code).toBe(0);
  return JSON.parse(out) as { text: string; promptTokens: number };
};

test('marks are left out, and UTF-16 with its mark is read', () => {
  const { promptTokens, text } = answer('hello');
  const utf16 = Buffer.from('\ufeffhello', 'utf16le');
  for (const input of ['\ufeffhello', '\ufeffhello\r\n', utf16, Buffer.from(utf16).swap16()])
    expect(answer(input)).toMatchObject({ promptTokens, text });
});

// biome-ignore format: a table
test.each([
  ['Latin-1', Buffer.from('caf\xe9', 'latin1'), 'is not valid UTF-8 (line 1)'],
  ['UTF-16 without a mark', Buffer.from('hello', 'utf16le'), 'NUL byte'],
  ['UTF-32', Buffer.from('fffe000068000000', 'hex'), 'is in UTF-32'],
  ['half a UTF-16 pair', Buffer.from('fffe00d8', 'hex'), 'is not valid UTF-16LE'],
  ['nothing', Buffer.alloc(0), 'the prompt: is empty'],
  ['a mark and nothing else', Buffer.from('\ufeff\n'), 'the prompt: is empty'],
])('%s is refused by name', (_, input, fault) => {
  const { code, err, out } = nomoat(args, { input });
  expect(code).toBe(2);
  expect(err).toContain(fault);
  expect(JSON.parse(out)).toMatchObject({ type: 'error' });
});

test.each(['--prompt', '--system'])('bytes of %s that are no UTF-8 are refused', (flag) => {
  const script = `node '${join(repo, 'dist/cli/main.js')}' chat ${flag} $'caf\\xe9' < /dev/null 2>&1 || true`;
  expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toContain(`${flag}: holds U+FFFD`);
});

test('a recipe is decoded as well', () => {
  const run = (bytes: Uint8Array): string => {
    writeFileSync(join(folder, 'r.yaml'), bytes);
    return nomoat(['tune', 'none.jsonl', '--recipe', 'r.yaml']).err;
  };
  expect(run(Buffer.from('\ufeffepochs: none\n', 'utf16le'))).toContain('recipe key epochs: "none" is no number');
  expect(run(Buffer.from('caf\xe9: 1\n', 'latin1'))).toContain('is not valid UTF-8 (line 1)');
});
