/** File systems that refuse to flush a folder: what was written there is written all the same. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { replaceFolderAtomic, writeFileAtomic } from './atomic-write.ts';

let code = '';
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const fsyncSync = (descriptor: number): void => {
    if (fs.fstatSync(descriptor).isDirectory()) throw Object.assign(new Error(`${code}: fsync`), { code });
    fs.fsyncSync(descriptor);
  };
  return { ...fs, fsyncSync, default: { ...fs, fsyncSync } };
});

const root = mkdtempSync(join(tmpdir(), 'nomoat-flush-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.each(['EINVAL', 'EPERM', 'ENOTSUP', 'ENOSYS'])('%s of a folder is no failure', (refusal) => {
  code = refusal;
  const file = join(root, refusal);
  writeFileAtomic(file, 'whole');
  expect(readFileSync(file, 'utf8')).toBe('whole');
  replaceFolderAtomic(join(root, 'folder'), (temporary) => writeFileAtomic(join(temporary, 'file'), refusal));
  expect(readFileSync(join(root, 'folder/file'), 'utf8')).toBe(refusal);
});

test('a disk that fails while it flushes is one', () => {
  code = 'EIO';
  expect(() => writeFileAtomic(join(root, 'file'), 'whole')).toThrow(/could not be written \(EIO\)/);
});
