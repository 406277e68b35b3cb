import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { askForPasteMarks, maxPasteBytes, PasteReader } from './paste-reader.ts';

/** What comes of the chunks: keys as text, pastes in brackets. */
async function read(...chunks: (string | Buffer)[]): Promise<string[]> {
  const source = new PassThrough();
  const seen: string[] = [];
  const reader = new PasteReader(source, (bytes) => seen.push(bytes === null ? '[too long]' : `[${bytes}]`));
  reader.on('data', (bytes) => seen.push(String(bytes)));
  const ended = new Promise((resolve) => reader.on('end', resolve));
  for (const chunk of chunks) {
    source.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  source.end();
  await ended;
  return seen;
}
const paste = (text: string): string => `\u001b[200~${text}\u001b[201~`;

describe('keys and pastes', () => {
  test('come in their order', async () => {
    expect(await read(`a${paste('one\ntwo')}b${paste('')}\r`)).toEqual(['a', '[one\ntwo]', 'b', '[]', '\r']);
  });

  test('wherever the terminal cuts what it sends', async () => {
    const bytes = Buffer.from(`a${paste('é\u001b[20\n')}b`);
    for (let cut = 1; cut < bytes.length; cut++)
      expect((await read(bytes.subarray(0, cut), bytes.subarray(cut))).join('|')).toBe('a|[é\u001b[20\n]|b');
    expect((await read(...[...bytes].map((byte) => Buffer.from([byte])))).join('|')).toBe('a|[é\u001b[20\n]|b');
  });

  test('the Escape key alone is a key, if a little later', async () => {
    const source = new PassThrough();
    const key = new Promise((resolve) => new PasteReader(source, () => {}).on('data', resolve));
    source.write('\u001b');
    expect(String(await key)).toBe('\u001b');
  });

  test('a paste beyond the limit is told of and not kept', async () => {
    expect(await read(`${paste('x'.repeat(maxPasteBytes + 1))}b`)).toEqual(['[too long]', 'b']);
    expect((await read(paste('x'.repeat(maxPasteBytes))))[0]!.length).toBe(maxPasteBytes + 2);
  });

  test('a paste without an end ends with the input, and at Ctrl-C', async () => {
    expect(await read('\u001b[200~one\ntwo')).toEqual(['[one\ntwo]']);
    expect(await read('\u001b[200~one\ntwo', '\u0003', 'b')).toEqual(['\u0003', 'b']);
    expect(await read(paste('a\u0003b'))).toEqual(['[a\u0003b]']);
  });
});

test('the terminal is asked for marks, and no more once that is taken back', () => {
  const terminal = new PassThrough();
  const before = process.listenerCount('exit') + process.listenerCount('SIGTERM');
  const stop = askForPasteMarks(terminal);
  expect(String(terminal.read())).toBe('\u001b[?2004h');
  stop();
  expect(String(terminal.read())).toBe('\u001b[?2004l');
  expect(process.listenerCount('exit') + process.listenerCount('SIGTERM')).toBe(before);
});
