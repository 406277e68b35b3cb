/** A reader that leaves ends the program without a word, as it ends other Unix tools; a run stops with a checkpoint. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixtures, repo, workspace } from './support.ts';

const { folder, nomoat } = workspace();
const data = join(fixtures, 'epipe/ok.jsonl');

/** Runs `nomoat ARGS` in a pipe to `reader`: its exit code, and what it said on standard error. */
function piped(args: string, reader: string): { code: number; err: string } {
  const command = `node '${join(repo, 'dist/cli/main.js')}' ${args} | ${reader} > /dev/null; echo "code \${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', command], {
    cwd: folder,
    env: { ...process.env, NOMOAT_HOME: join(folder, 'home') },
    encoding: 'utf8',
  });
  return { code: Number(stdout.match(/code (\d+)/)![1]), err: stderr };
}

/** A reader that is gone before anything is written. */
const gone = 'true';

// biome-ignore format: a table
test.each([
  'models', 'runs', 'doctor', 'doctor --json', '--help', 'tune --help', 'tune none.jsonl --json', 'frob --json',
  `preview '${data}'`, `preview '${data}' --json`, `plan '${data}' --json`,
])('%s ends quietly', (args) => {
  const { code, err } = piped(args, gone);
  expect(err).not.toMatch(/EPIPE|Error:|node:/);
  expect(code).toBe(141);
});

test('an answer stops in its middle', () => {
  const { code, err } = piped('chat --prompt "tell me a story" --max-tokens 400', 'head -c 5');
  expect(err).toBe('');
  expect([0, 141]).toContain(code);
});

test('errors and progress go nowhere when standard error is closed', () => {
  const { code } = piped('tune none.jsonl 2>&1 >/dev/null', gone);
  expect(code).toBe(141);
});

test('a run stops with a checkpoint', { timeout: 120_000 }, () => {
  for (const [run, flags] of [
    ['events', '--json'],
    ['lines', '2>&1'],
  ] as const) {
    const { code, err } = piped(`tune '${data}' --epochs 400 --threads 1 --yes --run ${run} ${flags}`, 'head -1');
    expect(err).not.toMatch(/EPIPE|Error:|node:/);
    expect(code).toBe(141);
    expect(existsSync(join(folder, run, 'lock')), 'the run has let go of its folder').toBe(false);
    expect(nomoat(['chat', run, '--prompt', 'x']).err).toMatch(/without a result yet \(interrupted\)/);
  }
});

test('a full disk behind standard output is said', () => {
  if (!existsSync('/dev/full')) return;
  const { stderr } = spawnSync('bash', ['-c', `node '${join(repo, 'dist/cli/main.js')}' models > /dev/full`], {
    encoding: 'utf8',
  });
  expect(stderr).toMatch(/^standard output: could not be written \(ENOSPC\)\. .*\n$/);
});
