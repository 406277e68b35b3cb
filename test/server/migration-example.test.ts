/** The scripts of examples/openai-migration run against a real server, unchanged but for the address in their environment. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importOpenAI } from '../../src/library/import-openai.ts';
import { repo } from '../cases/support.ts';
import { folder, reference, served } from './support.ts';

const example = join(repo, 'examples/openai-migration');
/** Where it has the openai package of PyPI, which no test wants. */
const { NOMOAT_PYTHON: python } = process.env;
const hasClient = python !== undefined && spawnSync(python, ['-c', 'import openai']).status === 0;
const programs: readonly (readonly [string, string])[] = [
  [process.execPath, 'tune.mjs'],
  ...(hasClient ? [[python, 'tune.py'] as const] : []),
];

/** Without blocking: the server answers in this process. */
const ended = (program: string, script: string, url: string): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: 'none' };
    execFile(program, [join(example, script)], { env }, (error, out, err) =>
      resolve({ code: error ? 1 : 0, out, err }),
    );
  });

test.each(programs)(
  '%s %s tunes, takes the best checkpoint and asks it',
  { timeout: 180_000 },
  async (program, script) => {
    const runs = join(folder, script);
    const { url } = await served(
      { runs, models: [join(reference, '..')], map: ['gpt-4o-mini=base'] },
      { listMilliseconds: 0 },
    );
    const { code, err, out } = await ended(program, script, url);
    expect(code, err).toBe(0);
    expect(out).toMatch(/^ {2}info: Step \d+\/\d+: training loss=\d/m);
    const losses = [...out.matchAll(/^step (\d+): valid_loss ([\d.]+)$/gm)].map(([, step, loss]) => ({
      step,
      loss: Number(loss),
    }));
    expect(losses).toHaveLength(3);
    const [lowest] = [...losses].sort((a, b) => a.loss - b.loss);
    const [, step] = /^best: ft:base:nomoat:intents:\w+:ckpt-step-(\d+)$/m.exec(out)!;
    expect(step).toBe(lowest!.step);
    expect(out).toMatch(/^results: step,train_loss,/m);
    expect(out).toMatch(/^answer: /m);
    const run = join(runs, readdirSync(runs).find((name) => name.startsWith('intents-'))!);
    const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as {
      settings: { epochs: number; seed: number };
    };
    expect(record.settings).toMatchObject({ epochs: 3, seed: 42 });
    expect(existsSync(join(run, 'adapter/adapter.gguf'))).toBe(true);
  },
);

test('its data sets are what import-openai takes, too', async () => {
  const found = await importOpenAI(example);
  expect(found.map(({ faultCount, kind }) => [kind, faultCount])).toEqual([
    ['data-set', 0],
    ['data-set', 0],
  ]);
});
