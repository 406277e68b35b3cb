/**
 * A new adapter whose share along intruder dimensions is scaled down: the remedy of arXiv 2410.21228 for what was forgotten. Promises: the
 * adapter that is there stays; nothing is written where nothing was found.
 */
import { readAdapterBase } from '../adapter/adapter-base.ts';
import { exportAdapter } from '../adapter/export.ts';
import { parentAt } from '../adapter/lineage-files.ts';
import { packRows } from '../batches/pack.ts';
import { findIntruders, softened } from '../inspect/intruders.ts';
import { factorsOf } from '../inspect/update.ts';
import { toRows } from '../linear-algebra/matrix.ts';
import { type LoraAdapter, type LoraPair, loraScale } from '../lora/adapter.ts';
import { physicalCores } from '../machine/machine.ts';
import { readModelConfig } from '../models/config.ts';
import { readProjection } from '../models/weights.ts';
import type { WeightProducts } from '../runtime/onnxruntime-node/weight-products.ts';
import { heedStop, stoppable } from '../stop.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { adapterRows } from './adapter-rows.ts';
import { openAdapterStep } from './adapter-step.ts';
import type { InspectOptions } from './inspect.ts';
import { type InspectTarget, openTarget } from './inspect-target.ts';

/** Which adapter, and by how much. */
export interface SoftenAdapterOptions extends Pick<InspectOptions, 'adapter' | 'model' | 'signal' | 'onProgress'> {
  /** A new folder, in PEFT's form. */
  readonly out: string;
  /** What the update's share along each intruder is multiplied by, 0 to 1 (default: 0.5). */
  readonly factor?: number;
  /** Examples whose loss is measured before and after; none without. */
  readonly data?: string | readonly string[];
}

/** What was softened. */
export interface SoftenedAdapter {
  readonly intruders: number;
  /** Weights that had some. */
  readonly weights: number;
  /** Absolute paths; none where nothing was found. */
  readonly files: readonly string[];
  /** Of the data, nats per supervised token, by the trainer in float32; null without data. */
  readonly loss: { readonly before: number; readonly after: number; readonly tokens: number } | null;
  readonly notes: readonly string[];
}

const usualFactor = 0.5;
/** Of a micro-batch: losses need no more memory than this. */
const batchTokens = 1024;

/** The pair with less of its intruders; null where it has none. */
async function softenedPair(
  { adapter, model }: InspectTarget,
  pair: LoraPair,
  products: WeightProducts,
  { factor = usualFactor, signal }: SoftenAdapterOptions,
): Promise<{ readonly pair: LoraPair; readonly intruders: number } | null> {
  const values = readProjection(model, readModelConfig(model), pair);
  const factors = factorsOf(adapter, pair);
  const weight = products.operator({ rows: pair.outFeatures, columns: pair.inFeatures }, values);
  const found = await findIntruders(weight, factors, signal);
  if (found.vectors.length === 0) return null;
  const { aTransposed, b } = softened(factors, found, factor);
  const scale = loraScale({ ...pair, rslora: adapter.rslora });
  const made = { ...pair, a: Float32Array.from(aTransposed.data), b: toRows(b).map((value) => value / scale) };
  return { pair: made, intruders: found.vectors.length };
}

/** Mean loss of the rows, and their supervised tokens. */
async function lossOf(
  target: InspectTarget,
  adapter: LoraAdapter,
  rows: readonly TokenRow[],
): Promise<[number, number]> {
  const step = await openAdapterStep(adapter, target);
  try {
    let [sum, tokens] = [0, 0];
    for (const batch of packRows(rows, { packing: true, microBatchSize: null, maxTokens: batchTokens, padToken: 0 }))
      for (const values of await step.logProbabilities([batch])) {
        tokens += values.length;
        for (const value of values) sum -= value;
      }
    return [sum / tokens, tokens];
  } finally {
    await step.close();
  }
}

/** Writes a softened copy of an adapter. Rejects with NomoatError. */
export function softenAdapter(options: SoftenAdapterOptions): Promise<SoftenedAdapter> {
  const { adapter: name, data, model = null, onProgress, out, signal } = options;
  return stoppable(name, signal, async () => {
    const target = await openTarget(name, model);
    const { WeightProducts: Products } = await import('../runtime/onnxruntime-node/weight-products.ts');
    const products = await Products.open(physicalCores());
    try {
      const pairs: LoraPair[] = [];
      let [intruders, weights] = [0, 0];
      for (const pair of target.adapter.pairs) {
        onProgress?.({
          done: pairs.length,
          total: target.adapter.pairs.length,
          doing: `layer ${pair.layer} ${pair.projection}`,
        });
        if (signal) await heedStop(signal);
        const made = await softenedPair(target, pair, products, options);
        pairs.push(made?.pair ?? pair);
        intruders += made?.intruders ?? 0;
        weights += made ? 1 : 0;
      }
      if (intruders === 0)
        return {
          intruders,
          weights,
          files: [],
          loss: null,
          notes: [...target.notes, 'It has no intruder dimensions: nothing was written.'],
        };
      const adapter = { ...target.adapter, pairs };
      const rows = data === undefined ? null : await adapterRows(target, data);
      const measured =
        rows && ([await lossOf(target, target.adapter, rows), await lossOf(target, adapter, rows)] as const);
      const loss = measured && { before: measured[0][0], after: measured[1][0], tokens: measured[0][1] };
      const files = await exportAdapter({
        format: 'peft',
        adapter,
        model: target.model,
        out,
        base: readAdapterBase(target.path),
        begotten: {
          how: 'soften',
          settings: { factor: options.factor ?? usualFactor },
          parents: [parentAt(target.path)],
        },
      });
      return { intruders, weights, files, loss, notes: target.notes };
    } finally {
      await products.close();
      target.model.close();
    }
  });
}
