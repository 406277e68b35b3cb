/**
 * In which arithmetic the frozen weights of a LoRA run are computed with. Promises: int8 is taken only where it was measured to be
 * close to float32 on this run's own rows; what was measured is said.
 */
import { packRows } from '../batches/pack.ts';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../files/gguf/types.ts';
import { projections } from '../lora/adapter.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import { probeKernels, weightLevels } from '../runtime/onnxruntime-node/probe.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import type { BaseWeights } from '../train/base-weights.ts';
import { calibrate } from '../train/calibrate.ts';
import type { PrecisionEvent } from './events.ts';
import type { RunSettings } from './run-settings.ts';

/**
 * Mean KL divergence (nats) of next-token distributions up to which the int8 base passes for the float32 one. Unsmoothed int8 of
 * SmolLM2 measures 0.06 and trains to a loss 3% worse, smoothed int8 0.01 to 0.02 and to the same loss (docs/log.md).
 */
export const divergenceBound = 0.04;
/** `auto` leaves smaller models in float32: they are quick anyway, and calibrating them takes longer than it saves. */
const fewWeights = 30e6;
/** `auto` wants int8 products to be at least this much faster, or the rest of the step eats the gain. */
const leastSpeedup = 1.5;
/** Tokens of training rows that the smoothing is fitted to: more made no difference on SmolLM2 (docs/log.md). */
const calibrationTokens = 320;

export interface ChosenPrecision {
  /** Null for float32. */
  readonly weights: BaseWeights | null;
  readonly event: PrecisionEvent;
}

export interface PrecisionOptions {
  readonly settings: Pick<RunSettings, 'precision' | 'device'>;
  readonly model: GgufFile;
  /** Training rows, at least one. */
  readonly rows: readonly TokenRow[];
  readonly threads: number;
}

/** Weights of all projections. */
function projectionWeights(model: GgufFile): number {
  const config = readModelConfig(model);
  return projections.reduce((sum, projection) => {
    const { inFeatures, outFeatures } = projectionDimensions(config, projection);
    return sum + inFeatures * outFeatures * config.layers;
  }, 0);
}

const float32 = (reason: string, measured: Partial<PrecisionEvent> = {}): ChosenPrecision => ({
  weights: null,
  event: { type: 'precision', precision: 'f32', reason, divergence: null, bound: divergenceBound, levels: null, speedup: null, ...measured }, // biome-ignore format: one line reads best
});

/** Probes, calibrates and decides. Throws NomoatError where int8 was asked for and is too far from float32. */
export async function choosePrecision({ settings, model, rows, threads }: PrecisionOptions): Promise<ChosenPrecision> {
  const auto = settings.precision === 'auto';
  if (settings.device === 'webgpu') return float32('as WebGPU computes');
  if (settings.precision === 'f32') return float32('as asked');
  if (auto && projectionWeights(model) < fewWeights) return float32('the model is small');
  const probe = await probeKernels(threads);
  const levels = weightLevels(probe);
  const speedup = probe.int8Rate / probe.float32Rate;
  const measured = { levels, speedup };
  if (auto && speedup < leastSpeedup) {
    return float32(`int8 products are only ${speedup.toFixed(1)} times as fast here`, measured);
  }
  const [batch] = packRows(firstRows(rows), { packing: true, microBatchSize: null, maxTokens: Number.POSITIVE_INFINITY, padToken: 0 }); // biome-ignore format: one line reads best
  const { weights, divergence } = await calibrate({ model, batch: batch!, threads, levels });
  if (divergence <= divergenceBound) {
    const reason = auto ? `its products are ${speedup.toFixed(1)} times as fast here` : 'as asked';
    return { weights, event: { type: 'precision', precision: 'int8', reason, divergence, bound: divergenceBound, ...measured } }; // biome-ignore format: one line reads best
  }
  if (auto) return float32('int8 is too far from it on this model', { ...measured, divergence });
  throw new NomoatError({
    part: '--precision int8',
    fault: `the int8 base diverges from the float32 base by ${divergence.toFixed(4)} nats on rows of this data, above the bound of ${divergenceBound}`,
    remedy: 'Use --precision f32, or auto.',
    fields: { divergence, bound: divergenceBound },
  });
}

/** The first rows of about `calibrationTokens`. */
function firstRows(rows: readonly TokenRow[]): TokenRow[] {
  const taken: TokenRow[] = [];
  let tokens = 0;
  for (const row of rows) {
    if (tokens >= calibrationTokens) break;
    taken.push(row);
    tokens += row.tokens.length;
  }
  return taken;
}
