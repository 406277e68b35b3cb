/** A run whose weights come apart: one sentence, a report and exit code 3, also when it is resumed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/events.ts';
import { fixtures, workspace } from './support.ts';

const patience = 120_000;
const { folder, nomoat } = workspace();
const data = join(fixtures, 'diverged-parity-null/u.jsonl');
/** Learning rates that no model survives. */
const usual = ['--learning-rate', '1', '--warmup-steps', '0', '--max-steps', '8', '--yes'];
const saved = (run: string): { state: string; verdict?: string } =>
  JSON.parse(readFileSync(join(folder, run, 'run.json'), 'utf8'));

describe('a run that diverges', { timeout: patience }, () => {
  test.each([
    ['lora', [], /the loss rose above .*numbers with the result are not finite/],
    ['full', ['--method', 'full'], /the last losses are [\d.]+, worse than a model that guesses/],
    [
      'full-validated',
      ['--method', 'full', '--validation', '0.2'],
      /the validation loss is [\d.]+, worse than a model that guesses/,
    ],
  ])('%s', (run, flags, sentence) => {
    const { code, err } = nomoat(['tune', data, ...usual, ...flags, '--run', run]);
    expect(err).toMatch(sentence);
    expect(err).toMatch(
      /The run diverged: .*checkpoint.*Start a new run with a lower --learning-rate \(it was 1\) and some --warmup/,
    );
    expect(err).not.toMatch(/TypeError|nomoat itself failed|^Next:|Done/m);
    expect(code).toBe(3);
    expect(saved(run)).toMatchObject({ state: 'diverged', verdict: expect.stringMatching(sentence) });
    expect(readFileSync(join(folder, run, 'report.html'), 'utf8')).toMatch(
      /This run diverged: it has no result.*The run diverged/s,
    );

    const begun = performance.now();
    const again = nomoat(['tune', '--resume', run]);
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(again.code).toBe(3);
    expect(again.err).toMatch(/this run diverged, and would again\. The run diverged: /);
    for (const args of [
      ['chat', run, '--prompt', 'hi'],
      ['export', run, '--to', 'gguf', '--out', `${run}.gguf`],
    ]) {
      const used = nomoat(args);
      expect([2, 3]).toContain(used.code);
      expect(used.err).not.toMatch(/ at |TypeError/);
    }
    expect(existsSync(join(folder, `${run}.gguf`))).toBe(false);
  });

  test('as events: every line is JSON, what is no number is null, and the end says so', () => {
    const { code, out } = nomoat(['tune', data, ...usual, '--run', 'json', '--json']);
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    expect(events.at(-1)).toMatchObject({ type: 'run-end', state: 'diverged', adapter: null });
    expect(events.filter((e) => e.type === 'export-parity').at(-1)).toMatchObject({
      meanDifference: null,
      passed: false,
    });
    expect(code).toBe(3);
  });

  test('a run that diverges after a good validation keeps its best step as the result', () => {
    const flags = [
      '--learning-rate',
      '1',
      '--warmup-steps',
      '20',
      '--max-steps',
      '30',
      '--checkpoint-every',
      '1',
      '--validation',
      '0.2',
      '--validate-every',
      '1',
      '--schedule',
      'constant',
      '--method',
      'full',
    ];
    const { code, err } = nomoat(['tune', data, ...flags, '--run', 'late', '--yes']);
    // By validation the result is that of its best step, which is good.
    expect(code).toBe(0);
    expect(err).toMatch(/the best: the result is of that step/);
  });
});
