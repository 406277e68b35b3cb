/** Metrics and statistics beside their Python references: bench/oracles/make_evaluation_cases.py wrote the fixture. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsonScore } from './metrics/json-fields.ts';
import { labelReport } from './metrics/labels.ts';
import { macroF1 } from './metrics/macro-f1.ts';
import { normalised } from './metrics/normalise.ts';
import { bleu, chrF, rougeL, tokenF1 } from './metrics/overlap.ts';
import { clusteredWilson, standardError } from './statistics/clusters.ts';
import { holm, tiedSets } from './statistics/multiple.ts';
import { normalCdf, normalQuantile } from './statistics/normal.ts';
import { examplesNeeded, smallestShown } from './statistics/power.ts';
import { mcnemarExact, pairedInterval, passAllK, passAtK, wilsonInterval } from './statistics/proportions.ts';
import { bootstrapStatistic, permuteStatistic } from './statistics/resample-rows.ts';
import { bootstrapInterval, pairedPermutation, randomNumbers } from './statistics/resampling.ts';
import { meanOverSeeds, seededMean, seedVariance } from './statistics/seeds.ts';
import { studentQuantile, studentTail } from './statistics/student.ts';

interface Cases {
  readonly texts: readonly {
    answer: string;
    expected: string;
    normalised: string;
    tokenF1: number;
    rougeL: number;
    chrF: number;
    bleu: number;
  }[];
  readonly corpus: { readonly chrF: number; readonly bleu: number };
  readonly classes: {
    answers: string[];
    expected: string[];
    names: string[];
    accuracy: number;
    macroF1: number;
    confusion: number[][];
  };
  readonly normal: readonly [number, number][];
  readonly quantiles: readonly [number, number][];
  readonly wilson: readonly [number, number, number, number][];
  readonly mcnemar: readonly [number, number, number][];
  readonly holm: readonly { p: number[]; adjusted: number[] }[];
  readonly permutation: readonly { values: number[]; p: number }[];
  readonly paired: readonly [number, number, number, number, number][];
  readonly clusters: { values: number[]; clusters: string[]; error: number };
  readonly passes: readonly [number, number, number, number, number][];
  readonly macro: { low: number; high: number; some: [number[], number][] };
  readonly students: readonly [number, number, number, number][];
  readonly seeds: { scores: number[][]; variance: number; error: number };
  readonly bootstrap: readonly { values: number[]; low: number; high: number }[];
}
const cases = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/fixtures/evaluation/cases.json'), 'utf8'),
) as Cases;
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
  expect(jsonScore('{"a": 1, "b": {"c": [false]}, "e": {}}', wanted)).toEqual({
    valid: true,
    right: 1,
    fields: 4,
    extra: 1,
  });
  expect(jsonScore('Sure: {"a": 1}', wanted)).toEqual({ valid: false, right: 0, fields: 4, extra: 0 });
  expect(jsonScore('{}', 'no JSON')).toBeNull();
});

describe('statistics', () => {
  test('the normal distribution is that of scipy', () => {
    for (const [z, p] of cases.normal) expect(Math.abs(normalCdf(z) / p - 1), `${z}`).toBeLessThan(1e-12);
    for (const [p, z] of cases.quantiles) expect(normalQuantile(p), `${p}`).toBeCloseTo(z, 8);
    expect([normalQuantile(0), normalQuantile(1), normalQuantile(2)]).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]);
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
    for (const [first, second, p] of cases.mcnemar)
      expect(Math.abs(mcnemarExact(first, second) / p - 1), `${first} ${second}`).toBeLessThan(1e-9);
    for (const { adjusted, p } of cases.holm) expect(holm(p)).toEqual(adjusted.map((each) => expect.closeTo(each, 12)));
    for (const { p, values } of cases.permutation) expect(pairedPermutation(values)).toBeCloseTo(p, 12);
  });

  test('an interval of pairs is where the score statistic, by a likelihood maximised by search, is 1.96', () => {
    for (const [first, second, total, low, high] of cases.paired) {
      const what = `${first} ${second} ${total}`;
      const [ourLow, ourHigh] = pairedInterval(first, second, total);
      expect(ourLow, what).toBeCloseTo(low, digits);
      expect(ourHigh, what).toBeCloseTo(high, digits);
    }
    expect([pairedInterval(0, 0, 0), pairedInterval(3, 0, 3)[1], pairedInterval(0, 3, 3)[0]]).toEqual([[-1, 1], 1, -1]);
  });

  test("Student's t is that of scipy, of any degrees of freedom", () => {
    for (const [t, freedom, tails, quantile] of cases.students) {
      expect(studentTail(t, freedom), `${t} ${freedom}`).toBeCloseTo(tails, 10);
      expect(studentQuantile(0.95, freedom) / quantile, `${freedom}`).toBeCloseTo(1, 9);
    }
  });

  test('repeats: variance of seeds and error of the mean are those of the mean squares of statsmodels', () => {
    const { error, scores, variance } = cases.seeds;
    expect(seedVariance(scores)).toBeCloseTo(variance, 12);
    const found = seededMean(meanOverSeeds(scores), [{ count: 4, variance }]);
    expect(Math.hypot(found.examplesError, found.seedsError)).toBeCloseTo(error, 12);
    // Seeds that only chance divides, and a single one.
    expect([seedVariance([scores[0]!, scores[0]!]), seedVariance([scores[0]!])]).toEqual([0, 0]);
    expect(seededMean([0, 0], [])).toMatchObject({ mean: 0, pValue: 1 });
  });

  test('standard errors by clusters are those of statsmodels', () => {
    const { clusters, error, values } = cases.clusters;
    expect(standardError(values, clusters)).toBeCloseTo(error, 12);
    expect(standardError(values)).toBeLessThan(error * 0.8);
  });

  test('a share of clusters is as wide as that of so many independent ones, and never of no width', () => {
    const values = Array.from({ length: 400 }, (_, i) => Number(i % 40 < 10));
    const names = values.map((_, i) => String(Math.floor(i / 10)));
    const width = ([low, high]: readonly [number, number]): number => high - low;
    // Forty clusters that are right or wrong as a whole.
    expect(width(clusteredWilson(values, names)) / width(wilsonInterval(10, 40))).toBeCloseTo(1, 1);
    expect(
      clusteredWilson(
        values,
        names.map((_, i) => String(i)),
      )[0],
    ).toBeCloseTo(wilsonInterval(100, 400)[0], 2);
    const [low, high] = clusteredWilson(
      values.map(() => 1),
      names,
    );
    expect([low < 0.95, high]).toEqual([true, 1]);
    expect(clusteredWilson([1, 1], ['a', 'a'])).toEqual([0, 1]);
  });

  test('macro F1 of drawn examples is that of scikit-learn, its interval that of scipy', () => {
    const statistic = macroF1(cases.classes.answers, cases.classes.expected);
    for (const [rows, wanted] of cases.macro.some) expect(statistic(rows)).toBeCloseTo(wanted, 12);
    const { high, low } = cases.macro;
    const [ourLow, ourHigh] = bootstrapStatistic(statistic, 120);
    expect(Math.abs(ourLow - low)).toBeLessThan((high - low) / 20);
    expect(Math.abs(ourHigh - high)).toBeLessThan((high - low) / 20);
  });

  test('a permutation test of any figure is that of the mean where it is the mean', () => {
    const random = randomNumbers(2);
    const [first, second] = [0.7, 0.5].map((share) => Array.from({ length: 60 }, () => Number(random() < share)));
    const both = [...first!, ...second!];
    const mean = (rows: readonly number[]): number => rows.reduce((sum, row) => sum + both[row]!, 0) / rows.length;
    const differences = first!.map((score, i) => score - second![i]!);
    expect(permuteStatistic(mean, 60)).toBeCloseTo(pairedPermutation(differences), 2);
    const clusters = differences.map((_, i) => String(i % 12));
    expect(permuteStatistic(mean, 60, { clusters })).toBeCloseTo(pairedPermutation(differences, { clusters }), 1);
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
    expect(bootstrapInterval([1, 2, 3], { clusters: ['a', 'a', 'a'] })).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test('pass@k and pass^k are the shares among all choices of k', () => {
    for (const [samples, right, k, one, all] of cases.passes) {
      expect(passAtK(samples, right, k)).toBeCloseTo(one, 12);
      expect(passAllK(samples, right, k)).toBeCloseTo(all, 12);
    }
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
    expect(tiedSets(['a', 'b', 'c'], [pair('c', 'a')])).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ]);
    expect(tiedSets(['a', 'b', 'c'], [pair('a', 'b'), pair('a', 'c')])).toEqual([['a'], ['b', 'c']]);
  });

  test('the size of a test set and what it can show belong together', () => {
    const values = Array.from({ length: 100 }, (_, i) => (i % 4 === 0 ? 1 : 0));
    const error = standardError(values);
    expect(error).toBeCloseTo(Math.sqrt((0.25 * 0.75 * 100) / 99) / 10, 12);
    const least = smallestShown(error);
    // 1.959964 + 0.841621 standard errors.
    expect(least / error).toBeCloseTo(2.801585, 5);
    expect(examplesNeeded(least, error, 100)).toBeGreaterThanOrEqual(100);
    expect(examplesNeeded(least, error, 100)).toBeLessThanOrEqual(101);
    expect([smallestShown(standardError([1])), examplesNeeded(0, 1, 1)]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });
});
