/** A small form of bench/evaluation-coverage.mjs: comparisons of known truth. */
import { expect, test } from 'vitest';
import { compareTwo, type Side } from './compare-two.ts';
import { metricOf } from './metrics/metric.ts';
import { meanInterval } from './statistics/mean-interval.ts';
import { bootstrapInterval, randomNumbers } from './statistics/resampling.ts';

const side = (scores: readonly number[]): Side => ({
  score: scores.reduce((sum, each) => sum + each, 0) / scores.length,
  scores,
  draws: [scores.map(() => '')],
  bySeed: null,
});

/** Two models that are equally often right, alike on half of the examples (or clusters of five). */
function simulated(count: number, isClustered: boolean) {
  const random = randomNumbers(11 + count);
  let [covered, better, worse] = [0, 0, 0];
  const comparisons = 500;
  for (let i = 0; i < comparisons; i++) {
    const right = 0.55 + 0.35 * random();
    const own = Array.from({ length: isClustered ? count / 5 : count }, () => [random(), random()]);
    const rows = Array.from({ length: count }, (_, row) => own[isClustered ? Math.floor(row / 5) : row]!);
    const drawn = rows.map(([a, b]) => (random() < 0.5 ? [a!, a!] : [a!, b!]));
    const sides = [0, 1].map((of) =>
      side(drawn.map((pair) => Number((isClustered && random() < 0.3 ? random() : pair[of]!) < right))),
    );
    const clusters = isClustered ? { clusters: rows.map((_, row) => String(Math.floor(row / 5))) } : {};
    const {
      difference,
      interval: [low, high],
      pValue,
    } = compareTwo(sides[0]!, sides[1]!, { metric: metricOf('exact'), expected: rows.map(() => ''), ...clusters });
    if (low <= 0 && 0 <= high) covered++;
    if (pValue < 0.05 && difference > 0) better++;
    if (pValue < 0.05 && difference < 0) worse++;
  }
  return { covered: covered / comparisons, better: better / comparisons, worse: worse / comparisons };
}

test.each([50, 200])(
  'of 500 simulated comparisons of %i examples 93 to 97 in 100 intervals hold the truth, and few call one better',
  (count) => {
    const { better, covered, worse } = simulated(count, false);
    expect(covered).toBeGreaterThan(0.93);
    // 500 comparisons are one in a hundred off by chance.
    expect(covered).toBeLessThan(0.98);
    expect(better).toBeLessThanOrEqual(0.05);
    expect(worse).toBeLessThanOrEqual(0.05);
  },
);

test('neither do clusters', () => {
  const { better, covered } = simulated(150, true);
  expect(covered).toBeGreaterThan(0.92);
  expect(better).toBeLessThanOrEqual(0.05);
}, 30_000);

test('skewed scores of few examples: the interval of their mean holds where a bootstrap by itself falls short', () => {
  const random = randomNumbers(4);
  const comparisons = 300;
  let [covered, byBootstrap] = [0, 0];
  for (let i = 0; i < comparisons; i++) {
    const differences = Array.from({ length: 20 }, () => (random() < 0.5 ? 0 : random() ** 2 - random() ** 2));
    const holds = ([low, high]: readonly [number, number]): number => Number(low <= 0 && 0 <= high);
    covered += holds(meanInterval(differences));
    byBootstrap += holds(bootstrapInterval(differences));
  }
  expect(covered / comparisons).toBeGreaterThan(0.93);
  expect(covered / comparisons).toBeLessThan(0.98);
  expect(byBootstrap / comparisons).toBeLessThan(0.92);
}, 30_000);

test('rare scores, all to one side, bend the interval as a bootstrap does', () => {
  const values = Array.from({ length: 50 }, (_, i) => (i < 4 ? 0.5 + i / 10 : 0));
  const [, high] = meanInterval(values);
  expect(high).toBe(bootstrapInterval(values)[1]);
  expect(
    meanInterval(
      values,
      values.map((_, i) => String(i)),
    )[1],
  ).toBeLessThan(high);
});
