/** Metrics and statistics beside their Python references: bench/oracles/make_evaluation_cases.py wrote the fixture. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsonScore } from './metrics/json-fields.ts';
import { labelReport } from './metrics/labels.ts';
import { normalised } from './metrics/normalise.ts';
import { bleu, chrF, rougeL, tokenF1 } from './metrics/overlap.ts';
import { holm, tiedSets } from './statistics/multiple.ts';
import { normalCdf, normalQuantile } from './statistics/normal.ts';
import { deviationOf, examplesNeeded, smallestShown } from './statistics/power.ts';
import { mcnemarExact, passAllK, passAtK, wilsonInterval } from './statistics/proportions.ts';
import { bootstrapInterval, pairedPermutation, randomNumbers } from './statistics/resampling.ts';

interface Cases {
  readonly texts: readonly { answer: string; expected: string; normalised: string; tokenF1: number; rougeL: number; chrF: number; bleu: number }[]; // biome-ignore format: one line
  readonly corpus: { readonly chrF: number; readonly bleu: number };
  readonly classes: { answers: string[]; expected: string[]; names: string[]; accuracy: number; macroF1: number; confusion: number[][] }; // biome-ignore format: one line
  readonly normal: readonly [number, number][];
  readonly quantiles: readonly [number, number][];
  readonly wilson: readonly [number, number, number, number][];
  readonly mcnemar: readonly [number, number, number][];
  readonly holm: readonly { p: number[]; adjusted: number[] }[];
  readonly permutation: readonly { values: number[]; p: number }[];
  readonly bootstrap: readonly { values: number[]; low: number; high: number }[];
}
const cases = JSON.parse(readFileSync(join(import.meta.dirname, '../../test/fixtures/evaluation/cases.json'), 'utf8')) as Cases; // biome-ignore format: one line
const digits = 6;

test('metrics of 200 answers are those of the references', () => {
  expect(cases.texts).toHaveLength(200);
  for (const { answer, expected, ...wanted } of cases.texts) {
    const what = JSON.stringify([answer, expected]);
    expect(normalised(answer), what).toBe(wanted.normalised);
    expect(tokenF1(answer, expected), what).toBeCloseTo(wanted.tokenF1, digits);
    expect(rougeL(answer, expected), what).toBeCloseTo(wanted.rougeL, digits);
    expect(chrF([[answer, expected]]), what).toBeCloseTo(wanted.chrF, digits);
    expect(bleu([[answer, expected]], { effectiveOrder: true }), what).toBeCloseTo(wanted.bleu, digits);
  }
  const pairs = cases.texts.map(({ answer, expected }) => [answer, expected] as const);
  expect(chrF(pairs)).toBeCloseTo(cases.corpus.chrF, digits);
  expect(bleu(pairs)).toBeCloseTo(cases.corpus.bleu, digits);
});

test('labels: accuracy, macro F1 and confusion are those of scikit-learn', () => {
  const { accuracy, answers, confusion, expected, macroF1, names } = cases.classes;
  const report = labelReport(answers, expected);
  expect(report.labels.map(({ label }) => label)).toEqual(names);
  expect(report.confusion).toEqual(confusion);
  expect(report.accuracy).toBeCloseTo(accuracy, 12);
  expect(report.macroF1).toBeCloseTo(macroF1, 12);
});

test('JSON is scored by its fields', () => {
  const wanted = '{"a": 1, "b": {"c": [true, null]}, "d": "x"}';
  expect(jsonScore(wanted, wanted)).toEqual({ valid: true, right: 4, fields: 4, extra: 0 });
  expect(jsonScore('{"a": 1, "b": {"c": [false]}, "e": {}}', wanted)).toEqual({ valid: true, right: 1, fields: 4, extra: 1 }); // biome-ignore format: one line
  expect(jsonScore('Sure: {"a": 1}', wanted)).toEqual({ valid: false, right: 0, fields: 4, extra: 0 });
  expect(jsonScore('{}', 'no JSON')).toBeNull();
});

describe('statistics', () => {
  test('the normal distribution is that of scipy', () => {
    for (const [z, p] of cases.normal) expect(Math.abs(normalCdf(z) / p - 1), `${z}`).toBeLessThan(1e-12);
    for (const [p, z] of cases.quantiles) expect(normalQuantile(p), `${p}`).toBeCloseTo(z, 8);
    expect([normalQuantile(0), normalQuantile(1), normalQuantile(2)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN]); // biome-ignore format: one line
  });

  test('intervals, tests and corrections are those of statsmodels and scipy', () => {
    for (const [right, total, low, high] of cases.wilson) {
      const [ourLow, ourHigh] = wilsonInterval(right, total);
      expect(
        [ourLow - low, ourHigh - high].every((each) => Math.abs(each) < 1e-9),
        `${right}/${total}`,
      ).toBe(true);
    }
    // R: binom::binom.confint(0, 10, methods = "wilson"), and nothing known of nothing.
    expect(wilsonInterval(0, 10)[1]).toBeCloseTo(0.2775328, 6);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
    for (const [first, second, p] of cases.mcnemar) expect(Math.abs(mcnemarExact(first, second) / p - 1), `${first} ${second}`).toBeLessThan(1e-9); // biome-ignore format: one line
    for (const { adjusted, p } of cases.holm) expect(holm(p)).toEqual(adjusted.map((each) => expect.closeTo(each, 12)));
    for (const { p, values } of cases.permutation) expect(pairedPermutation(values)).toBeCloseTo(p, 12);
  });

  test('a permutation test of many draws is near the exact one', () => {
    const values = Array.from({ length: 30 }, (_, i) => (i < 20 ? 1 : -1));
    // P(|S| >= 10) of 30 fair signs.
    expect(pairedPermutation(values)).toBeCloseTo(mcnemarExact(20, 10), 2);
    expect(pairedPermutation(values, { seed: 1 })).not.toBe(pairedPermutation(values));
    expect(pairedPermutation(values, { seed: 1 })).toBe(pairedPermutation(values, { seed: 1 }));
    expect(pairedPermutation([0, 0, 0])).toBe(1);
  });

  test('bootstrap intervals are those of scipy, within a twentieth of their width', () => {
    for (const { high, low, values } of cases.bootstrap) {
      const [ourLow, ourHigh] = bootstrapInterval(values);
      const room = (high - low) / 20;
      expect(Math.abs(ourLow - low), JSON.stringify([ourLow, low, ourHigh, high])).toBeLessThan(room);
      expect(Math.abs(ourHigh - high), JSON.stringify([ourLow, low, ourHigh, high])).toBeLessThan(room);
    }
  });

  test('examples that belong together count as one', () => {
    const random = randomNumbers(3);
    const perCluster = Array.from({ length: 20 }, () => random() - 0.4);
    const values = perCluster.flatMap((value) => new Array<number>(10).fill(value));
    const clusters = values.map((_, i) => String(Math.floor(i / 10)));
    const width = ([low, high]: readonly [number, number]): number => high - low;
    expect(width(bootstrapInterval(values, { clusters })) / width(bootstrapInterval(perCluster))).toBeCloseTo(1, 1);
    expect(width(bootstrapInterval(values))).toBeLessThan(width(bootstrapInterval(values, { clusters })) / 2);
    expect(pairedPermutation(values, { clusters })).toBeGreaterThan(pairedPermutation(values) * 2);
    expect(bootstrapInterval([1, 2, 3], { clusters: ['a', 'a', 'a'] })).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]); // biome-ignore format: one line
  });

  test('pass@k and pass^k are the shares among all choices of k', () => {
    expect(passAtK(5, 2, 1)).toBeCloseTo(0.4, 12);
    expect(passAtK(5, 2, 2)).toBeCloseTo(1 - 3 / 10, 12);
    expect(passAtK(5, 4, 2)).toBe(1);
    expect(passAllK(5, 2, 1)).toBeCloseTo(0.4, 12);
    expect(passAllK(5, 3, 2)).toBeCloseTo(3 / 10, 12);
    expect(passAllK(5, 1, 2)).toBe(0);
  });

  test('those tie of which no two were shown to differ', () => {
    const pair = (first: string, second: string) => ({ first, second, differ: true });
    expect(tiedSets(['a', 'b', 'c'], [])).toEqual([['a', 'b', 'c']]);
    expect(tiedSets(['a', 'b', 'c'], [pair('c', 'a')])).toEqual([['a', 'b'], ['b', 'c']]); // biome-ignore format: one line
    expect(tiedSets(['a', 'b', 'c'], [pair('a', 'b'), pair('a', 'c')])).toEqual([['a'], ['b', 'c']]);
  });

  test('the size of a test set and what it can show belong together', () => {
    const values = Array.from({ length: 100 }, (_, i) => (i % 4 === 0 ? 1 : 0));
    const deviation = deviationOf(values);
    expect(deviation).toBeCloseTo(Math.sqrt((0.25 * 0.75 * 100) / 99), 12);
    const least = smallestShown(deviation, 100);
    // 1.959964 + 0.841621 standard errors.
    expect(least / (deviation / 10)).toBeCloseTo(2.801585, 5);
    expect(examplesNeeded(least, deviation)).toBeGreaterThanOrEqual(100);
    expect(examplesNeeded(least, deviation)).toBeLessThanOrEqual(101);
    expect([smallestShown(1, 0), examplesNeeded(0, 1)]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });
});

test('of 300 simulated comparisons 93 to 97 in 100 intervals hold the truth, and at most 5 in 100 show a difference that is not there', () => {
  const random = randomNumbers(11);
  let [covered, shown] = [0, 0];
  const count = 300;
  for (let i = 0; i < count; i++) {
    // Two models that are equally often right, and on a fifth of the examples only one of them is.
    const differences = Array.from({ length: 100 }, () => (random() < 0.2 ? (random() < 0.5 ? 1 : -1) : 0));
    const [low, high] = bootstrapInterval(differences, { draws: 2000, seed: i });
    if (low <= 0 && 0 <= high) covered++;
    const [first, second] = [1, -1].map((sign) => differences.filter((each) => each === sign).length);
    if (mcnemarExact(first!, second!) < 0.05) shown++;
  }
  expect(covered / count).toBeGreaterThan(0.92);
  expect(covered / count).toBeLessThan(0.98);
  expect(shown / count).toBeLessThanOrEqual(0.06);
});
