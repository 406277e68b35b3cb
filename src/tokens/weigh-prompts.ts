/**
 * Prompts that are learnt a little: all tokens outside of answers get a weight. Promises: answers keep theirs. Pure.
 */
import { placeOf, type RecordSource } from '../text/example.ts';
import type { TokenRow } from './token-row.ts';

function weighed(row: TokenRow, weight: number): TokenRow {
  const { supervised, tokens, weights } = row;
  return {
    ...row,
    supervised: Uint8Array.from(tokens, (_, t) => Number(t > 0)),
    weights: Float32Array.from(tokens, (_, t) => (supervised[t] ? (weights?.[t] ?? 1) : weight)),
  };
}

/** The rows with their prompts weighed, but for those of `spared` records. */
export function weighPrompts(
  rows: readonly TokenRow[],
  weight: number,
  spared: readonly RecordSource[],
): readonly TokenRow[] {
  if (weight === 0) return rows;
  const places = new Set(spared.map(placeOf));
  return rows.map((row) => (places.has(placeOf(row.source)) ? row : weighed(row, weight)));
}
