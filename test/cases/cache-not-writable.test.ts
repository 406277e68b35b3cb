/** Folders that a run needs at its end and that cannot be written: said at its beginning, with what is done instead. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/events.ts';
import { fixtures, mini, workspace } from './support.ts';

const patience = 120_000;
const { folder, nomoat } = workspace();
const data = join(fixtures, 'cache-not-writable/ok.jsonl');
const usual = ['tune', data, '--max-steps', '4', '--safety-share', '0', '--yes'];
writeFileSync(join(folder, 'file'), '');

/** Mounts of a tmpfs need root on Linux; what they show is shown by other means as well. */
const mounted: string[] = [];
function mount(name: string, options: string): boolean {
  const path = join(folder, name);
  mkdirSync(path);
  if (process.platform !== 'linux' || spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status !== 0)
    return false;
  mounted.push(path);
  return true;
}
const mounts = mount('ro', 'ro') && mount('small', 'size=2m') && mount('tight', 'size=14m');
const needsMount = mounts ? '' : ' (skipped: needs root on Linux to mount)';
afterAll(() => {
  for (const path of mounted) spawnSync('umount', [path]);
});

const eventsOf = (run: string): RunEvent[] =>
  readFileSync(join(folder, run, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);

/** The run is whole, said where its copy was made before it trained, and left nothing of that. */
function expectFallback(run: string, env: Record<string, string | undefined>, fault: RegExp): void {
  const { code, err } = nomoat([...usual, '--run', run], { env });
  expect(code, err).toBe(0);
  expect(err).toMatch(fault);
  const events = eventsOf(run);
  const said = events.findIndex((e) => e.type === 'notice' && e.code === 'machine');
  expect(events[said]).toMatchObject({
    message: expect.stringMatching(/the proof's copy of the base is made in the run's folder.*NOMOAT_HOME/),
  });
  expect(said).toBeLessThan(events.findIndex((e) => e.type === 'step-end'));
  expect(events.filter((e) => e.type === 'notice' && /proof's copy/.test(e.message))).toHaveLength(1);
  expect(events.filter((e) => e.type === 'export-parity')).toHaveLength(2);
  expect(events.filter((e) => e.type === 'sample').length).toBeGreaterThan(0);
  expect(existsSync(join(folder, run, 'report.html'))).toBe(true);
  expect(readdirSync(join(folder, run)).filter((name) => name.endsWith('.gguf'))).toEqual([]);
}

describe('a cache that cannot be written', { timeout: patience }, () => {
  test('because its path is a file', () => {
    expectFallback(
      'file-run',
      { NOMOAT_HOME: join(folder, 'file') },
      /The cache \S*file\/parity cannot be written \(E\w+\)/,
    );
  });

  test.runIf(mounts)(`because its disk is read-only${needsMount}`, () => {
    const env = { HOME: join(folder, 'ro'), NOMOAT_HOME: undefined, XDG_CACHE_HOME: undefined };
    expectFallback('ro-run', env, /The cache \S*ro\/\.cache\/nomoat\/parity cannot be written \(EROFS\)/);
  });

  test.runIf(mounts)(`because its disk is too small${needsMount}`, () => {
    expectFallback(
      'small-run',
      { NOMOAT_HOME: join(folder, 'small') },
      /parity has \d+ [kM]B free, and 12 MB are needed/,
    );
  });

  test.runIf(mounts)(
    `and a run's disk that does not hold the copy either: refused before anything is made${needsMount}`,
    () => {
      const env = { NOMOAT_HOME: join(folder, 'ro') };
      const { code, err } = nomoat([...usual, '--run', 'tight/run'], { env });
      expect(err).toMatch(
        /ro\/parity: cannot be written \(EROFS\), and the proof .*needs a copy of the base \(12 MB\)|needs about .* of disk/,
      );
      expect(code).toBe(2);
      expect(existsSync(join(folder, 'tight/run'))).toBe(false);
    },
  );
});

describe('a run folder that cannot be written', { timeout: patience }, () => {
  test('is refused before the data is read', () => {
    const { code, err } = nomoat([...usual, '--run', 'file/run']);
    expect(err).toMatch(/file\/run: cannot be written \(ENOTDIR\)\. Give a --run/);
    expect(code).toBe(2);
    const quickstart = nomoat(['quickstart', '--run', 'file/run']);
    expect(quickstart.err).toMatch(/^\S*file\/run: cannot be written \(ENOTDIR\)\. Give a --run/);
    expect(quickstart.code).toBe(2);
    const pretrain = nomoat(['pretrain', data, '--run', 'file/run']);
    expect(pretrain.err).toMatch(/file\/run: cannot be written \(ENOTDIR\)\. Give a --run/);
  });

  test.runIf(mounts)(`on a read-only disk${needsMount}`, () => {
    const { code, err } = nomoat([...usual, '--run', 'ro/run']);
    expect(err).toMatch(/ro\/run: cannot be written \(EROFS\)/);
    expect(code).toBe(2);
  });
});

describe('a temporary folder that cannot be written', { timeout: patience }, () => {
  const env = { TMPDIR: join(folder, 'file') };
  beforeAll(() => expect(nomoat([...usual, '--run', 'first']).code).toBe(0), patience);

  test('costs a run that begins with an adapter nothing: its samples are made in its own folder', () => {
    const { code, err } = nomoat([...usual, '--initial-adapter', 'first', '--run', 'second'], { env });
    expect(code, err).toBe(0);
    expect(err).toMatch(/^ {2}before {4}\S/m);
    expect(err).not.toMatch(/temporary folder|[Nn]o samples/);
  });

  test('is named by a chat that needs it', () => {
    const { code, err } = nomoat(['chat', mini, '--adapter', 'first/adapter', '--prompt', 'hi'], { env });
    expect(err).toMatch(/file: the adapter cannot be converted there \(E\w+\)\. Set TMPDIR/);
    expect(code).toBe(1);
  });
});
