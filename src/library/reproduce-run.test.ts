/** A run repeated from its record: the same bytes, or by how much it differs; with other data not at all. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readPeft, writePeft } from '../adapter/peft.ts';
import { tune } from '../library.ts';
import { sharedRecipeDigest } from '../run/recipe.ts';
import { lineage } from './lineage.ts';
import { packBundle } from './pack-bundle.ts';
import { reproduceRun } from './reproduce-run.ts';

const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-reproduce-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]): string => join(folder, ...names);

it('gives the same bytes from the same, says what differs, and refuses other data', async () => {
  mkdirSync(at('data'));
  const rows = Array.from(
    { length: 12 },
    (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' })}\n`,
  );
  for (const name of ['train', 'valid']) writeFileSync(at('data', `${name}.jsonl`), rows.join(''));
  const made = { maxSteps: 2, rank: 2, learningRate: 0.01, threads: 1, safetyShare: 0 };
  await tune({ data: at('data'), model, run: at('run'), ...made }).result;
  const steps: string[] = [];
  const first = await reproduceRun(at('run'), { onEvent: ({ type }) => steps.push(type) });
  expect(first).toMatchObject({
    run: at('run-again'),
    identical: true,
    largestDifference: 0,
    loss: { difference: 0 },
    differences: [],
  });
  expect(steps).toContain('step-end');

  // The recipe that is passed on is the one that the lineage names, here and in a bundle: it has no path.
  await packBundle(at('run'), { license: 'mit', out: at('elsewhere/bundle') });
  const recipes = async (path: string) =>
    (await lineage(path, { verify: true })).checks!.filter(({ what }) => what === 'recipe');
  for (const path of [at('run'), at('elsewhere/bundle')])
    expect(await recipes(path)).toMatchObject([{ state: 'same', path: join(path, 'recipe.yaml') }]);
  expect(readFileSync(at('elsewhere/bundle/recipe.yaml'), 'utf8')).not.toContain(folder);
  const recipe = readFileSync(at('run/recipe.yaml'));
  appendFileSync(at('run/recipe.yaml'), 'epochs: 9\n');
  rmSync(at('elsewhere'), { recursive: true });
  rmSync(at('run-again'), { recursive: true });
  expect(await recipes(at('run'))).toMatchObject([{ state: 'other' }]);
  // A run of before an option came: neither its record nor what names its recipe knows of it.
  const older = recipe.toString().replace(/^sampleShare: .*\n/m, '');
  expect(older).not.toBe(recipe.toString());
  writeFileSync(at('run/recipe.yaml'), older);
  const named = at('run/adapter/nomoat.json');
  const told = readFileSync(named, 'utf8');
  const digest = sharedRecipeDigest(parse(older));
  writeFileSync(named, told.replace(/("recipe":\s*")\w{64}/, `$1${digest}`));
  expect(await recipes(at('run'))).toMatchObject([{ state: 'same', sha256: digest }]);
  writeFileSync(named, told);
  writeFileSync(at('run/recipe.yaml'), recipe);

  const adapter = readPeft(at('run/adapter'));
  adapter.pairs[0]!.a[0]! += 0.25;
  writePeft(at('run/adapter'), adapter, 2);
  const record = JSON.parse(readFileSync(at('run/run.json'), 'utf8'));
  writeFileSync(
    at('run/run.json'),
    JSON.stringify({
      ...record,
      nomoat: '0.0.1',
      validationAfter: record.validationAfter + 1,
      machine: { ...record.machine, cpu: 'Z80' },
    }),
  );
  const second = await reproduceRun(at('run'), { out: at('second') });
  expect([second.identical, second.largestDifference]).toEqual([false, expect.closeTo(0.25, 5)]);
  expect(second.loss!.difference).toBeCloseTo(-1, 6);
  expect(second.differences).toEqual([
    expect.stringMatching(/^nomoat was 0.0.1, and is /),
    expect.stringMatching(/^cpu was Z80, and is /),
  ]);

  appendFileSync(at('data/train.jsonl'), rows[0]!);
  await expect(reproduceRun(at('run'), { out: at('third') })).rejects.toThrow(
    /cannot be repeated: train.jsonl changed since the run/,
  );
}, 120_000);
