/**
 * The frozen weights of a LoRA run, in the arithmetic that was decided on. Promises: int8 is taken only where it was measured to be close to
 * float32 on this run's own rows; what was measured is said.
 */
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { NomoatError } from '../errors.ts';
import type { PrecisionEvent } from '../events.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { readModelConfig } from '../models/config.ts';
import { speedupOf } from '../plan/arithmetic.ts';
import { comparedTokens } from '../plan/costs.ts';
import type { Decision } from '../plan/decide.ts';
import { weightLevels } from '../runtime/onnxruntime-node/probe.ts';
import { assertGoesOn } from '../stop.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { type BaseWeights, fileWeights } from '../train/base-weights.ts';
import { diskStore } from '../train/disk-store.ts';
import { quantizeModel } from '../train/int8-model.ts';

/**
 * Mean KL divergence (nats) of next-token distributions up to which the int8 base passes for the float32 one. On
 * SmolLM2 it measures 0.0065 and trains to the same loss; with 0.015, as it once was, to one 3.6% worse (docs/log/int8.md).
 */
export const divergenceBound = 0.02;

export interface FrozenWeights {
  /** Null: float32, all in memory. */
  readonly weights: BaseWeights | null;
  readonly event: PrecisionEvent;
}

export interface OpenWeightsOptions {
  readonly decision: Decision;
  readonly model: GgufFile;
  /** Training rows, at least one. */
  readonly rows: readonly TokenRow[];
  readonly threads: number;
  /** The file for the blocks' weights, where they are streamed. */
  readonly streamTo: string;
  /** Hears what takes its time, as sentences. */
  readonly progress?: (message: string) => void;
  /** Heard after each block that is prepared. */
  readonly signal?: AbortSignal;
}

/** Opens them; quantizes and compares where they are int8. Throws NomoatError where int8 was asked for and is too far from float32. */
export async function openWeights(options: OpenWeightsOptions): Promise<FrozenWeights> {
  const { decision, model, progress, rows, signal, streamTo, threads } = options;
  const { fallsBack, precision, probe, reason, streamed } = decision;
  const said: PrecisionEvent = {
    type: 'precision',
    precision,
    reason,
    divergence: null,
    bound: divergenceBound,
    levels: probe && weightLevels(probe),
    speedup: probe && speedupOf(probe),
  };
  // Float32 blocks are read from the model's own file where int8 ones would have come from the disk: they are four times as large.
  const float32 = (): BaseWeights | null => (streamed ? fileWeights(model, readModelConfig(model)) : null);
  if (precision === 'f32' || probe === null) return { weights: float32(), event: said };
  const say = sometimes((done, all) => progress?.(`Preparing the int8 base: block ${done} of ${all}`));
  const { weights, divergence } = await quantizeModel({
    model,
    compared: packAll(firstRows(rows)),
    threads,
    levels: weightLevels(probe),
    ...(streamed ? { store: diskStore(streamTo) } : {}),
    progress: (done, all) => {
      if (signal) assertGoesOn(signal);
      say(done, all);
    },
  });
  if (divergence <= divergenceBound) return { weights, event: { ...said, divergence } };
  weights.close();
  if (fallsBack) {
    const event = { ...said, precision: 'f32', reason: 'int8 is too far from it on this model', divergence } as const;
    return { weights: float32(), event };
  }
  throw new NomoatError({
    part: "`precision: 'int8'`",
    fault: `the int8 base diverges from the float32 base by ${divergence.toFixed(4)} nats on rows of this data, above the bound of ${divergenceBound}`,
    remedy: "Use `precision: 'f32'`, or auto.",
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
    taken.push({
      source: row.source,
      tokens: row.tokens.subarray(0, room),
      supervised: row.supervised.subarray(0, room),
    });
  }
  return taken;
}
