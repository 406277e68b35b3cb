import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { runRecord, runSettings } from '../../test/made-runs.ts';
import type { ListedRun } from '../run/run-folder.ts';
import { otherRuns } from './other-runs.ts';

const at = (...names: string[]): string => resolve('runs', ...names);
const run = (name: string, more: Partial<ListedRun> = {}): ListedRun => ({
  name,
  path: at(name),
  state: 'done',
  record: { ...runRecord(runSettings()), modelDigest: 'base' },
  fault: null,
  ...more,
});
const runs = ['a', 'ab', '..c'].map((name) => run(name));

test('only the run itself is left out, not one whose name begins alike', () => {
  const others = (path: string): string[] => otherRuns(runs, { modelDigest: 'base', path });
  expect(others(at('ab'))).toEqual([at('a'), at('..c')]);
  expect(others(join(at('ab'), 'checkpoints', '000010'))).toEqual([at('a'), at('..c')]);
  expect(others(at('a', 'adapter'))).toEqual([at('ab'), at('..c')]);
  expect(others(resolve('elsewhere', 'adapter'))).toHaveLength(3);
});

test('runs on other bases, without an end or without an adapter are none to compare with', () => {
  const full = { ...runRecord(runSettings({ method: 'full' })), modelDigest: 'base' };
  const odd = [
    run('other-base', { record: { ...full, modelDigest: 'other' } }),
    run('going', { state: 'running' }),
    run('damaged', { state: 'unreadable', record: null }),
    run('full', { record: full }),
    run('early', { state: 'stopped-early' }),
  ];
  expect(otherRuns(odd, { modelDigest: 'base', path: at('a') })).toEqual([at('early')]);
});
