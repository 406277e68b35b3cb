/** A terminal that is closed while it trains ends the run with a checkpoint; under nohup, or without a terminal, it goes on. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkpointSteps } from '../../src/train/checkpoint.ts';
import { inTerminal } from './in-terminal.ts';
import { mini, repo, workspace, writeRows } from './support.ts';

const patience = 120_000;
const pollMilliseconds = 50;
const { folder, nomoat } = workspace();
const rows = Array.from({ length: 40 }, (_, i) => ({ prompt: `say ${i}`, completion: `word ${i} and more of ${i}` }));
writeRows(join(folder, 'd.jsonl'), rows);
const args = (run: string, steps: number): string[] => [
  'tune',
  'd.jsonl',
  '--model',
  mini,
  '--run',
  run,
  '--yes',
  '--checkpoint-every',
  '1000',
  '--max-steps',
  String(steps),
];

const read = (run: string, name: string): string => {
  const path = join(folder, run, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
};
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

test.runIf(hasScript)('a closed terminal leaves a checkpoint', { timeout: patience }, async () => {
  const terminal = inTerminal(folder, args('closed', 1000));
  await until(() => read('closed', 'events.jsonl').includes('"type":"step-end","step":3,'));
  terminal.hangUp();
  await until(() => read('closed', 'run.json').includes('"state": "interrupted"'));
  expect(checkpointSteps(join(folder, 'closed/checkpoints')).at(-1)).toBeGreaterThan(3);
});

test.runIf(process.platform !== 'win32')('who has no terminal loses none', { timeout: patience }, async () => {
  const command = [join(repo, 'dist/cli/main.js'), ...args('quiet', 20)];
  const env = { ...process.env, NOMOAT_HOME: join(folder, 'home') };
  const child = spawn(process.execPath, command, { cwd: folder, env, detached: true, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await until(() => read('quiet', 'events.jsonl').includes('"type":"step-end","step":1,'));
  process.kill(-child.pid!, 'SIGHUP');
  expect(await ended).toBe(0);
  expect(nomoat(['tune', '--resume', 'quiet']).err).toMatch(/this run is done/);
});
