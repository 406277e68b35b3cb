/** The packaged model as it is before anything is tuned; quickstart is run from the package (pack.test.ts). */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-packaged-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function nomoat(...args: string[]): string {
  const env = { ...process.env, NOMOAT_HOME: join(folder, 'home') };
  return spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
    input: '',
  }).stdout;
}

test('the model that comes with the package holds a short conversation, and stops', { timeout: 120_000 }, () => {
  const ask = (prompt: string): string =>
    nomoat('chat', '--prompt', prompt, '--temperature', '0', '--threads', '1').trim();
  expect(ask('What is your name?')).toContain('nomoat-mini');
  expect(ask('What is the opposite of hot?')).toBe('The opposite of hot is cold.');
  const story = ask('Tell me a story about a fox.');
  expect(story).toMatch(/fox.*\.$|fox.*"$/s);
  expect(story.length).toBeLessThan(1500);
  expect(nomoat('models')).toContain('nomoat-mini');
});
