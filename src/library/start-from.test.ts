import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalHub } from '../../test/hub/local-hub.ts';
import { madeAdapter, miniPath, writtenAdapter } from '../../test/made-adapters.ts';
import type { NomoatError } from '../errors.ts';
import { tune } from '../library.ts';
import { digestOf } from '../store/file-digest.ts';
import { plan } from './plan.ts';
import { pushFrom } from './push.ts';
import { tuneFrom, tuneSettings } from './start-from.ts';

let home: string;
let hub: LocalHub;
let data: string;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'nomoat-from-'));
  hub = new LocalHub();
  await hub.listen();
  data = join(home, 'more.jsonl');
  writeFileSync(
    data,
    Array.from(
      { length: 8 },
      (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' })}\n`,
    ).join(''),
  );
});

afterEach(async () => {
  await hub.close();
  rmSync(home, { recursive: true, force: true });
});

const around = () => ({
  env: { HF_ENDPOINT: hub.endpoint, HF_TOKEN: 'hf_local', NOMOAT_HOME: join(home, 'own') },
  home,
  packagedModels: join(import.meta.dirname, '../../models'),
});
const failure = (promise: Promise<unknown>): Promise<NomoatError> =>
  promise.then(
    () => expect.fail('should have been refused'),
    (error: NomoatError) => error,
  );

test("from a repository: its recipe but for what was of its machine, its base by digest, options of one's own first", async () => {
  const adapter = writtenAdapter(join(home, 'made'), madeAdapter(1, 0.01));
  const base = { file: 'nomoat-mini.gguf', bytes: readFileSync(miniPath).length, sha256: await digestOf(miniPath) };
  writeFileSync(join(adapter, 'nomoat.json'), JSON.stringify({ base }));
  writeFileSync(
    join(adapter, 'recipe.yaml'),
    'learningRate: 0.0003\nepochs: 5\nmodel: /home/ada/model.gguf\nthreads: 64\nvalidation: /home/ada/valid.jsonl\n',
  );
  await pushFrom(adapter, { to: 'ada/poems', license: 'mit', baseModel: 'ada/mini', around: around() });
  const settings = await tuneSettings(
    [data],
    { epochs: 2, run: join(home, 'run') },
    { from: 'ada/poems', around: around() },
  );
  expect(settings).toMatchObject({
    learningRate: 0.0003,
    epochs: 2,
    modelPath: miniPath,
    threads: null,
    validation: null,
  });
  expect(settings.initialAdapter).toContain('models--ada--poems');
  const both = failure(tuneSettings([data], { initialAdapter: adapter }, { from: 'ada/poems', around: around() }));
  expect((await both).fault).toMatch(/both say what the run goes on from/);
  // A plan is of the same settings: what `from` is refused for there, it is here.
  const planned = await failure(plan({ data, from: adapter, initialAdapter: adapter }));
  expect(planned.fault).toMatch(/both say what the run goes on from/);
  rmSync(join(adapter, 'nomoat.json'));
  expect((await failure(tuneSettings([data], {}, { from: adapter, around: around() }))).code).toBe('base-not-found');
});

test("a run goes on from a run: shared without paths, and the child's verdict is against the parent", async () => {
  const given = {
    data,
    model: miniPath,
    maxSteps: 2,
    epochs: 2,
    threads: 1,
    rank: 2,
    learningRate: 1e-3,
    validation: 0.5,
    verdictShare: 0.5,
    safetyShare: 0,
  };
  const parent = join(home, 'parent');
  await tune({ ...given, run: parent }).result;
  await pushFrom(parent, {
    to: join(home, 'shared/ada/numbers'),
    license: 'mit',
    baseModel: 'ada/mini',
    around: around(),
  });
  const recipe = readFileSync(join(home, 'shared/ada/numbers/recipe.yaml'), 'utf8');
  expect(recipe).toMatch(/learningRate: 0.001/);
  expect(recipe).not.toContain(home);
  const child = tuneFrom(join(home, 'shared/ada/numbers'), {
    data,
    model: miniPath,
    threads: 1,
    run: join(home, 'child'),
  });
  const names: string[] = [];
  for await (const event of child) if (event.type === 'verdict') names.push(...event.scores.map(({ name }) => name));
  const { state } = await child.result;
  expect(state).toBe('done');
  expect(names).toContain('the adapter that it went on from, numbers');
});
