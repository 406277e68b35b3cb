/**
 * From a model file to int8 weights, smoothed to a few real rows, and how far they are from the float32 model. Block by block: the
 * float32 model never exists whole. Smoothing: SmoothQuant, https://arxiv.org/abs/2211.10438; why it is needed is in docs/decisions.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import type { GgufFile } from '../files/gguf/types.ts';
import type { Projection } from '../lora/adapter.ts';
import { type BlockOptions, head, int8Head, projectionGroups } from '../models/block.ts';
import { type ModelConfig, projectionDimensions, projectionWeights, readModelConfig } from '../models/config.ts';
import {
  columnTops,
  emptyMatrix,
  type QuantisedMatrix,
  quantiseMatrix,
  quantiseRows,
  smoothingScales,
} from '../models/quantise.ts';
import { Executor, type Feed, type Feeds, floats } from '../runtime/onnxruntime-node/executor.ts';
import {
  type BaseWeights,
  fileWeights,
  type Int8Head,
  type Int8Layer,
  type Int8Store,
  int8Feeds,
  memoryStore,
} from './base-weights.ts';
import { BlockWalk, type Observe } from './block-walk.ts';
import { openStages } from './stages.ts';

/** Exponents that are tried, block by block; null is no smoothing. The design's measurement found 0.6 best on SmolLM2. */
const alphas = [null, 0.5, 0.65, 0.8] as const;
/** Above this many weights only one exponent is tried: each costs another quantisation of the block. */
const manyWeights = 1.5e9;
const usualAlpha = [0.6] as const;
/** Positions whose distributions are compared: enough for a mean, few enough that their logits take little memory. */
const comparedRows = 48;

export interface Calibration {
  readonly weights: BaseWeights;
  /** Mean KL divergence of next-token distributions, float32 from int8, nats, over positions of the calibration rows. */
  readonly divergence: number;
  /** Blocks by the smoothing exponent that was chosen for them. */
  readonly chosen: Readonly<Record<string, number>>;
}

export interface CalibrateOptions {
  readonly model: GgufFile;
  /** Rows of the training data that the smoothing is fitted to. */
  readonly fitted: PackedBatch;
  /** Other rows, on which the divergence is measured. */
  readonly compared: PackedBatch;
  readonly threads: number;
  /** Largest magnitude of a weight: 127, or 63 where the processor's int8 sums saturate. */
  readonly levels: number;
  /** Called after each block. */
  readonly progress?: (done: number, all: number) => void;
  /** Where the layers go; default: memory. */
  readonly store?: Int8Store;
  /** Smoothing exponents to choose from, null for none; default: some for small models, one for large ones. */
  readonly alphas?: readonly (number | null)[];
}

/** A walk without anything trained, whose end is logits. */
class Evaluation extends BlockWalk {
  private readonly headLogits: Executor;

  private constructor(config: ModelConfig, base: BaseWeights, stages: BlockWalk['stages'], headLogits: Executor) {
    const nothing = Array.from({ length: config.layers }, () => []);
    super(config, base, stages, nothing, 0);
    this.headLogits = headLogits;
  }

  static async open(config: ModelConfig, base: BaseWeights, threads: number): Promise<Evaluation> {
    const { biases, headNorms, precision } = base;
    const none = { trainable: 'adapter', targets: [], rank: 0, dropout: false } as const;
    const options: BlockOptions = { ...none, biases, headNorms, precision };
    const graph = precision === 'int8' ? int8Head(config, 'logits') : head(config, 'logits');
    return new Evaluation(
      config,
      base,
      await openStages(config, options, threads),
      await Executor.create(graph, threads),
    );
  }

  /** Takes the batches through the blocks and returns logits [rows, vocabulary] of positions evenly spread over the last. */
  async logits(batches: readonly PackedBatch[], observe?: Observe): Promise<Float32Array> {
    const passes = batches.map((batch, i) => this.pass(batch, null, false, i));
    return this.logitsOf((await this.walk(passes, observe)).at(-1)!);
  }

  /** The same from the last hidden states [tokens, modelWidth]. */
  private async logitsOf(last: Float32Array): Promise<Float32Array> {
    const { modelWidth: width, vocabulary } = this.config;
    const tokens = last.length / width;
    const count = Math.min(comparedRows, tokens);
    const x = new Float32Array(count * width);
    for (let i = 0; i < count; i++) {
      const n = Math.floor(((i + 0.5) * tokens) / count);
      x.set(last.subarray(n * width, (n + 1) * width), i * width);
    }
    const logits = new Float32Array(count * vocabulary);
    const into = new Map([['logits', floats(logits, [count, vocabulary])]]);
    await this.headLogits.run(new Map([...this.base.head, ['x', floats(x, [count, width])]]), into);
    return logits;
  }

