import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { together } from '../../test/together.ts';
import { RunFolder } from './run-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const built = pathToFileURL(join(import.meta.dirname, '../../dist/run/run-folder.js')).href;

/** Processes that lock the folder at the same time; which of them could. */
async function lockTogether(count: number): Promise<boolean[]> {
  const imports = `const { RunFolder } = await import(${JSON.stringify(built)});`;
  const told = await together(count, imports, `(new RunFolder(${JSON.stringify(folder)}).lock(), 'took')`);
  for (const answer of told) expect(answer).toMatch(/^took$|is working in this run/);
  return told.map((answer) => answer === 'took');
}

test('of several processes that find a dead one in the run, one takes it', { timeout: 120_000 }, async () => {
  const dead = await new Promise<number>((resolve) => {
    const child = spawn(process.execPath, ['-e', '']);
    child.on('close', () => resolve(child.pid!));
  });
  for (let round = 0; round < 3; round++) {
    writeFileSync(join(folder, 'lock'), String(dead));
    expect((await lockTogether(4)).filter((could) => could)).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['lock']);
  }
});

test('a lock is taken once, again by its own process, and given back', () => {
  rmSync(join(folder, 'lock'), { force: true });
  const run = new RunFolder(folder);
  run.lock();
  run.lock();
  expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(String(process.pid));
  run.unlock();
  expect(existsSync(join(folder, 'lock'))).toBe(false);
  // A full disk or a kill can leave it empty: nobody's.
  writeFileSync(join(folder, 'lock'), '');
  run.lock();
  expect(run.holder()).toBe(process.pid);
  run.unlock();
});
