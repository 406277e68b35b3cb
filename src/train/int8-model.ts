/**
 * From a model file to int8 weights, and how far they are from the float32 model on a few real rows. Block by block: the float32 model
 * never exists whole.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { projections } from '../lora/adapter.ts';
import { type ModelConfig, projectionDimensions, readModelConfig } from '../models/config.ts';
import { emptyMatrix, quantizeMatrix, quantizeRows } from '../models/quantize.ts';
import {
  type BaseWeights,
  fileWeights,
  type Int8Head,
  type Int8Layer,
  type Int8Store,
  memoryStore,
} from './base-weights.ts';
import { EvaluationPass } from './evaluation-pass.ts';
import type { Observe } from './forward-pass.ts';

/** Positions whose distributions are compared: enough for a mean, few enough that their logits take little memory. */
const comparedRows = 48;

export interface Int8Model {
  readonly weights: BaseWeights;
  /** Mean KL divergence of next-token distributions, float32 from int8, nats, over positions of the rows. */
  readonly divergence: number;
}

export interface Int8ModelOptions {
  readonly model: GgufFile;
  /** Rows on which the divergence is measured. */
  readonly compared: PackedBatch;
  readonly threads: number;
  /** Largest magnitude of a weight: 127, or 63 where the processor's int8 sums saturate. */
  readonly levels: number;
  /** Called after each block. */
  readonly progress?: (done: number, all: number) => void;
  /** Where the layers go; default: memory. */
  readonly store?: Int8Store;
}

/** Logits [rows, vocabulary] of positions evenly spread over the batch; `observe` sees each layer's weights. */
async function comparedLogits(
  pass: EvaluationPass,
  { modelWidth: width }: ModelConfig,
  batch: PackedBatch,
  observe?: Observe,
): Promise<Float32Array> {
  const last = await pass.last(batch, observe);
  const tokens = last.length / width;
  const count = Math.min(comparedRows, tokens);
  const x = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const n = Math.floor(((i + 0.5) * tokens) / count);
    x.set(last.subarray(n * width, (n + 1) * width), i * width);
  }
  return pass.logits(x);
}

/** Reads and quantizes the model. */
export async function quantizeModel(options: Int8ModelOptions): Promise<Int8Model> {
  const { compared, levels, model, progress, store = memoryStore(), threads } = options;
  const config = readModelConfig(model);
  const float32 = await EvaluationPass.open({ config, base: fileWeights(model, config), threads });
  try {
    // A block's float32 weights are at hand where it is computed.
    const expected = await comparedLogits(float32, config, compared, (layer, tensors) => {
      const arrays = [...tensors].map(([name, { data }]) => [name, data as Float32Array] as const);
      store.add(quantizeLayer(config, arrays, levels));
      progress?.(layer + 1, config.layers);
    });
    const weights = store.finish(model, config, quantizeHead(model, config, levels));
    const int8 = await EvaluationPass.open({ config, base: weights, threads });
    const got = await comparedLogits(int8, config, compared);
    await int8.close();
    return { weights, divergence: meanDivergence(expected, got, config.vocabulary) };
  } finally {
    await float32.close();
  }
}

/** A block in int8, from its float32 arrays by the block graphs' names. */
export function quantizeLayer(
  config: ModelConfig,
  layer: Iterable<readonly [string, Float32Array]>,
  levels: number,
): Int8Layer {
  const vectors = new Map(layer);
  const matrices = projections.map((projection) => {
    const name = `${projection}.weight`;
    const { inFeatures } = projectionDimensions(config, projection);
    const matrix = quantizeMatrix(vectors.get(name)!, inFeatures, levels);
    vectors.delete(name);
    return [projection, matrix] as const;
  });
  return { matrices: new Map(matrices), vectors };
}

/** Rows of the head that are read at once. */
const headRows = 2048;

export function quantizeHead(
  model: GgufFile,
  { modelWidth, tiedHead, vocabulary }: ModelConfig,
  levels: number,
): Int8Head {
  const output = emptyMatrix(modelWidth, vocabulary);
  const out = new Float32Array(Math.min(headRows, vocabulary) * modelWidth);
  for (let firstRow = 0; firstRow < vocabulary; firstRow += headRows) {
    const rows = Math.min(headRows, vocabulary - firstRow);
    model.readFloat32(tiedHead ? 'token_embd.weight' : 'output.weight', { firstRow, rows, out });
    quantizeRows(output, firstRow, out.subarray(0, rows * modelWidth), levels);
  }
  return { norm: model.readFloat32('output_norm.weight'), output };
}

/** Mean over rows of sum p (log p - log q). */
function meanDivergence(expected: Float32Array, got: Float32Array, vocabulary: number): number {
  const logSum = (row: Float32Array): number => {
    const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    return top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
  };
  let total = 0;
  for (let at = 0; at < expected.length; at += vocabulary) {
    const p = expected.subarray(at, at + vocabulary);
    const q = got.subarray(at, at + vocabulary);
    const [sumP, sumQ] = [logSum(p), logSum(q)];
    for (let i = 0; i < vocabulary; i++) {
      const logP = p[i]! - sumP;
      total += Math.exp(logP) * (logP - (q[i]! - sumQ));
    }
  }
  return total / (expected.length / vocabulary);
}
