import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { RunFolder } from './run-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const built = pathToFileURL(join(import.meta.dirname, '../../dist/jobs/run-folder.js')).href;

/** Locks at that time in a process of its own and holds on for a while; whether it could. */
function locks(at: number): Promise<boolean> {
  const script = `const { RunFolder } = await import(${JSON.stringify(built)});
    while (Date.now() < ${at});
    try { new RunFolder(${JSON.stringify(folder)}).lock(); } catch (error) { process.exit(/is working in this run/.test(error.message) ? 7 : 8); }
    await new Promise((resolve) => setTimeout(resolve, 1500));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  return new Promise((resolve, reject) => {
    child.on('close', (code) => (code === 0 || code === 7 ? resolve(code === 0) : reject(new Error(`code ${code}`))));
  });
}

test('of several processes that find a dead one in the run, one takes it', { timeout: 120_000 }, async () => {
  const dead = await new Promise<number>((resolve) => {
    const child = spawn(process.execPath, ['-e', '']);
    child.on('close', () => resolve(child.pid!));
  });
  for (let round = 0; round < 3; round++) {
    writeFileSync(join(folder, 'lock'), String(dead));
    const at = Date.now() + 1500;
    const took = await Promise.all([1, 2, 3, 4].map(() => locks(at)));
    expect(took.filter((could) => could)).toHaveLength(1);
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
