/**
 * In which arithmetic the frozen weights of a LoRA run are computed with. Promises: int8 is taken only where it was measured to be
 * close to float32 on this run's own rows; what was measured is said.
 */
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { NomoatError } from '../errors.ts';
import type { PrecisionEvent } from '../events.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { projectionWeights, readModelConfig } from '../models/config.ts';
import { type KernelProbe, probeKernels, weightLevels } from '../runtime/onnxruntime-node/probe.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { assertGoesOn } from '../stop.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { type BaseWeights, diskStore, fileWeights } from '../train/base-weights.ts';
import { quantiseModel } from '../train/int8-model.ts';
import { comparedTokens } from './costs.ts';

/**
 * Mean KL divergence (nats) of next-token distributions up to which the int8 base passes for the float32 one. On
 * SmolLM2 it measures 0.0065 and trains to the same loss; with 0.015, as it once was, to one 3.6% worse (docs/log.md).
 */
export const divergenceBound = 0.02;
/** `auto` leaves smaller models in float32: they are quick anyway, and quantising them takes longer than it saves. */
const fewWeights = 30e6;
/** `auto` wants int8 products to be at least this much faster, or the rest of the step eats the gain. */
const leastSpeedup = 1.5;

export interface ChosenPrecision {
  /** Null for float32. */
  readonly weights: BaseWeights | null;
  readonly event: PrecisionEvent;
}

export interface PrecisionOptions {
  readonly settings: Pick<RunSettings, 'precision' | 'device'>;
  /** What the plan measured to be better, or null where it measured nothing. */
  readonly planned: 'f32' | 'int8' | null;
  readonly model: GgufFile;
  /** Training rows, at least one. */
  readonly rows: readonly TokenRow[];
  readonly threads: number;
  /** A file for the blocks' weights where memory cannot hold them, else null. */
  readonly streamTo: string | null;
  /** Hears what takes its time, as sentences. */
  readonly progress?: (message: string) => void;
  /** Heard after each block that is prepared. */
  readonly signal?: AbortSignal;
}

const float32 = (reason: string, measured: Partial<PrecisionEvent> = {}): ChosenPrecision => ({
  weights: null,
  event: { type: 'precision', precision: 'f32', reason, divergence: null, bound: divergenceBound, levels: null, speedup: null, ...measured }, // biome-ignore format: one line reads best
});

/** Whether `auto` leaves the model in float32 for its size. */
export const isSmall = (model: GgufFile): boolean => projectionWeights(readModelConfig(model)) < fewWeights;

export interface ExpectedPrecision {
  readonly precision: 'f32' | 'int8';
  readonly levels: number;
  /** Null where the decision needed none, and none was wanted. */
  readonly probe: KernelProbe | null;
}

/** What will be chosen where int8 is found close enough; `probes` wants this machine's rates in any case. */
export async function expectPrecision(
  { device, method, precision }: Pick<RunSettings, 'precision' | 'device' | 'method'>,
  model: GgufFile,
  threads: number,
  probes: boolean,
): Promise<ExpectedPrecision> {
  // WebGPU computes in float32 here, whatever the processor's rates are; and weights that are trained are float32.
  if (device === 'webgpu') return { precision: 'f32', levels: 127, probe: null };
  if (method !== 'lora') return { precision: 'f32', levels: 127, probe: probes ? await probeKernels(threads) : null };
  const open = precision === 'auto' && !isSmall(model);
  const probe = probes || open ? await probeKernels(threads) : null;
  const fast = probe !== null && probe.int8Rate / probe.float32Rate >= leastSpeedup;
  const int8 = precision === 'int8' || (open && fast);
  return { precision: int8 ? 'int8' : 'f32', levels: probe ? weightLevels(probe) : 127, probe };
}

/** Probes, quantises, compares and decides. Throws NomoatError where int8 was asked for and is too far from float32. */
export async function choosePrecision(options: PrecisionOptions): Promise<ChosenPrecision> {
  const { model, planned, progress, rows, settings, signal, streamTo, threads } = options;
  const auto = settings.precision === 'auto';
  if (settings.device === 'webgpu') return float32('as WebGPU computes');
  // Float32 blocks are read from the model's own file where int8 ones would have come from the disk: they are four times as large.
  const streamed = (): BaseWeights | null => (streamTo ? fileWeights(model, readModelConfig(model)) : null);
  if (settings.precision === 'f32') return { ...float32('as asked'), weights: streamed() };
  if (auto && isSmall(model)) return float32('the model is small');
  if (auto && planned === 'f32') return float32('a step in int8 is not enough quicker here to be worth its rounding');
  const probe = await probeKernels(threads);
  const levels = weightLevels(probe);
  const speedup = probe.int8Rate / probe.float32Rate;
  const measured = { levels, speedup };
  if (auto && speedup < leastSpeedup) {
    return {
      ...float32(`int8 products are only ${speedup.toFixed(1)} times as fast here`, measured),
      weights: streamed(),
    };
  }
  const say = sometimes((done, all) => progress?.(`Preparing the int8 base: block ${done} of ${all}`));
  const { weights, divergence } = await quantiseModel({
    model,
    compared: packAll(firstRows(rows)),
    threads,
    levels,
    ...(streamTo ? { store: diskStore(streamTo) } : {}),
    progress: (done, all) => {
      if (signal) assertGoesOn(signal);
      say(done, all);
    },
  });
  if (divergence <= divergenceBound) {
    const reason = auto ? `its products are ${speedup.toFixed(1)} times as fast here` : 'as asked';
    return { weights, event: { type: 'precision', precision: 'int8', reason, divergence, bound: divergenceBound, ...measured } }; // biome-ignore format: one line reads best
  }
  weights.close();
  if (auto)
    return { ...float32('int8 is too far from it on this model', { ...measured, divergence }), weights: streamed() };
  throw new NomoatError({
    part: '--precision int8',
    fault: `the int8 base diverges from the float32 base by ${divergence.toFixed(4)} nats on rows of this data, above the bound of ${divergenceBound}`,
    remedy: 'Use --precision f32, or auto.',
    fields: { divergence, bound: divergenceBound },
  });
}

/** Seconds between two sentences about the same work. */
const sentenceSeconds = 10;

/** Hands on a call now and then: none in the first seconds, so that short work is not talked about. */
function sometimes(say: (done: number, all: number) => void): (done: number, all: number) => void {
  let last = performance.now();
  return (done, all) => {
    if (performance.now() - last < sentenceSeconds * 1000) return;
    last = performance.now();
    say(done, all);
  };
}

const tokensOf = (rows: readonly TokenRow[]): number => rows.reduce((sum, { tokens }) => sum + tokens.length, 0);

function packAll(rows: readonly TokenRow[]): PackedBatch {
  return packRows(rows, { packing: true, microBatchSize: null, maxTokens: Number.POSITIVE_INFINITY, padToken: 0 })[0]!;
}

/** The first rows, up to `comparedTokens`: of the last, its beginning. */
function firstRows(rows: readonly TokenRow[]): TokenRow[] {
  const taken: TokenRow[] = [];
  for (const row of rows) {
    const room = comparedTokens - tokensOf(taken);
    if (room <= 0) break;
    taken.push({ ...row, tokens: row.tokens.subarray(0, room), supervised: row.supervised.subarray(0, room) });
  }
  return taken;
}
