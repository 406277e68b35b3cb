/** Codes reach only what can show them: NO_COLOR, FORCE_COLOR, TERM=dumb, files and pipes. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixtures, repo, workspace } from '../cases/support.ts';

const { folder, nomoat } = workspace();
const data = join(fixtures, 'epipe/ok.jsonl');
const preview = ['preview', data, '--rows', '1'];

/** In a terminal of its own, which util-linux's `script` makes. */
function inTerminal(args: readonly string[], environment: Record<string, string>): string {
  const command = [process.execPath, join(repo, 'dist/cli/main.js'), ...args].map((word) => `'${word}'`).join(' ');
  const env = { ...process.env, TERM: 'xterm', ...environment, NOMOAT_HOME: join(folder, 'home') };
  return spawnSync('script', ['-qec', command, '/dev/null'], { cwd: folder, env, encoding: 'utf8', input: '' }).stdout;
}

test('preview is coloured on a terminal, and elsewhere only where that is forced', () => {
  const none = { NO_COLOR: '', FORCE_COLOR: '' };
  expect(inTerminal(preview, none)).toContain('\u001b[30;42m');
  expect(inTerminal(preview, { ...none, NO_COLOR: '1' })).not.toContain('\u001b');
  expect(inTerminal(preview, { ...none, TERM: 'dumb' })).not.toContain('\u001b');
  expect(nomoat(preview, { env: none }).out).not.toContain('\u001b');
  expect(nomoat(preview, { env: { ...none, FORCE_COLOR: '1' } }).out).toContain('\u001b[30;42m');
});

test('a run on a terminal shows its bar without codes', { timeout: 120_000 }, () => {
  const text = inTerminal(['tune', data, '--yes', '--threads', '1', '--max-steps', '2', '--run', 'bar'], {});
  expect(text).toMatch(/\r\[#+ *\] step 1\/2/);
  expect(text).toContain('Done after');
  expect(text).not.toContain('\u001b');
});
