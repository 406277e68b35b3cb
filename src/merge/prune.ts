/**
 * Which elements of an update are kept: by magnitude, by chance, or by both. Promises: repeatable by seed. Pure.
 * TIES: arXiv 2306.01708; DARE: 2311.03099; Model Breadcrumbs: 2312.06795; DELLA: 2406.11617.
 */
import type { Random } from '../batches/random.ts';
import { type Kept, magnitudeAt, noMost } from '../kernels/elements.ts';

export interface PruneOptions {
  /** Share of the elements that is kept, above 0 and up to 1. */
  readonly density: number;
  readonly random: Random;
}

/** What is kept of a tensor; the rest counts as zero. */
export type Prune = (values: Float32Array, options: PruneOptions) => Kept;

export const keepAll: Prune = () => ({ by: 'all' });

/** Without the `dropped` largest of |values|, the next `kept`; of equal ones the first. */
function band(values: Float32Array, dropped: number, kept: number): Kept {
  if (kept >= values.length) return { by: 'all' };
  if (kept === 0) return { by: 'magnitude', least: noMost, most: noMost, equal: 0 };
  const least = magnitudeAt(values, dropped + kept);
  if (dropped === 0) return { by: 'magnitude', least: least.bits, most: noMost, equal: kept - least.greater };
  const most = magnitudeAt(values, dropped);
  // What equals a bound is shared out, so that exactly as many are kept.
  const between = Math.max(0, least.greater - most.greater - most.equal);
  return { by: 'magnitude', least: least.bits, most: most.bits, equal: kept - between };
}

/** The largest |values|. */
export const byMagnitude: Prune = (values, { density }) => band(values, 0, Math.floor(density * values.length));

const chance = ({ density, random }: PruneOptions, spread: number): Kept =>
  density >= 1 ? { by: 'all' } : { by: 'chance', density, spread, key: [random.uint32(), random.uint32()] };

/** Any, each with the same chance, and the kept ones divided by it. */
export const byChance: Prune = (_, options) => chance(options, 0);

/** Share of the largest that Model Breadcrumbs takes for outliers, as in the paper's experiments. */
const outliers = 0.01;

/** Neither the largest nor the smallest. */
export const breadcrumbs: Prune = (values, { density }) => {
  const kept = Math.floor(density * values.length);
  return band(values, Math.min(values.length - kept, Math.floor(outliers * values.length)), kept);
};

/** Half the difference between the chances of a row's smallest and largest element; the paper tries up to 0.2 in all. */
const chanceSpread = 0.05;

/** By chance, larger ones of a row with a higher one (MagPrune), the kept ones divided by theirs. */
export const byRankedChance: Prune = (_, options) =>
  chance(options, Math.min(chanceSpread, options.density / 2, 1 - options.density));
