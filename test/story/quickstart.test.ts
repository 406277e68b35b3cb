import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-quickstart-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function nomoat(...args: string[]): { code: number | null; out: string; err: string } {
  const env = { ...process.env, NOMOAT_HOME: join(folder, 'home') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
    input: '',
  });
  return { code: status, out: stdout, err: stderr };
}

test('the model that comes with the package holds a short conversation, and stops', { timeout: 120_000 }, () => {
  const ask = (prompt: string): string =>
    nomoat('chat', '--prompt', prompt, '--temperature', '0', '--threads', '1').out.trim();
  expect(ask('What is your name?')).toContain('nomoat-mini');
  expect(ask('What is the opposite of hot?')).toBe('The opposite of hot is cold.');
  const story = ask('Tell me a story about a fox.');
  expect(story).toMatch(/fox.*\.$|fox.*"$/s);
  expect(story.length).toBeLessThan(1500);
  expect(nomoat('models').out).toContain('nomoat-mini');
});

test('quickstart: before, training, after, how to chat', { timeout: 400_000 }, () => {
  const { code, err } = nomoat('quickstart');
  expect(err).toContain('280 examples to learn from, 140 held out');
  expect(code).toBe(0);
  const [, before] = err.match(/\nBefore: (\d+) of 140 right/)!;
  const [, after, low] = err.match(/\nAfter: {2}(\d+) of 140 right \(\d+%, 95% interval (\d+) to \d+%\)/)!;
  expect(Number(low)).toBeGreaterThan((100 * Number(before)) / 140 + 20);
  expect(Number(after)).toBeGreaterThan(Number(before));
  expect(err).toContain(`main.js chat ${join('runs', 'quickstart')}`);
  expect(existsSync(join(folder, 'runs/quickstart/adapter/adapter.gguf'))).toBe(true);
});
