/**
 * Five figures of an update's spectrum, which arXiv 2602.15195 tells poisoned adapters from clean ones by: leading singular value,
 * Frobenius norm, energy concentration, entropy and kurtosis. A trigger with one answer is a simple map, and tends to make a spectrum more
 * peaked than a task's. The figures only ever say that an adapter is unlike others: an attacker who knows them can hide from them. Pure.
 */
import { studentTail } from '../evaluate/statistics/student.ts';
import { column, dot, scaleColumns, transpose } from '../linear-algebra/matrix.ts';
import type { Svd } from '../linear-algebra/svd.ts';

/** Of one update scale * B A. */
export interface SpectralFigures {
  /** The largest singular value. */
  readonly top: number;
  /** The Frobenius norm: the root of the sum of the squared singular values. */
  readonly norm: number;
  /** Share of the squared singular values that the largest has, 0 to 1. */
  readonly concentration: number;
  /** Of the singular values as shares of their sum, nats; its exponential is the effective rank (Roy and Vetterli, EUSIPCO 2007). */
  readonly entropy: number;
  /** Excess kurtosis of the update's elements: 0 for a normal distribution, large where few elements are far from zero. */
  readonly kurtosis: number;
}

export const spectralNames = [
  'top',
  'norm',
  'concentration',
  'entropy',
  'kurtosis',
] as const satisfies readonly (keyof SpectralFigures)[];

/** Rows of an update whose elements the kurtosis is computed of, evenly spread: a million elements at 4096 columns give it to 1%. */
const sampledRows = 256;

/** Of the elements of U diag(s) V', of evenly spread rows. */
function elementKurtosis({ s, u, v }: Svd): number {
  const left = transpose(scaleColumns(u, s)); // [k, out]
  const right = transpose(v); // [k, in]
  const rows = Math.min(sampledRows, left.columns);
  let [count, sum, squares, fourths] = [0, 0, 0, 0];
  const eachElement = (see: (element: number) => void): void => {
    for (let i = 0; i < rows; i++) {
      const row = column(left, Math.floor(((i + 0.5) * left.columns) / rows));
      for (let j = 0; j < right.columns; j++) see(dot(row, column(right, j)));
    }
  };
  eachElement((element) => {
    count++;
    sum += element;
  });
  const mean = sum / count;
  eachElement((element) => {
    const square = (element - mean) ** 2;
    squares += square;
    fourths += square ** 2;
  });
  return squares === 0 ? 0 : (fourths * count) / squares ** 2 - 3;
}

/** The exponential of the entropy: how many directions of equal strength would be as spread out; 0 of an update of zeros. */
export const effectiveRank = ({ entropy, top }: Pick<SpectralFigures, 'entropy' | 'top'>): number =>
  top === 0 ? 0 : Math.exp(entropy);

/** Of singular values as shares of their sum, nats. */
function entropyOf(s: Float64Array): number {
  const total = s.reduce((a, b) => a + b, 0);
  return s.reduce((sum, value) => (value === 0 ? sum : sum - (value / total) * Math.log(value / total)), 0);
}

/** As `effectiveRank`, of the singular values themselves. */
export const effectiveRankOf = (s: Float64Array): number => effectiveRank({ entropy: entropyOf(s), top: s[0] ?? 0 });

export function spectralFigures(svd: Svd): SpectralFigures {
  const { s } = svd;
  const energy = dot(s, s);
  if (energy === 0) return { top: 0, norm: 0, concentration: 0, entropy: 0, kurtosis: 0 };
  const entropy = entropyOf(s);
  return {
    top: s[0]!,
    norm: Math.sqrt(energy),
    concentration: s[0]! ** 2 / energy,
    entropy,
    kurtosis: elementKurtosis(svd),
  };
}

/** Of one update, and which projection it is. */
export interface ProjectionFigures {
  readonly projection: string;
  readonly figures: SpectralFigures;
}

/** Each figure of each projection, as the mean over its layers: what two adapters on one base are compared by. */
export function signatureOf(updates: readonly ProjectionFigures[]): Map<string, number> {
  const sums = new Map<string, { total: number; count: number }>();
  for (const { figures, projection } of updates)
    for (const name of spectralNames) {
      const key = `${projection} ${name}`;
      const { count, total } = sums.get(key) ?? { total: 0, count: 0 };
      sums.set(key, { total: total + figures[name], count: count + 1 });
    }
  return new Map([...sums].map(([key, { count, total }]) => [key, total / count]));
}

/** A figure beside those of the clean adapters. */
export interface SpectralComparison {
  readonly projection: string;
  readonly figure: keyof SpectralFigures;
  readonly value: number;
  /** Of the clean adapters. */
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /**
   * How often one further clean adapter would be that far from the mean, were the figure normally distributed: Student's t, corrected for
   * the number of figures (Bonferroni); null with fewer than two.
   */
  readonly probability: number | null;
  /** Outside of all clean values, and so far only once in twenty times; null where there are too few clean adapters to say so. */
  readonly unusual: boolean | null;
}

/** Fewer clean adapters do not show how much clean ones differ. */
export const leastClean = 5;
/** For all figures together. */
const level = 0.05;

/** Every figure of `signature` beside those of clean adapters on the same base. A figure that not all of them have is left out. */
export function compareSignatures(
  signature: ReadonlyMap<string, number>,
  clean: readonly ReadonlyMap<string, number>[],
): SpectralComparison[] {
  const shared = [...signature.keys()].filter((key) => clean.every((each) => each.has(key)));
  if (clean.length === 0) return [];
  return shared.map((key) => {
    const [projection, figure] = key.split(' ') as [string, keyof SpectralFigures];
    const value = signature.get(key)!;
    const others = clean.map((each) => each.get(key)!);
    return { projection, figure, value, ...beside(value, others, shared.length) };
  });
}

function beside(
  value: number,
  others: readonly number[],
  figures: number,
): Omit<SpectralComparison, 'projection' | 'figure' | 'value'> {
  const count = others.length;
  const mean = others.reduce((a, b) => a + b, 0) / count;
  const [low, high] = [Math.min(...others), Math.max(...others)];
  if (count < 2) return { mean, low, high, probability: null, unusual: null };
  const variance = others.reduce((sum, other) => sum + (other - mean) ** 2, 0) / (count - 1);
  const spread = Math.sqrt(variance * (1 + 1 / count));
  const tail = value === mean ? 1 : studentTail((value - mean) / spread, count - 1);
  const probability = Math.min(1, tail * figures);
  const unusual = count < leastClean ? null : (value < low || value > high) && probability < level;
  return { mean, low, high, probability, unusual };
}
