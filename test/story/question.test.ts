/** The question before a run: it comes after what the run will take, and until it is answered nothing is written. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inTerminal } from '../cases/in-terminal.ts';
import { fixtures, workspace } from '../cases/support.ts';

const { folder, nomoat } = workspace();
const data = join(fixtures, 'epipe/ok.jsonl');
const args = (run: string): string[] => ['tune', data, '--threads', '1', '--max-steps', '1', '--run', run];
const patience = { timeout: 240_000 };

test('time, memory and money come before it, and Enter begins the run', patience, async () => {
  const { ended, send, text, until } = inTerminal(folder, args('runs/yes'));
  await until(/Start\? \[Y\/n\]/);
  const shown = text();
  expect(shown).toMatch(/Data +6 rows[\s\S]*Plan +\d+ s at [\s\S]*GB of memory[\s\S]*Money[\s\S]*Start\?/);
  expect(existsSync(join(folder, 'runs'))).toBe(false);
  send('\r');
  expect(await ended).toBe(0);
  expect(text()).toContain('Done after');
  expect(text().match(/^Plan /gm)).toHaveLength(1);
});

// biome-ignore format: a table
test.each([
  ['no', 'n\r', 0], ['something else', 'what?\r', 0], ['Ctrl-C', '\u0003', 130], ['the end of input', '\u0004', 0],
])('%s leaves nothing behind', patience, async (_, keys, code) => {
  const { ended, send, until } = inTerminal(folder, args('other/none'));
  await until(/Start\? \[Y\/n\]/);
  send(keys);
  expect(await ended).toBe(code);
  expect(existsSync(join(folder, 'other'))).toBe(false);
  expect(readdirSync(folder).filter((name) => name !== 'runs' && name !== 'home')).toEqual([]);
});

test('SIGTERM ends it, too', patience, async () => {
  const { ended, kill, until } = inTerminal(folder, args('other/none'));
  await until(/Start\? \[Y\/n\]/);
  kill('SIGTERM');
  expect(await ended).toBe(130);
  expect(existsSync(join(folder, 'other'))).toBe(false);
});

test('refused data is refused before it, and nobody is asked with --yes or without a terminal', patience, async () => {
  const refused = inTerminal(folder, ['tune', data, '--validation', '0.001', '--run', 'other/none']);
  expect(await refused.ended).toBe(2);
  expect(refused.text()).not.toContain('Start?');
  const yes = inTerminal(folder, [...args('runs/unasked'), '--yes']);
  expect(await yes.ended).toBe(0);
  expect(yes.text()).not.toContain('Start?');
  expect(nomoat(args('runs/piped')).code).toBe(0);
});
