/**
 * The proof after an export: the log-probabilities that the trainer computed against those of llama.cpp with the exported adapter.
 * Promises: every supervised token is compared; a base's copy for the proof is named by the base's contents. Knows nothing of the trainer.
 */

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { matrixType, type RewriteType } from '../adapter/matrix-types.ts';
import { rewriteModel } from '../adapter/rewrite-model.ts';
import { NomoatError } from '../errors.ts';
import { writeFailure } from '../formats/atomic-write.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { parameterCount } from '../models/config.ts';
import { findCached } from '../store/cache.ts';
import type { StackedAdapter } from '../store/stack.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { llamaLogProbabilities } from './log-probabilities.ts';

/**
 * Mean |difference| of log-probability per supervised token, nats, that an export may show on a base without quantized matrices.
 * Measured on SmolLM2-135M: F32 0.0001, F16 0.005; swapped rows, a wrong alpha or a lost tensor cost tenths. On Q8_0 llama.cpp
 * rounds activations to 8 bits, which alone costs 0.13: there the figure says nothing about the export.
 */
export const parityBound = 0.03;

/**
 * The type of the copy by the number of weights: float32 up to 1.2 GB of disk and memory, float16 up to 4 GB, beyond that Q8_0, whose
 * figure is reported and not judged.
 */
/** What copies for proofs are written in. */
type CopyType = Extract<RewriteType, 'F32' | 'F16' | 'Q8_0'>;
const copyTypes: readonly { readonly maxWeights: number; readonly type: CopyType }[] = [
  { maxWeights: 300_000_000, type: 'F32' },
  { maxWeights: 2_000_000_000, type: 'F16' },
  { maxWeights: Number.POSITIVE_INFINITY, type: 'Q8_0' },
];

/** The bound for a proof on this base: null where its quantization hides what is to be proven. */
export function parityBoundOn(base: GgufFile): number | null {
  const exact = [...base.tensors.values()].every(
    ({ shape, type }) => shape.length < 2 || /^(F32|F16|BF16)$/.test(type),
  );
  return exact ? parityBound : null;
}

/** Changes whenever the copies' contents would, so that old ones are not taken for new. */
const copyVersion = 2;

const bytesPerWeight: Readonly<Record<CopyType, number>> = { F32: 4, F16: 2, Q8_0: 34 / 32 };

/** The copy of a base with F32 matrices (F16 or Q8_0 for large models), on which llama.cpp's arithmetic is as exact as its size allows. */
export interface BaseCopy {
  readonly type: RewriteType;
  /** About as many as it takes. */
  readonly bytes: number;
  /** By the contents of the base, wherever that lies. */
  readonly key: string;
  readonly name: string;
}

/** The copy that a proof on this base wants; null where the base serves itself. `digest` is the SHA-256 of the base. */
export function copyOf(model: GgufFile, digest: string): BaseCopy | null {
  const weights = parameterCount(model);
  const { type } = copyTypes.find(({ maxWeights }) => weights <= maxWeights)!;
  const exact = [...model.tensors.values()].every(
    ({ name, type: stored }) => stored === 'F32' || stored === matrixType(name, type, model),
  );
  if (exact) return null;
  const contents = createHash('sha256')
    .update(JSON.stringify([copyVersion, digest]))
    .digest('hex');
  const key = `${contents.slice(0, 16)}.${type}`;
  return { type, bytes: weights * bytesPerWeight[type], key, name: `${basename(model.path, '.gguf')}.${key}.gguf` };
}

/** The copy's path in the folder, or null: one that does not open as a model is none. */
export function findCopy(folder: string, { key }: BaseCopy): string | null {
  const path = findCached(folder, key);
  if (path === null) return null;
  try {
    openGguf(path).close();
    return path;
  } catch {
    return null;
  }
}

/** Makes the copy in the folder, or at its own path, and returns the path. Another process may do the same: the last one's stays. */
export function makeCopy(folder: string, copy: BaseCopy & { readonly path?: string }, model: GgufFile): string {
  const path = copy.path ?? join(folder, copy.name);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw writeFailure(folder, error);
  }
  rewriteModel(path, model, { type: copy.type, overwrite: true });
  return path;
}

export interface ParityOptions {
  /** The base for the proof: parityBase's, or the file itself to see what its quantization costs. */
  readonly modelPath: string;
  /** The exported GGUF LoRA; null compares the base alone. */
  readonly adapterPath: string | null;
  /** Further ones, what it was trained on top of among them. */
  readonly adapters?: readonly StackedAdapter[];
  readonly rows: readonly TokenRow[];
  /** Per row, the trainer's log-probability of each supervised token, in order. */
  readonly ours: readonly Float32Array[];
  readonly threads: number;
  readonly signal?: AbortSignal;
}

export interface Parity {
  readonly tokens: number;
  /** Mean and worst |difference| per supervised token, nats. */
  readonly meanDifference: number;
  readonly worstDifference: number;
}

/** Runs llama.cpp over the rows and compares. Throws NomoatError where the rows and our values do not belong together. */
export async function measureParity(options: ParityOptions): Promise<Parity> {
  const theirs = await llamaLogProbabilities(options);
  let [tokens, sum, worst] = [0, 0, 0];
  theirs.forEach(({ logProbabilities }, row) => {
    const ours = options.ours[row];
    if (ours?.length !== logProbabilities.length) {
      throw new NomoatError({
        part: 'parity proof',
        fault: `row ${row} has ${logProbabilities.length} supervised tokens, but ${ours?.length ?? 'no'} values of ours`,
        remedy: 'This is a fault of nomoat: please report it.',
        kind: 'failed',
      });
    }
    for (let i = 0; i < ours.length; i++) {
      const difference = Math.abs(ours[i]! - logProbabilities[i]!);
      // A NaN on either side must not pass as agreement.
      const counted = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
      tokens++;
      sum += counted;
      worst = Math.max(worst, counted);
    }
  });
  if (tokens === 0) {
    throw new NomoatError({
      part: 'parity proof',
      fault: 'there is no supervised token to compare',
      remedy: 'Give held-out rows with answers.',
    });
  }
  return { tokens, meanDifference: sum / tokens, worstDifference: worst };
}
