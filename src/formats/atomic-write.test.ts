import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isAlive, removeUnfinished, replaceFolderAtomic, temporaryMark } from './atomic-write.ts';

const root = mkdtempSync(join(tmpdir(), 'nomoat-atomic-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
/** A process that has ended. */
const dead = spawnSync(process.execPath, ['-e', '']).pid;
const put = (name: string, text: string): void => {
  mkdirSync(join(root, name));
  writeFileSync(join(root, name, 'file'), text);
};

test('a folder that was moved aside for a newer one comes back where that never took its place', () => {
  put(`a${temporaryMark}${dead}-old`, 'before');
  put(`a${temporaryMark}${dead}`, 'after');
  put(`b${temporaryMark}${dead}-old`, 'before');
  put('b', 'after');
  put(`c${temporaryMark}${process.pid}`, 'being written');
  removeUnfinished(root);
  expect(readdirSync(root).sort()).toEqual(['a', 'b', `c${temporaryMark}${process.pid}`]);
  expect(['a', 'b'].map((name) => readFileSync(join(root, name, 'file'), 'utf8'))).toEqual(['before', 'after']);
});

test('a folder whose writing fails stays what it was', () => {
  put('d', 'before');
  const fail = (folder: string): void => {
    writeFileSync(join(folder, 'file'), 'half');
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  };
  expect(() => replaceFolderAtomic(join(root, 'd'), fail)).toThrow(/the disk is full/);
  expect(readFileSync(join(root, 'd', 'file'), 'utf8')).toBe('before');
  replaceFolderAtomic(join(root, 'd'), (folder) => writeFileSync(join(folder, 'other'), 'after'));
  expect(readdirSync(join(root, 'd'))).toEqual(['other']);
  expect(existsSync(join(root, `d${temporaryMark}${process.pid}-old`))).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'a process that has ended is dead, whether or not its parent took note',
  async () => {
    // The shell becomes a program that takes note of nothing.
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 20']);
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.on('data', (data) => resolve(Number(String(data)))),
    );
    expect(isAlive(pid)).toBe(true);
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
    expect(() => process.kill(pid, 0), 'it is still there').not.toThrow();
    expect(isAlive(parent.pid!)).toBe(true);
    parent.kill();
  },
);
