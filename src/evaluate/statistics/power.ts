/** What a test of so many examples can show, and how many a difference would need. Normal approximations: a guide for the size of a test set. Pure. */
import { normalQuantile } from './normal.ts';
import { confidence } from './proportions.ts';

/** Probability with which a difference that is there is to be shown; the field's custom. */
const power = 0.8;

/** Standard errors between no difference and one that is shown with that power. */
const separation = (): number => normalQuantile((1 + confidence) / 2) + normalQuantile(power);

/** The smallest mean difference that `count` differences of this standard deviation would have shown, four times in five. */
export const smallestShown = (deviation: number, count: number): number =>
  count === 0 ? Number.POSITIVE_INFINITY : (separation() * deviation) / Math.sqrt(count);

/** How many examples a mean difference of this size would need to be shown, four times in five. */
export function examplesNeeded(difference: number, deviation: number): number {
  if (difference === 0) return Number.POSITIVE_INFINITY;
  return Math.ceil(((separation() * deviation) / difference) ** 2);
}

/** Standard deviation of values, with n - 1. */
export function deviationOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
