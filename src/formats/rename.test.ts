/** Windows, where another program holds a file for a moment or for good: stood in for by a rename that fails as its does. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { replaceFolderAtomic, writeFileAtomic } from './atomic-write.ts';
import { lockHolder, takeLock } from './process-lock.ts';

const rename = { code: '', failures: 0, calls: 0 };
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const renameSync = (from: string, to: string): void => {
    rename.calls += 1;
    if (rename.failures > 0) {
      rename.failures -= 1;
      throw Object.assign(new Error(`${rename.code}: rename`), { code: rename.code });
    }
    fs.renameSync(from, to);
  };
  return { ...fs, renameSync, default: { ...fs, renameSync } };
});

const root = mkdtempSync(join(tmpdir(), 'nomoat-rename-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const fails = (code: string, failures: number): void => {
  Object.assign(rename, { code, failures, calls: 0 });
};
const realPlatform = process.platform;
const onPlatform = (value: NodeJS.Platform): void => {
  Object.defineProperty(process, 'platform', { value });
};
afterEach(() => onPlatform(realPlatform));

describe('on Windows', () => {
  beforeEach(() => onPlatform('win32'));

  test.each(['EPERM', 'EBUSY', 'EACCES'])('%s that passes is waited for, by files and folders', (code) => {
    const file = join(root, code);
    writeFileAtomic(file, 'old');
    fails(code, 4);
    writeFileAtomic(file, 'new');
    expect(rename.calls).toBe(5);
    expect(readFileSync(file, 'utf8')).toBe('new');

    const folder = join(root, `${code}-folder`);
    for (const text of ['old', 'new']) {
      fails(code, 3);
      replaceFolderAtomic(folder, (temporary) => writeFileAtomic(join(temporary, 'file'), text));
      expect(rename.failures).toBe(0);
      expect(readFileSync(join(folder, 'file'), 'utf8')).toBe(text);
    }
    expect(readdirSync(root).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  test('a file that stays held is a failure after a bounded time, and the old content stands', () => {
    const file = join(root, 'held');
    fails('EBUSY', 0);
    writeFileAtomic(file, 'old');
    fails('EBUSY', Number.POSITIVE_INFINITY);
    const begun = performance.now();
    expect(() => writeFileAtomic(file, 'new')).toThrow(/could not be written \(EBUSY\)/);
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(rename.calls).toBeGreaterThan(10);
    fails('', 0);
    expect(readdirSync(root).filter((name) => name.startsWith('held'))).toEqual(['held']);
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  test("a dead process's lock is taken over without a rename, which could be refused", () => {
    const lock = join(root, 'lock');
    fails('EPERM', 0);
    writeFileAtomic(lock, '999999999');
    fails('EPERM', 1);
    expect(takeLock(lock)).toBeNull();
    expect(rename.calls).toBe(0);
    expect(lockHolder(lock)).toBe(process.pid);
  });

  test('no other error is tried again', () => {
    fails('ENOSPC', 1);
    expect(() => writeFileAtomic(join(root, 'full'), '')).toThrow(/the disk is full/);
    expect(rename.calls).toBe(1);
  });
});

test('elsewhere a refusal is one', () => {
  onPlatform('linux');
  fails('EPERM', 1);
  expect(() => writeFileAtomic(join(root, 'refused'), '')).toThrow(/could not be written \(EPERM\)/);
  expect(rename.calls).toBe(1);
});
