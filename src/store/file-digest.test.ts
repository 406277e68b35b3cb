import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { digestOf, knownDigest } from './file-digest.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-digest-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [file, cache] = [join(folder, 'file'), join(folder, 'cache')];
const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

test('is computed once, and again for a file that was written to, even with its time set back', async () => {
  writeFileSync(file, 'abc');
  expect(knownDigest(file, cache)).toBe(null);
  expect(await digestOf(file, cache)).toBe(abc);
  expect(knownDigest(file, cache)).toBe(abc);
  const { atime, mtime } = statSync(file);
  writeFileSync(file, 'abd');
  utimesSync(file, atime, mtime);
  expect(knownDigest(file, cache)).toBe(null);
  expect(await digestOf(file, cache)).not.toBe(abc);
});

test.each(['', '{', 'null', '[]', '{"x":1}', '{"/f":{"stamp":{},"sha256":1}}'])(
  'a memory of %j costs time only',
  async (text) => {
    writeFileSync(file, 'abc');
    writeFileSync(join(cache, 'digests.json'), text);
    expect(await digestOf(file, cache)).toBe(abc);
    expect(knownDigest(file, cache)).toBe(abc);
  },
);

test('so does a folder that cannot be written', async () => {
  expect(await digestOf(file, join(file, 'below'))).toBe(abc);
});

test('a file that is gone is named', async () => {
  await expect(digestOf(join(folder, 'gone'), cache)).rejects.toThrow(/gone: cannot be read \(ENOENT\)/);
});