  /** Hidden states [n, modelWidth] of the first batch after the last block of the last walk. */
  lastHidden({ tokens }: PackedBatch): Float32Array {
    const { layers, modelWidth } = this.config;
    return this.buffers.take(`0.x.${layers % 2}`, tokens.length * modelWidth);
  }

  async close(): Promise<void> {
    await this.stages.close();
    await this.headLogits.close();
  }
}

/** Reads, smooths and quantises the model. */
export async function calibrate({
  model,
  compared,
  threads,
  levels,
  fitted,
  progress,
  store = memoryStore(),
  alphas: given,
}: CalibrateOptions): Promise<Calibration> {
  const config = readModelConfig(model);
  const exact = fileWeights(model, config);
  const float32 = await Evaluation.open(config, exact, threads);
  // The int8 graphs are tried on each block while its float32 weights are at hand.
  const trial = await Evaluation.open(
    config,
    { ...exact, precision: 'int8', head: new Map(), layer: () => new Map() },
    threads,
  );
  const pass = trial.pass(fitted, null, false);
  const rows = [fitted, compared];
  const candidates = given ?? (projectionWeights(config) > manyWeights ? usualAlpha : alphas);
  const chosen: Record<string, number> = {};
  const errorOf = async (index: number, layer: Int8Layer, x: Feed, expected: Float32Array): Promise<number> => {
    const y = floats(new Float32Array(expected.length), x.dims);
    await trial.block(pass, index, new Map([...pass.angles, ...int8Feeds(layer), ['x', x]]), y);
    return relativeError(y.data as Float32Array, expected, config.modelWidth);
  };
  try {
    const expected = await float32.logits(rows, async ({ id }, index, feeds, results) => {
      if (id > 0) return;
      const tops = inputTops(config, feeds, results);
      let best: { layer: Int8Layer; error: number; alpha: number | null } | null = null;
      for (const alpha of candidates) {
        const layer = quantiseLayer(config, feeds, tops, alpha, levels);
        const alone = candidates.length === 1;
        const error = alone ? 0 : await errorOf(index, layer, feeds.get('x')!, results.get('y')!.data as Float32Array);
        if (!best || error < best.error) best = { layer, error, alpha };
      }
      store.add(best!.layer);
      progress?.(index + 1, config.layers);
      const name = String(best!.alpha ?? 'none');
      chosen[name] = (chosen[name] ?? 0) + 1;
    });
    const norm = model.readFloat32('output_norm.weight');
    const headTops = normTops(float32.lastHidden(fitted), norm, config.normEpsilon);
    const weights = store.finish(model, config, quantiseHead(model, config, norm, headTops, levels));
    const int8 = await Evaluation.open(config, weights, threads);
    const got = await int8.logits(rows);
    await int8.close();
    return { weights, divergence: meanDivergence(expected, got, config.vocabulary), chosen };
  } finally {
    await float32.close();
    await trial.close();
  }
}

type SmoothedGroup = 'pre' | 'mlp' | 'down';

/** Largest |input| of each channel of the groups whose inputs are smoothed. */
function inputTops(config: ModelConfig, feeds: Feeds, results: Feeds): Record<SmoothedGroup, Float32Array> {
  const values = (from: Feeds, name: string): Float32Array => from.get(name)!.data as Float32Array;
  const gate = values(results, 'saved.gate');
  const up = values(results, 'saved.up');
  const width = config.feedForward;
  const down = new Float32Array(width);
  for (let i = 0; i < gate.length; i++) {
    const value = Math.abs((gate[i]! / (1 + Math.exp(-gate[i]!))) * up[i]!);
    if (value > down[i % width]!) down[i % width] = value;
  }
  return {
    pre: normTops(values(feeds, 'x'), values(feeds, 'attn_norm'), config.normEpsilon),
    mlp: normTops(values(results, 'saved.mid'), values(feeds, 'ffn_norm'), config.normEpsilon),
    down,
  };
}

