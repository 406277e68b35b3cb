/** Several runs as figures: what they have in common, and how far they are apart. Pure. */

/** Of values of several runs. */
export interface Spread {
  readonly runs: number;
  readonly mean: number;
  /** Of a sample; null of a single one. */
  readonly deviation: number | null;
  readonly least: number;
  readonly most: number;
}

/** null without values. */
export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  const runs = known.length;
  if (runs === 0) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / runs;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    runs,
    mean,
    deviation: runs > 1 ? Math.sqrt(squares / (runs - 1)) : null,
    least: Math.min(...known),
    most: Math.max(...known),
  };
}
