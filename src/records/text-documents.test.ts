import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { readTextFile } from './text-documents.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-text-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function file(bytes: string | Buffer): string {
  const path = join(folder, 'text.txt');
  writeFileSync(path, bytes);
  return path;
}

test('documents are divided, trimmed, and empty ones left out', async () => {
  expect((await readTextFile(file('one\n<|endoftext|>\n\n<|endoftext|> two ü漢🙂'))).documents).toEqual([
    'one',
    'two ü漢🙂',
  ]);
});

test.each([
  ['an empty file', Buffer.alloc(0), /is empty/],
  ['white space', ' \n<|endoftext|>\n', /nothing but white space/],
  ['a binary file', Buffer.from([65, 0, 66]), /no text: it has a zero byte at 1/],
  [
    'Latin-1',
    Buffer.concat([Buffer.from('line one\nf'), Buffer.from([0xfc, 0x72])]),
    /no valid UTF-8 from byte 10 \(line 2\)/,
  ],
  ['a cut character', Buffer.from('漢').subarray(0, 2), /no valid UTF-8/],
])('%s is refused', async (_, bytes, message) => {
  await expect(readTextFile(file(bytes))).rejects.toThrow(message);
});

test('a missing file is refused', async () => {
  await expect(readTextFile(join(folder, 'none.txt'))).rejects.toThrow(/does not exist/);
});

test('packed text, and UTF-16 by its byte order mark', async () => {
  expect((await readTextFile(file(gzipSync('one<|endoftext|>two')))).documents).toEqual(['one', 'two']);
  expect((await readTextFile(file(Buffer.from('\ufeffone ü', 'utf16le')))).documents).toEqual(['one ü']);
  await expect(readTextFile(file(gzipSync('one two three').subarray(0, -6)))).rejects.toThrow(/is cut off/);
  await expect(readTextFile(file('PAR1 and so on'))).rejects.toThrow(/is a Parquet file, no plain text/);
});
