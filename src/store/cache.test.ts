import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { cacheLimitBytes, findCached, holdCached, listCache, pruneCache } from './cache.ts';

const root = mkdtempSync(join(tmpdir(), 'nomoat-cache-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder = '';
/** Files of 10 bytes, the first one used longest ago. */
const names = ['a.1.gguf', 'b.2.gguf', 'c.3.gguf'];
beforeEach(() => {
  folder = mkdtempSync(join(root, 'cache-'));
  names.forEach((name, i) => {
    writeFileSync(join(folder, name), '0123456789');
    utimesSync(join(folder, name), i + 1, i + 1);
  });
});
const left = (): string[] => readdirSync(folder).sort();

test('is listed with what was not used for longest first', () => {
  expect(listCache(folder).map(({ bytes, held, name, usedMs }) => [name, bytes, usedMs, held])).toEqual(
    names.map((name, i) => [name, 10, 1000 * (i + 1), false]),
  );
  expect(listCache(join(folder, 'nowhere'))).toEqual([]);
});

test('keeps no more than its limit, and what was used last', () => {
  expect(pruneCache(30, folder)).toEqual([]);
  expect(pruneCache(29, folder).map(({ name }) => name)).toEqual(['a.1.gguf']);
  holdCached(join(folder, 'b.2.gguf'))();
  expect(pruneCache(10, folder).map(({ name }) => name)).toEqual(['c.3.gguf']);
  expect(left()).toEqual(['b.2.gguf']);
});

test('keeps what is held, and takes away what dead processes left', () => {
  const release = holdCached(join(folder, 'a.1.gguf'));
  for (const name of ['b.2.gguf.held-by-999999999', 'c.3.gguf.unfinished-999999999'])
    writeFileSync(join(folder, name), '');
  expect(
    listCache(folder)
      .filter(({ held }) => held)
      .map(({ name }) => name),
  ).toEqual(['a.1.gguf']);
  expect(pruneCache(0, folder).map(({ name }) => name)).toEqual(['b.2.gguf', 'c.3.gguf']);
  release();
  expect(left()).toEqual(['a.1.gguf']);
  pruneCache(0, folder);
  expect(left()).toEqual([]);
});

test('finds files by their key', () => {
  expect(findCached(folder, '2')).toBe(join(folder, 'b.2.gguf'));
  expect(findCached(folder, '4')).toBe(null);
  expect(findCached(join(folder, 'nowhere'), '2')).toBe(null);
});

test.each([
  [undefined, 10e9],
  ['', 10e9],
  ['5GB', 5e9],
  ['1.5 g', 1.5e9],
  ['0', 0],
  ['250000', 250_000],
])('a limit of %j is %d bytes', (text, bytes) => {
  expect(cacheLimitBytes({ NOMOAT_CACHE_LIMIT: text })).toBe(bytes);
});

test.each(['plenty', '-1', '5 XB', '1e9'])('a limit of %j is refused', (text) => {
  expect(() => cacheLimitBytes({ NOMOAT_CACHE_LIMIT: text })).toThrow(/is no size such as 5GB/);
});
