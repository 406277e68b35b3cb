/** --json means JSON wherever it is taken: lists for programs, also with what cannot be read between the rest. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workspace } from './support.ts';

const patience = 60_000;
const { folder, nomoat } = workspace();
const objects = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('models', { timeout: patience }, () => {
  const [models, ...more] = objects(nomoat(['models', '--json']).out);
  expect(more).toEqual([]);
  expect(models).toMatchObject({
    type: 'models',
    toPull: expect.arrayContaining([expect.objectContaining({ name: 'smollm2-135m' })]),
  });
  expect(models!['local']).toContainEqual(expect.objectContaining({ name: 'nomoat-mini', source: 'packaged' }));
});

test('runs, a broken one among them', { timeout: patience }, () => {
  expect(nomoat(['runs', '--json']).out).toBe('');
  mkdirSync(join(folder, 'runs/broken'), { recursive: true });
  writeFileSync(join(folder, 'runs/broken/run.json'), '{');
  expect(objects(nomoat(['runs', '--json']).out)).toEqual([
    { type: 'run', name: 'broken', path: join(folder, 'runs/broken'), state: 'unreadable', fault: 'is no valid JSON' },
  ]);
});

test('what lies in a run names the run, and what is not there is not called a folder', { timeout: patience }, () => {
  for (const inside of ['runs/broken/run.json', 'runs/broken/adapter', 'runs/broken/checkpoints/000002'])
    expect(nomoat(['tune', '--resume', inside]).err).toMatch(
      /there is no such run|is no run .*Give the run that it lies in: \S*runs\/broken/,
    );
  expect(nomoat(['tune', '--resume', 'runs/broken/run.json']).err).toMatch(/Give the run that it lies in: \S*broken$/m);
  expect(nomoat(['tune', '--resume', 'nowhere']).err).toMatch(/nowhere: there is no such run\. `nomoat runs`/);
});
