/** How much an adapter changes each weight, in short: what a look at every layer takes about a second for on a small model. */
import { sumOfSquares } from '../adapter/low-rank.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { LoraAdapter, Projection } from '../lora/adapter.ts';
import { readModelConfig } from '../models/config.ts';
import { readProjection } from '../models/weights.ts';
import { effectiveRankOf } from './spectral.ts';
import { factorsOf, svdOf } from './update.ts';

/** What the adapter adds to one weight. */
export interface UpdateNorm {
  readonly layer: number;
  readonly projection: Projection;
  /** Frobenius norm of the update over that of the weight. */
  readonly relative: number;
  /** How many directions of equal strength would be as spread out, 0 to the rank. */
  readonly effectiveRank: number;
}

const norm = (values: Float32Array | Float64Array): number => Math.sqrt(sumOfSquares(values));

/** One for each adapted weight. Reads every one of them. */
export function updateNorms(adapter: LoraAdapter, model: GgufFile): UpdateNorm[] {
  const config = readModelConfig(model);
  return adapter.pairs.map((pair) => {
    const { layer, projection } = pair;
    const { s } = svdOf(factorsOf(adapter, pair));
    const weight = norm(readProjection(model, config, { layer, projection }));
    return { layer, projection, relative: weight === 0 ? 0 : norm(s) / weight, effectiveRank: effectiveRankOf(s) };
  });
}
