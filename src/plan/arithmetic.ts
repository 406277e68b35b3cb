/**
 * In which arithmetic the frozen weights of a run are to be computed with, as far as that is known before they are read: from the settings,
 * the model's size and what this processor's kernels do. Pure. Whether int8 is close enough is seen when the weights are opened (run/open-weights.ts).
 */

import { type ModelConfig, projectionWeights } from '../models/config.ts';
import type { KernelProbe } from '../runtime/onnxruntime-node/probe.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { RunSettings } from '../settings/run-settings.ts';

/** `auto` leaves smaller models in float32: they are quick anyway, and quantizing them takes longer than it saves. */
const fewWeights = 30e6;
/** `auto` wants int8 products to be at least this much faster, or the rest of the step eats the gain. */
const minSpeedup = 1.5;

/** The arithmetic of the frozen weights, and why. */
export interface Arithmetic {
  /** Of their products; what is trained, norms and hidden states are float32 in either. */
  readonly precision: 'f32' | 'int8';
  /** Why, as the end of a sentence. */
  readonly reason: string;
  /** Whether float32 is taken instead where int8 turns out to be too far from it; where int8 was asked for, that is an error. */
  readonly fallsBack: boolean;
  /** What the processor's kernels do, where that counted. */
  readonly probe: KernelProbe | null;
}

/** Whether `auto` leaves the model in float32 for its size. */
export const isSmall = (config: ModelConfig): boolean => projectionWeights(config) < fewWeights;

export const speedupOf = ({ float32Rate, int8Rate }: KernelProbe): number => int8Rate / float32Rate;

/** Of the model and the processor, what the arithmetic depends on. */
export interface Seen {
  /** isSmall of the model's configuration. */
  readonly small: boolean;
  /** May be null only where none of this depends on it. */
  readonly probe: KernelProbe | null;
}

export function arithmeticOf(
  { device, method, precision }: Pick<RunSettings, 'precision' | 'device' | 'method'>,
  { probe, small }: Seen,
): Arithmetic {
  const float32 = (reason: string, seen: KernelProbe | null = null): Arithmetic => ({
    precision: 'f32',
    reason,
    fallsBack: false,
    probe: seen,
  });
  if (device === 'webgpu') return float32('as WebGPU computes');
  if (!trainsAdapter(method)) return float32('every weight is trained');
  if (precision === 'f32' || probe === null) return float32('as asked');
  if (precision === 'int8') return { precision: 'int8', reason: 'as asked', fallsBack: false, probe };
  if (small) return float32('the model is small');
  const times = `${speedupOf(probe).toFixed(1)} times as fast here`;
  return speedupOf(probe) < minSpeedup
    ? float32(`int8 products are only ${times}`, probe)
    : { precision: 'int8', reason: `its products are ${times}`, fallsBack: true, probe };
}

/** The same in float32 after all. */
export const inFloat32 = (arithmetic: Arithmetic, reason: string): Arithmetic => ({
  ...arithmetic,
  precision: 'f32',
  reason,
  fallsBack: false,
});
