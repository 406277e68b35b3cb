/** Codes reach only what can show them: NO_COLOR, FORCE_COLOR, TERM=dumb, files and pipes. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inTerminal } from '../cases/in-terminal.ts';
import { fixtures, workspace } from '../cases/support.ts';

const { folder, nomoat } = workspace();
const data = join(fixtures, 'epipe/ok.jsonl');
const preview = ['preview', data, '--rows', '1'];

async function shown(args: readonly string[], environment: Record<string, string>): Promise<string> {
  const { ended, text } = inTerminal(folder, args, environment);
  await ended;
  return text();
}

test('preview is coloured on a terminal, and elsewhere only where that is forced', async () => {
  const none = { NO_COLOR: '', FORCE_COLOR: '' };
  expect(await shown(preview, none)).toContain('\u001b[30;42m');
  expect(await shown(preview, { ...none, NO_COLOR: '1' })).not.toContain('\u001b');
  expect(await shown(preview, { ...none, TERM: 'dumb' })).not.toContain('\u001b');
  expect(nomoat(preview, { env: none }).out).not.toContain('\u001b');
  expect(nomoat(preview, { env: { ...none, FORCE_COLOR: '1' } }).out).toContain('\u001b[30;42m');
});

test('a run on a terminal shows its bar without codes', { timeout: 120_000 }, async () => {
  const text = await shown(['tune', data, '--yes', '--threads', '1', '--max-steps', '2', '--run', 'bar'], {});
  expect(text).toMatch(/\r\[#+ *\] step 1\/2/);
  expect(text).toContain('Done after');
  expect(text).not.toContain('\u001b');
});
