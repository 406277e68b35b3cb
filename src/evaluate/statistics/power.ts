/** What a test of so many examples can show, and how many a difference would need. Normal approximations: a guide for the size of a test set. Pure. */
import { normalQuantile } from './normal.ts';
import { confidence } from './proportions.ts';

/** Probability with which a difference that is there is to be shown; the field's custom. */
const power = 0.8;

/** Standard errors between no difference and one that is shown with that power. */
const separation = (): number => normalQuantile((1 + confidence) / 2) + normalQuantile(power);

/** The smallest mean difference that differences of this standard error would have shown, four times in five. */
export const smallestShown = (standardError: number): number => separation() * standardError;

/** How many examples of the same kind a mean difference of this size would need to be shown, four times in five; so many had this standard error. */
export function examplesNeeded(difference: number, standardError: number, count: number): number {
  if (difference === 0) return Number.POSITIVE_INFINITY;
  return Math.ceil(count * (smallestShown(standardError) / difference) ** 2);
}
