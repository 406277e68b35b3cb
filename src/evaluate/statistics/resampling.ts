/**
 * What differences of scores on the same examples come to, without a distribution that they would have to follow: bootstrap intervals and
 * permutation tests, by whole clusters where examples belong together. Promises: seeded, so that a report can be repeated. Pure.
 */
import { type Cluster, clustersOf } from './clusters.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { confidence, type Interval } from './proportions.ts';
import { sum } from './sums.ts';

/** Draws: the ends of a 95% interval are then within a fiftieth of its width of where they would end up. */
export const draws = 10_000;
/** Of up to this many clusters all 2^n signs are tried. */
const exactClusters = 14;

export interface ResamplingOptions {
  /** To which cluster (conversation, template, document) each value belongs; without, each is one by itself. */
  readonly clusters?: readonly string[];
  /** Default: 0. */
  readonly seed?: number;
  /** Default: 10,000. */
  readonly draws?: number;
}

/** Numbers from 0 to below 1, by SplitMix32: ten million are drawn for an interval, which Philox (batches/random.ts) takes ten times as long for. */
export function randomNumbers(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Of sorted values, as numpy's default interpolates. */
function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const [low, high] = [Math.floor(at), Math.ceil(at)];
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low);
}

/** Figures without each cluster in turn: how they are skewed bends the interval to that side. */
function acceleration(left: readonly number[]): number {
  const mean = sum(left) / left.length;
  const [squares, cubes] = [sum(left.map((x) => (mean - x) ** 2)), sum(left.map((x) => (mean - x) ** 3))];
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/**
 * Bias-corrected and accelerated interval at 95% (Efron 1987, https://doi.org/10.1080/01621459.1987.10478410) of a figure, from those of the draws
 * (sorted here) and those without each cluster in turn.
 */
export function bcaInterval(drawn: Float64Array, seen: number, left: readonly number[]): Interval {
  drawn.sort();
  // Those equal to what was seen count half: scores of 0 and 1 have many.
  const below = drawn.reduce((count, each) => count + (each < seen ? 1 : each === seen ? 0.5 : 0), 0);
  const bias = normalQuantile(Math.min(1 - 1 / drawn.length, Math.max(1 / drawn.length, below / drawn.length)));
  const bend = acceleration(left);
  const end = (share: number): number => {
    const z = bias + normalQuantile(share);
    return quantile(drawn, normalCdf(bias + z / (1 - bend * z)));
  };
  return [end((1 - confidence) / 2), end((1 + confidence) / 2)];
}

const withoutEach = (clusters: readonly Cluster[], total: Cluster): number[] =>
  clusters.map(({ size, sum }) => (total.sum - sum) / (total.size - size));

/**
 * Bias-corrected and accelerated bootstrap interval of the mean at 95%. Where all clusters are equal, or there is but one, the interval says
 * nothing of what was not seen: the mean twice, and all there is, respectively.
 */
export function bootstrapInterval(values: readonly number[], options: ResamplingOptions = {}): Interval {
  const clusters = clustersOf(values, options.clusters);
  const total = { sum: sum(values), size: values.length };
  if (clusters.length < 2) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const random = randomNumbers(options.seed ?? 0);
  const means = new Float64Array(options.draws ?? draws);
  for (let i = 0; i < means.length; i++) {
    let [sum, size] = [0, 0];
    for (let j = 0; j < clusters.length; j++) {
      const cluster = clusters[Math.floor(random() * clusters.length)]!;
      sum += cluster.sum;
      size += cluster.size;
    }
    means[i] = sum / size;
  }
  return bcaInterval(means, total.sum / total.size, withoutEach(clusters, total));
}

/**
 * Paired permutation test, two-sided: the probability, if first and second could as well be exchanged in each example (or cluster of them), that
 * their mean difference is as large or larger. All exchanges where there are few clusters, else seeded draws, the one that was seen among them.
 */
export function pairedPermutation(differences: readonly number[], options: ResamplingOptions = {}): number {
  const sums = clustersOf(differences, options.clusters)
    .map(({ sum }) => sum)
    .filter((sum) => sum !== 0);
  const seen = Math.abs(sum(sums));
  // Sums of the same terms in another order differ in the last bits.
  const enough = seen * (1 - 1e-12);
  if (sums.length <= exactClusters) {
    const all = 2 ** sums.length;
    let count = 0;
    for (let signs = 0; signs < all; signs++)
      if (Math.abs(sums.reduce((sum, each, i) => sum + ((signs >> i) & 1 ? -each : each), 0)) >= enough) count++;
    return count / all;
  }
  const random = randomNumbers(options.seed ?? 0);
  const most = options.draws ?? draws;
  let count = 1;
  for (let i = 0; i < most; i++) {
    let sum = 0;
    for (const each of sums) sum += random() < 0.5 ? -each : each;
    if (Math.abs(sum) >= enough) count++;
  }
  return count / (most + 1);
}
