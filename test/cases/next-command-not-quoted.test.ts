/** Every command that is printed can be pasted into a shell, whatever the folders are called. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixtures, repo, workspace } from './support.ts';

const { folder, nomoat } = workspace();
const main = join(repo, 'dist/cli/main.js');
const odd = "my runs/it's $HOME (1)";
const data = join(folder, 'my data.jsonl');
writeFileSync(data, readFileSync(join(fixtures, 'next-command-not-quoted/ok.jsonl')));
// What errors call `nomoat` is how README's reader has it, too.
const bin = join(folder, 'bin');
mkdirSync(bin);
writeFileSync(join(bin, 'nomoat'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
chmodSync(join(bin, 'nomoat'), 0o755);

/** Pastes the command that follows `lead` in `text` into a shell, with more behind it. */
function pasted(text: string, lead: RegExp, more = ''): { code: number | null; out: string; err: string } {
  const line = text.split('\n').find((candidate) => lead.test(candidate));
  expect(line, text).toBeDefined();
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, NOMOAT_HOME: join(folder, 'home') };
  const command = `${line!.slice(line!.search(lead)).replace(lead, '')} ${more}`;
  const { status, stderr, stdout } = spawnSync('bash', ['-c', command], { cwd: folder, env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}
const short = ['--max-steps', '1', '--threads', '1', '--yes'];
const answers = '--prompt x --max-tokens 2 --threads 1';

/** An interrupted run in `run`. */
async function interrupted(run: string): Promise<string> {
  const args = [main, 'tune', data, '--epochs', '400', '--threads', '1', '--yes', '--run', run];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, NOMOAT_HOME: join(folder, 'home') },
  });
  let err = '';
  child.stderr.on('data', (chunk) => {
    if (!/step \d/.test(err) && /step \d/.test(err + chunk)) child.kill('SIGINT');
    err += String(chunk);
  });
  await new Promise((resolve) => child.on('close', resolve));
  return err;
}

test('Next, Use it, and the recipe', { timeout: 120_000 }, () => {
  const { err } = nomoat(['tune', data, ...short, '--run', odd]);
  expect(pasted(err, /^Next: +/, answers)).toMatchObject({ code: 0 });
  expect(pasted(nomoat(['tune', '--resume', odd]).err, /.*Use it: /, answers)).toMatchObject({ code: 0 });
  const recipe = readFileSync(join(folder, odd, 'recipe.yaml'), 'utf8');
  writeFileSync(join(folder, 'recipe.yaml'), recipe);
  expect(pasted(recipe, /^# Repeats the run: /, '--yes --json')).toMatchObject({ code: 0 });
});

test('Go on with, Finish it first, continue that one', { timeout: 240_000 }, async () => {
  const run = "runs/half 'done'";
  const err = await interrupted(run);
  // Refused before anything is resumed: what is told is how the words arrived.
  for (const refused of [
    nomoat(['chat', run, '--prompt', 'x']).err,
    nomoat(['export', run, '--to', 'gguf', '--out', 'x.gguf']).err,
  ])
    expect(pasted(refused, /.*Finish it first: /, 'more').err).toContain('takes nothing else, but got more');
  for (const [text, lead] of [
    [nomoat(['tune', data, '--run', run]).err, /.*continue that one: /],
    [nomoat(['runs']).out, /^Go on with one that is not done: /],
    [err, /^Go on with: /],
  ] as const)
    expect(pasted(text, lead, 'more').err).toContain('takes nothing else, but got more');
});
