import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { together } from '../../test/together.ts';
import { lockHolder, releaseLock, takeLock, unknownHolder } from './process-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'file.lock');
const dead = String(spawnSync(process.execPath, ['-e', '']).pid);
const built = pathToFileURL(join(import.meta.dirname, '../../dist/formats/process-lock.js')).href;

test('is taken, told and given back', () => {
  expect(lockHolder(path)).toBe(null);
  expect(takeLock(path)).toBe(null);
  expect(readFileSync(path, 'utf8')).toBe(String(process.pid));
  expect(takeLock(path)).toBe(process.pid);
  releaseLock(path);
  expect(existsSync(path)).toBe(false);
});

test.each([dead, '', 'x'])("a lock of %j is nobody's", (text) => {
  writeFileSync(path, text);
  expect(takeLock(path)).toBe(null);
  expect(readdirSync(folder)).toEqual(['file.lock']);
  releaseLock(path);
});

test("an empty one is its writer's for a moment, where that is asked for", () => {
  writeFileSync(path, '');
  expect(takeLock(path, 60_000)).toBe(unknownHolder);
  expect(takeLock(path, 0)).toBe(null);
  releaseLock(path);
});

test("what a process left that was killed while it took a lock away is in nobody's way", () => {
  writeFileSync(path, dead);
  writeFileSync(`${path}-0`, dead);
  expect(takeLock(path)).toBe(null);
  expect(readdirSync(folder)).toEqual(['file.lock']);
  releaseLock(path);
});

test("of several that find a dead process's, one takes it", { timeout: 120_000 }, async () => {
  const imports = `const { takeLock } = await import(${JSON.stringify(built)});`;
  for (let round = 0; round < 3; round++) {
    writeFileSync(path, dead);
    const taken = await together(4, imports, `takeLock(${JSON.stringify(path)}) === null`);
    expect(taken.filter((took) => took === 'true')).toHaveLength(1);
    expect(taken.filter((took) => took === 'false')).toHaveLength(3);
    rmSync(path, { force: true });
  }
});
