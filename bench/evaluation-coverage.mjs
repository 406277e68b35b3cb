/**
 * Whether the statistics of `nomoat eval` hold what they promise: simulated comparisons of known truth. Of 95% intervals 93 to 97 in 100 are to hold it, and
 * "better" is to be said in at most 5 of 100 where nothing differs.
 * Usage: node bench/evaluation-coverage.mjs [--comparisons 1000] [--sizes 50,200,1000] [--seed 1] [--kinds 'scores,seeds']    (after npm run build)
 * Right or wrong: two models, each right on 50 to 95 in 100 and alike on a third to two thirds of the examples. Scores: skewed ones from 0 to 1.
 * Rare scores: the two differ on one example in ten, by skewed scores.
 * Clusters: right or wrong, of five examples each that are mostly alike. Seeds: three repeats, each as good as chance made it; macro seeds: the
 * same of four labels, by macro F1.
 * In half of the comparisons nothing differs; the other half differs by up to ten points.
 */
import { parseArgs } from 'node:util';
import { compareTwo } from '../dist/evaluate/compare-two.js';
import { metricOf } from '../dist/evaluate/metrics/metric.js';
import { pseudoValues } from '../dist/evaluate/statistics/resample-rows.js';
import { meanOverSeeds } from '../dist/evaluate/statistics/seeds.js';
import { normalQuantile } from '../dist/evaluate/statistics/normal.js';
import { randomNumbers } from '../dist/evaluate/statistics/resampling.js';

const { values } = parseArgs({
  options: {
    comparisons: { type: 'string', default: '1000' },
    sizes: { type: 'string', default: '50,200,1000' },
    seed: { type: 'string', default: '1' },
    kinds: { type: 'string', default: 'right or wrong,scores,rare scores,clusters,seeds,macro seeds' },
  },
});
const random = randomNumbers(Number(values.seed));
const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const side = (scores, bySeed = null) => ({ score: mean(scores), scores, draws: [scores.map(() => '')], bySeed });
/** The true effect of a comparison: none, or up to ten points. */
const effect = () => (random() < 0.5 ? 0 : (random() - 0.5) / 5);
/** One number for both models where they are alike on an example, else one each. */
const shared = (alike) => {
  const first = random();
  return [first, random() < alike ? first : random()];
};

const kinds = {
  'right or wrong': (count) => {
    const [difference, better, alike] = [effect(), 0.55 + 0.35 * random(), 1 / 3 + random() / 3];
    const drawn = Array.from({ length: count }, () => shared(alike));
    const sides = [better + difference / 2, better - difference / 2].map((right, i) => side(drawn.map((pair) => Number(pair[i] < right))));
    return { difference, sides, metric: 'exact' };
  },
  scores: (count) => {
    const difference = effect();
    const drawn = Array.from({ length: count }, () => shared(0.5).map((each) => each ** 2));
    // Moved towards 1 or 0 in a share of the examples: the mean of squares of even numbers is a third.
    const share = Math.abs(difference) / (difference > 0 ? 2 / 3 : 1 / 3);
    const moved = drawn.map(([first]) => (random() < share ? Number(difference > 0) : first));
    return { difference, sides: [side(moved), side(drawn.map(([, second]) => second))], metric: 'rouge-l' };
  },
  'rare scores': (count) => {
    const isOneSided = random() < 0.5;
    const drawn = Array.from({ length: count }, () => (random() < 0.1 ? [random() ** 2, isOneSided ? 0 : random() ** 2] : [0, 0]));
    return { difference: isOneSided ? 0.1 / 3 : 0, sides: [0, 1].map((i) => side(drawn.map((pair) => pair[i]))), metric: 'rouge-l' };
  },
  clusters: (count) => {
    const [difference, right] = [effect(), 0.55 + 0.35 * random()];
    const clusters = Array.from({ length: count }, (_, i) => String(Math.floor(i / 5)));
    const own = clusters.map(() => [random(), random()]);
    const sides = [right + difference / 2, right - difference / 2].map((share, i) =>
      side(clusters.map((name) => Number((random() < 0.7 ? own[Number(name)][i] : random()) < share))),
    );
    return { difference, sides, metric: 'exact', clusters };
  },
  seeds: (count) => {
    const [difference, right] = [effect(), 0.55 + 0.3 * random()];
    const hard = Array.from({ length: count }, () => random());
    const answered = (share) => hard.map((each) => Number((random() < 0.5 ? each : random()) < share));
    const noise = () => 0.03 * normalQuantile(random());
    const repeats = Array.from({ length: 3 }, () => answered(right + difference + noise()));
    return { difference, sides: [side(meanOverSeeds(repeats), repeats), side(answered(right))], metric: 'exact' };
  },
  'macro seeds': (count) => {
    const [difference, right] = [effect(), 0.55 + 0.3 * random()];
    const expected = Array.from({ length: count }, () => Math.floor(4 * random()));
    const hard = Array.from({ length: count }, () => random());
    // Wrong answers are any other label: then macro F1 of many examples is their share of right ones.
    const answered = (share) => expected.map((label, i) => String((random() < 0.5 ? hard[i] : random()) < share ? label : (label + 1 + Math.floor(3 * random())) % 4));
    const macro = metricOf('macro-f1');
    const statistic = (answers) => macro.together(answers, expected.map(String));
    const figure = (answers) => statistic(answers)([...answers.keys()]);
    const repeats = Array.from({ length: 3 }, () => answered(right + difference + 0.03 * normalQuantile(random())));
    const other = answered(right);
    const scores = Array(count).fill(0);
    const tuned = { score: mean(repeats.map(figure)), scores, draws: [repeats[0]], bySeed: repeats.map((answers) => pseudoValues(statistic(answers), count)) };
    return { difference, sides: [tuned, { score: figure(other), scores, draws: [other], bySeed: null }], metric: 'macro-f1', expected: expected.map(String) };
  },
};

const percent = (count, of) => (of === 0 ? '-' : ((100 * count) / of).toFixed(1));
console.log('| what | examples | intervals that hold the truth | "better" where nothing differs | "worse" | differences found |');
console.log('|---|---|---|---|---|---|');
for (const name of values.kinds.split(',')) {
  const simulate = kinds[name];
  for (const count of values.sizes.split(',').map(Number)) {
    let [covered, same, better, worse, differing, found] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < Number(values.comparisons); i++) {
      const { clusters, difference, metric, sides, expected = sides[0].scores.map(() => '') } = simulate(count);
      const { interval: [low, high], pValue, difference: seen } = compareTwo(sides[0], sides[1], { metric: metricOf(metric), expected, ...(clusters ? { clusters } : {}) });
      if (low <= difference + 1e-12 && difference - 1e-12 <= high) covered++;
      if (difference === 0) {
        same++;
        if (pValue < 0.05) seen > 0 ? better++ : worse++;
      } else {
        differing++;
        if (pValue < 0.05) found++;
      }
    }
    console.log(`| ${name} | ${count} | ${percent(covered, Number(values.comparisons))} | ${percent(better, same)} | ${percent(worse, same)} | ${percent(found, differing)} |`);
  }
}