function normTops(x: Float32Array, weight: Float32Array, epsilon: number): Float32Array {
  const width = weight.length;
  const tops = new Float32Array(width);
  for (let at = 0; at < x.length; at += width) {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += x[at + k]! ** 2;
    const inverse = 1 / Math.sqrt(sum / width + epsilon);
    for (let k = 0; k < width; k++) {
      const value = Math.abs(x[at + k]! * inverse * weight[k]!);
      if (value > tops[k]!) tops[k] = value;
    }
  }
  return tops;
}

/**
 * A block in int8. The divisors of the norms' outputs go into the norms' weights, those of down_proj's input into the rows of up_proj:
 * smoothing costs no operation.
 */
function quantiseLayer(
  config: ModelConfig,
  feeds: Feeds,
  tops: Record<SmoothedGroup, Float32Array>,
  alpha: number | null,
  levels: number,
): Int8Layer {
  const floatsOf = (name: string): Float32Array => feeds.get(name)!.data as Float32Array;
  const weightOf = (projection: Projection): Float32Array => floatsOf(`${projection}.weight`);
  const divisors = (group: SmoothedGroup): Float32Array | null =>
    alpha === null
      ? null
      : smoothingScales(tops[group], columnTops(projectionGroups[group].map(weightOf), tops[group].length), alpha);
  const [pre, mlp, down] = [divisors('pre'), divisors('mlp'), divisors('down')];
  const inputScales: Record<string, Float32Array | null> = { pre, mlp, down };
  const matrices = new Map<Projection, QuantisedMatrix>();
  for (const [group, members] of Object.entries(projectionGroups)) {
    for (const projection of members as readonly Projection[]) {
      const { inFeatures } = projectionDimensions(config, projection);
      const outputDivisor = projection === 'up_proj' ? down : null;
      const inputScale = inputScales[group] ?? null;
      matrices.set(projection, quantiseMatrix(weightOf(projection), inFeatures, { levels, inputScale, outputDivisor }));
    }
  }
  const divided = (name: string, by: Float32Array | null): Float32Array =>
    by ? floatsOf(name).map((value, k) => value / by[k]!) : floatsOf(name);
  const vectors = new Map([['attn_norm', divided('attn_norm', pre)], ['ffn_norm', divided('ffn_norm', mlp)]]); // biome-ignore format: one line reads best
  for (const name of ['attn_q_norm', 'attn_k_norm', 'q_proj.bias', 'k_proj.bias', 'v_proj.bias']) {
    if (feeds.has(name)) vectors.set(name, floatsOf(name));
  }
  return { matrices, vectors, smoothing: pre && mlp && down ? { pre, mlp, down } : null };
}

/** Rows of the head that are read at once. */
const headRows = 2048;
/** Smoothing of the head's input: one exponent, because trying some would mean reading the head as often. */
const headAlpha = 0.6;

function quantiseHead(
  model: GgufFile,
  config: ModelConfig,
  norm: Float32Array,
  tops: Float32Array,
  levels: number,
): Int8Head {
  const { modelWidth, tiedHead, vocabulary } = config;
  const output = emptyMatrix(modelWidth, vocabulary);
  const eachPart = (visit: (weight: Float32Array, firstRow: number) => void): void => {
    for (let firstRow = 0; firstRow < vocabulary; firstRow += headRows) {
      const rows = Math.min(headRows, vocabulary - firstRow);
      visit(model.readFloat32(tiedHead ? 'token_embd.weight' : 'output.weight', { firstRow, rows }), firstRow);
    }
  };
  const weightTops = new Float32Array(modelWidth);
  eachPart((weight) => {
    columnTops([weight], modelWidth).forEach((top, k) => {
      weightTops[k] = Math.max(weightTops[k]!, top);
    });
  });
  const inputScale = smoothingScales(tops, weightTops, headAlpha);
  eachPart((weight, firstRow) => quantiseRows(output, firstRow, weight, { levels, inputScale }));
  return { norm: norm.map((value, k) => value / inputScale[k]!), output };
}

/** Sum over rows of |got - expected|^2 / |expected|^2: the few rows with huge activations count no more than the others. */
function relativeError(got: Float32Array, expected: Float32Array, width: number): number {
  let sum = 0;
  for (let at = 0; at < expected.length; at += width) {
    let difference = 0;
    let size = 0;
    for (let i = at; i < at + width; i++) {
      difference += (got[i]! - expected[i]!) ** 2;
      size += expected[i]! ** 2;
    }
    sum += difference / size;
  }
  return sum;
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
