/** A run that is resumed after something was moved or lost: what is gone is named by the run that asks for it, and what is left goes on. */
import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runTraining } from '../../src/run/run-training.ts';
import { resolveSettings } from '../../src/settings/load.ts';
import { mini, workspace, writeRows } from './support.ts';

const patience = 120_000;
const { folder, nomoat } = workspace();
const at = (name: string): string => join(folder, name);
const rows = Array.from({ length: 8 }, (_, i) => ({ prompt: `say ${i}`, completion: `word ${i}` }));

beforeAll(async () => {
  cpSync(mini, at('base.gguf'));
  writeRows(at('d.jsonl'), rows);
  const given = { model: at('base.gguf'), maxSteps: 4, checkpointEvery: 1, threads: 1, run: at('run') };
  const settings = await resolveSettings([at('d.jsonl')], given, null);
  const abort = new AbortController();
  const emit = ({ type }: { readonly type: string }): void => {
    if (type === 'checkpoint-saved') abort.abort();
  };
  const ended = await runTraining({ settings, resume: false, emit, signal: abort.signal });
  expect(ended?.state).toBe('interrupted');
}, patience);

const resumed = (name: string): ReturnType<typeof nomoat> => nomoat(['tune', '--resume', name]);

describe('a copy of the run', { timeout: patience }, () => {
  test.each([
    ['its base', 'base.gguf'],
    ['its data', 'd.jsonl'],
  ])('without %s names the file and itself', (_, name) => {
    cpSync(at('run'), at('copy'), { recursive: true });
    renameSync(at(name), at('away'));
    const { code, err } = resumed('copy');
    renameSync(at('away'), at(name));
    expect(err).toMatch(new RegExp(`copy: cannot go on: \\S*${name} is not there any more\\. Put it back`));
    expect(code).toBe(2);
    rmSync(at('copy'), { recursive: true });
  });

  test('with other data names itself, not where it was', () => {
    cpSync(at('run'), at('copy'), { recursive: true });
    writeRows(at('d.jsonl'), [...rows, { prompt: 'x', completion: 'y' }]);
    expect(resumed('copy').err).toMatch(/copy: cannot go on: d\.jsonl changed since the run began/);
    writeRows(at('d.jsonl'), rows);
    rmSync(at('copy'), { recursive: true });
  });

  test('without checkpoints says that it begins anew', () => {
    cpSync(at('run'), at('copy'), { recursive: true });
    rmSync(at('copy/checkpoints'), { recursive: true });
    const { code, err } = resumed('copy');
    expect(err).toMatch(/There is no checkpoint to go on from: the run begins anew/);
    expect(err).toMatch(/^step 1\/4/m);
    expect(code, err).toBe(0);
  });
});

test('runs/ that is a file is called one', () => {
  expect(nomoat(['runs']).out).toMatch(/^No runs in \S*runs\.\n$/);
  writeFileSync(at('runs'), '');
  const { code, err } = nomoat(['runs']);
  expect(err).toMatch(/runs: is no folder of runs that can be read \(ENOTDIR\)/);
  expect(code).toBe(2);
});
