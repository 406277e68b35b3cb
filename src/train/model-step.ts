/**
 * The train step of a model: walks the blocks forward, the head, and the blocks backward over one micro-batch.
 * What is trained is a parameter: an adapter (LoRA), or every weight. Promises exact float32 gradients of the summed loss with respect
 * to it; its arrays are trained in place. Knows nothing of data sets, schedules or files beyond the model it reads.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../files/gguf/types.ts';
import type { Graph } from '../graph/graph.ts';
import { type LoraAdapter, loraScale, type Projection } from '../lora/adapter.ts';
import { afterAttention, attention, type BlockOptions, beforeAttention, head } from '../models/block.ts';
import { type ModelConfig, projectionDimensions, readModelConfig } from '../models/config.ts';
import { type ModelWeights, readWeights, rotaryAngles } from '../models/weights.ts';
import { Executor, type Feed, floats, integers } from '../runtime/onnxruntime-node/executor.ts';
import { dropoutMask } from './dropout.ts';
import type { MicroBatchLoss, Parameter, TrainStep } from './step.ts';

/** Query rows of one attention call: scores take heads x this x keys floats, so long rows never build [heads, T, T]. */
const queryRows = 128;
/** Logits of one head call take at most this many floats, 25 MB: 128 supervised rows of 49152 tokens. */
const headLogits = 128 * 49152;
/** What hides a key from a query: its exponential is 0 in float32, and it stays finite. */
const hidden = -1e30;

export interface StepOptions {
  readonly model: GgufFile;
  /** Threads of the engine; physical cores is best. Results are repeatable for equal numbers. */
  readonly threads: number;
}
export interface LoraStepOptions extends StepOptions {
  readonly adapter: LoraAdapter;
}

/** A step that trains every weight, and the weights themselves, which it changes in place. */
export interface FullStep extends TrainStep {
  readonly weights: ModelWeights;
}

type Feeds = Map<string, Feed>;
/** A chunk of queries [first, end) and the keys [keys, end) that any of them may see, with the mask between them. */
interface QueryChunk {
  readonly first: number;
  readonly end: number;
  readonly keys: number;
  readonly bias: Feed;
}
/** What forward keeps of one block for backward. */
interface SavedBlock {
  readonly x: Float32Array;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly o: Float32Array;
  readonly pre: Record<string, Float32Array>;
  readonly post: Record<string, Float32Array>;
}

const moduleOf = (projection: string): string => (/^[qkvo]_/.test(projection) ? 'self_attn' : 'mlp');

/** A trainable tensor: where it stands (layer, or null for embedding, last norm and head) and the input of the graphs that feeds it. */
interface Slot {
  readonly layer: number | null;
  readonly input: string;
  readonly parameter: Parameter;
}

function slot(layer: number | null, input: string, name: string, shape: readonly number[], value: Float32Array): Slot {
  const gradient = new Float32Array(value.length);
  return { layer, input, parameter: { name, shape, value, gradient, decays: shape.length > 1 } };
}

function adapterSlots(adapter: LoraAdapter): Slot[] {
  return adapter.pairs.flatMap(({ layer, projection, a, b, inFeatures, outFeatures }) => {
    const base = `base_model.model.model.layers.${layer}.${moduleOf(projection)}.${projection}`;
    return [
      slot(layer, `${projection}.lora_A`, `${base}.lora_A.weight`, [adapter.rank, inFeatures], a),
      slot(layer, `${projection}.lora_B`, `${base}.lora_B.weight`, [outFeatures, adapter.rank], b),
    ];
  });
}

/** transformers' names of a block's norms, after `model.layers.N.`. */
const normNames: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm.weight',
  ffn_norm: 'post_attention_layernorm.weight',
  attn_q_norm: 'self_attn.q_norm.weight',
  attn_k_norm: 'self_attn.k_norm.weight',
};

function shapeOf(config: ModelConfig, name: string, values: Float32Array): number[] {
  const projection = name.match(/^(\w+_proj)\.weight$/)?.[1];
  if (!projection) return [values.length];
  const { inFeatures, outFeatures } = projectionDimensions(config, projection as Projection);
  return [outFeatures, inFeatures];
}

/** Every weight of the model, as transformers names them; a tied embedding is one tensor. */
function weightSlots(config: ModelConfig, weights: ModelWeights): Slot[] {
  const { modelWidth, tiedHead, vocabulary } = config;
  const layers = weights.layers.flatMap((layer, i) =>
    [...layer].map(([input, values]) => {
      const name = normNames[input] ?? `${moduleOf(input)}.${input}`;
      return slot(i, input, `model.layers.${i}.${name}`, shapeOf(config, input, values), values);
    }),
  );
  return [
    slot(null, 'embedding', 'model.embed_tokens.weight', [vocabulary, modelWidth], weights.embedding),
    ...layers,
    slot(null, 'output_norm', 'model.norm.weight', [modelWidth], weights.outputNorm),
    ...(tiedHead ? [] : [slot(null, 'output', 'lm_head.weight', [vocabulary, modelWidth], weights.output)]),
  ];
}

function checkAdapter(adapter: LoraAdapter, config: ModelConfig): void {
  for (const pair of adapter.pairs) {
    const { inFeatures, outFeatures } = projectionDimensions(config, pair.projection);
    if (pair.layer >= config.layers || pair.inFeatures !== inFeatures || pair.outFeatures !== outFeatures) {
      throw new NomoatError({
        part: 'adapter',
        fault: `layer ${pair.layer} ${pair.projection} is ${pair.outFeatures} x ${pair.inFeatures}; the model has ${config.layers} layers of ${outFeatures} x ${inFeatures}`,
        remedy: 'Use an adapter that was trained on this base model.',
      });
    }
  }
  const expected = config.layers * adapter.targetModules.length;
  if (adapter.pairs.length !== expected) {
    throw new NomoatError({
      part: 'adapter',
      fault: `holds ${adapter.pairs.length} pairs; ${adapter.targetModules.length} modules of ${config.layers} layers are ${expected}`,
      remedy: 'Use an adapter that adapts the same modules in every layer.',
    });
  }
}

/** Opens the engine and reads the weights; the adapter is trained. Throws NomoatError when adapter and model do not fit. */
export async function createLoraStep({ adapter, model, threads }: LoraStepOptions): Promise<TrainStep> {
  const config = readModelConfig(model);
  checkAdapter(adapter, config);
  const weights = readWeights(model, config);
  return new ModelStep(
    config,
    weights,
    adapter,
    adapterSlots(adapter),
    await openStages(config, weights, adapter, threads),
  );
}

/** Opens the engine and reads the weights, all of which are trained, in float32. */
export async function createFullStep({ model, threads }: StepOptions): Promise<FullStep> {
  const config = readModelConfig(model);
  const weights = readWeights(model, config);
  return new ModelStep(
    config,
    weights,
    null,
    weightSlots(config, weights),
    await openStages(config, weights, null, threads),
  );
}

async function openStages(
  config: ModelConfig,
  weights: ModelWeights,
  adapter: LoraAdapter | null,
  threads: number,
): Promise<Stages> {
  const options: BlockOptions = {
    trainable: adapter ? 'adapter' : 'all',
    targets: adapter?.targetModules ?? [],
    rank: adapter?.rank ?? 0,
    scale: adapter ? loraScale(adapter) : 0,
    dropout: (adapter?.dropout ?? 0) > 0,
    biases: weights.layers[0]!.has('q_proj.bias'),
    headNorms: weights.layers[0]!.has('attn_q_norm'),
  };
  const make = (graph: Graph): Promise<Executor> => Executor.create(graph, threads);
  const pre = beforeAttention(config, options);
  const att = attention(config);
  const post = afterAttention(config, options);
  return {
    preForward: await make(pre.forward),
    preBackward: await make(pre.backward),
    attentionForward: await make(att.forward),
    attentionBackward: await make(att.backward),
    postForward: await make(post.forward),
    postBackward: await make(post.backward),
    head: await make(head(config, adapter ? 'input' : 'all')),
    headForward: await make(head(config, 'none')),
  };
}

interface Stages {
  readonly preForward: Executor;
  readonly preBackward: Executor;
  readonly attentionForward: Executor;
  readonly attentionBackward: Executor;
  readonly postForward: Executor;
  readonly postBackward: Executor;
  readonly head: Executor;
  readonly headForward: Executor;
}

function addTo(total: Float32Array, part: Float32Array, at = 0): void {
  for (let i = 0; i < part.length; i++) total[at + i]! += part[i]!;
}

class ModelStep implements FullStep {
  readonly parameters: readonly Parameter[];
  private readonly config: ModelConfig;
  readonly weights: ModelWeights;
  private readonly dropout: number;
  private readonly stages: Stages;
  /** Per layer: its weights and the adapter's as feeds. */
  private readonly layerFeeds: readonly Feeds[];
  /** Per layer: gradient output name -> accumulator. */
  private readonly gradients: readonly ReadonlyMap<string, Float32Array>[];
  /** The same for embedding, last norm and head, where they are trained. */
  private readonly outerGradients: ReadonlyMap<string, Float32Array>;

  constructor(
    config: ModelConfig,
    weights: ModelWeights,
    adapter: LoraAdapter | null,
    slots: readonly Slot[],
    stages: Stages,
  ) {
    this.config = config;
    this.weights = weights;
    this.dropout = adapter?.dropout ?? 0;
    this.stages = stages;
    this.parameters = slots.map(({ parameter }) => parameter);
    this.layerFeeds = weights.layers.map(
      (layer) => new Map([...layer].map(([name, values]) => [name, floats(values, shapeOf(config, name, values))])),
    );
    const gradients = weights.layers.map(() => new Map<string, Float32Array>());
    const outer = new Map<string, Float32Array>();
    for (const { layer, input, parameter } of slots) {
      if (layer === null) outer.set(input, parameter.gradient);
      else {
        this.layerFeeds[layer]!.set(input, floats(parameter.value, parameter.shape));
        gradients[layer]!.set(`d.${input}`, parameter.gradient);
      }
    }
    if (config.tiedHead && outer.has('embedding')) outer.set('output', outer.get('embedding')!);
    this.gradients = gradients;
    this.outerGradients = outer;
  }

  async accumulate(batch: PackedBatch, gradientScale: number, dropoutSeed: number): Promise<MicroBatchLoss> {
    const saved: SavedBlock[] = [];
    const feeds = this.batchFeeds(batch);
    const chunks = this.queryChunks(batch);
    const last = await this.forward(batch, feeds, chunks, dropoutSeed, saved);
    const dx = new Float32Array(last.length);
    const logp = await this.runHead(batch, last, gradientScale, dx);
    const first = await this.backward(saved, feeds, chunks, dropoutSeed, dx);
    this.collectEmbedding(batch, first);
    let lossSum = 0;
    for (const value of logp) lossSum -= value;
    return { lossSum, supervisedTokens: logp.length };
  }

  async logProbabilities(batch: PackedBatch): Promise<Float32Array> {
    const last = await this.forward(batch, this.batchFeeds(batch), this.queryChunks(batch), null, null);
    return this.runHead(batch, last, null, null);
  }

  async close(): Promise<void> {
    for (const stage of Object.values(this.stages) as Executor[]) await stage.close();
  }

  private batchFeeds(batch: PackedBatch): Feeds {
    const { cos, sin } = rotaryAngles(batch.positions, this.config, this.weights.ropeFactors);
    const shape = [batch.tokens.length, this.config.headDim / 2];
    return new Map([['cos', floats(cos, shape)], ['sin', floats(sin, shape)]]); // biome-ignore format: one line reads best
  }

  /** Cuts the queries into chunks; a chunk's keys begin where the segment of its first query begins. */
  private queryChunks(batch: PackedBatch): QueryChunk[] {
    const count = batch.tokens.length;
    const chunks: QueryChunk[] = [];
    for (let first = 0; first < count; first += queryRows) {
      const end = Math.min(count, first + queryRows);
      const keys = first - batch.positions[first]!;
      const width = end - keys;
      const bias = new Float32Array((end - first) * width).fill(hidden);
      for (let n = first; n < end; n++) {
        const row = (n - first) * width;
        bias.fill(0, row + n - batch.positions[n]! - keys, row + n - keys + 1);
      }
      chunks.push({ first, end, keys, bias: floats(bias, [end - first, width]) });
    }
    return chunks;
  }

  private maskFeeds(rows: number, layer: number, seed: number | null): Feeds {
    const feeds: Feeds = new Map();
    const rate = this.dropout;
    if (rate === 0) return feeds;
    const { feedForward, headDim, heads, modelWidth } = this.config;
    const widths = {
      'mask.pre': modelWidth,
      'mask.o': heads * headDim,
      'mask.mlp': modelWidth,
      'mask.down': feedForward,
    };
    Object.entries(widths).forEach(([name, width], stream) => {
      const values = dropoutMask(rows * width, seed === null ? 0 : rate, seed ?? 0, layer * 4 + stream);
      feeds.set(name, floats(values, [rows, width]));
    });
    return feeds;
  }

  /** Hidden states after the last block [N, D]; fills `saved` when given. `seed` null switches dropout off. */
  private async forward(
    batch: PackedBatch,
    shared: Feeds,
    chunks: QueryChunk[],
    seed: number | null,
    saved: SavedBlock[] | null,
  ): Promise<Float32Array> {
    const { headDim, heads, layers, modelWidth: width } = this.config;
    const rows = batch.tokens.length;
    let x = new Float32Array(rows * width);
    batch.tokens.forEach((token, n) => {
      x.set(this.weights.embedding.subarray(token * width, (token + 1) * width), n * width);
    });
    for (let layer = 0; layer < layers; layer++) {
      const feeds: Feeds = new Map([...this.layerFeeds[layer]!, ...shared, ...this.maskFeeds(rows, layer, seed)]);
      feeds.set('x', floats(x, [rows, width]));
      const { q, k, v, ...pre } = await this.stages.preForward.run(feeds);
      const o = new Float32Array(rows * heads * headDim);
      for (const chunk of chunks) {
        const out = await this.stages.attentionForward.run(this.attentionFeeds(chunk, q!, k!, v!));
        o.set(out.o!, chunk.first * heads * headDim);
      }
      feeds.set('o', floats(o, [rows, heads * headDim]));
      const { y, ...post } = await this.stages.postForward.run(feeds);
      saved?.push({ x, q: q!, k: k!, v: v!, o, pre, post });
      x = y as Float32Array<ArrayBuffer>;
    }
    return x;
  }

  private attentionFeeds(chunk: QueryChunk, q: Float32Array, k: Float32Array, v: Float32Array): Feeds {
    const { headDim, heads, kvHeads } = this.config;
    const wide = heads * headDim;
    const narrow = kvHeads * headDim;
    const keys = (values: Float32Array): Feed =>
      floats(values.subarray(chunk.keys * narrow, chunk.end * narrow), [chunk.end - chunk.keys, narrow]);
    return new Map([
      ['q', floats(q.subarray(chunk.first * wide, chunk.end * wide), [chunk.end - chunk.first, wide])],
      ['k', keys(k)],
      ['v', keys(v)],
      ['bias', chunk.bias],
    ]);
  }

  /** Log-probabilities of the supervised tokens in order; with a scale, adds the gradient of the scaled loss to `dx`. */
  private async runHead(
    batch: PackedBatch,
    last: Float32Array,
    scale: number | null,
    dx: Float32Array | null,
  ): Promise<Float32Array> {
    const { modelWidth: width, vocabulary } = this.config;
    const targets: number[] = [];
    batch.supervised.forEach((on, n) => {
      if (on && batch.positions[n]! > 0) targets.push(n);
    });
    const logp = new Float32Array(targets.length);
    const headRows = Math.max(1, Math.floor(headLogits / vocabulary));
    for (let first = 0; first < targets.length; first += headRows) {
      const chunk = targets.slice(first, first + headRows);
      const x = new Float32Array(chunk.length * width);
      chunk.forEach((n, i) => {
        x.set(last.subarray((n - 1) * width, n * width), i * width);
      });
      const feeds: Feeds = new Map([
        ['x', floats(x, [chunk.length, width])],
        [
          'target',
          integers(
            BigInt64Array.from(chunk, (n) => BigInt(batch.tokens[n]!)),
            [chunk.length, 1],
          ),
        ],
        ['output_norm', floats(this.weights.outputNorm, [width])],
        ['output', floats(this.weights.output, [vocabulary, width])],
      ]);
      if (scale !== null) feeds.set('d.logp', floats(new Float32Array(chunk.length).fill(-scale), [chunk.length, 1]));
      const out = await (scale === null ? this.stages.headForward : this.stages.head).run(feeds);
      logp.set(out.logp!, first);
      if (!dx) continue;
      for (const name of ['output', 'output_norm']) {
        const total = this.outerGradients.get(name);
        if (total) addTo(total, out[`d.${name}`]!);
      }
      const part = out['d.x']!;
      chunk.forEach((n, i) => {
        addTo(dx, part.subarray(i * width, (i + 1) * width), (n - 1) * width);
      });
    }
    return logp;
  }

  /** Walks the blocks back from the gradient `dx` of the last hidden states, adding to the parameters'; returns that of the embeddings. */
  private async backward(
    saved: SavedBlock[],
    shared: Feeds,
    chunks: QueryChunk[],
    seed: number,
    dx: Float32Array,
  ): Promise<Float32Array> {
    const { headDim, heads, kvHeads, modelWidth: width } = this.config;
    const rows = dx.length / width;
    const wide = heads * headDim;
    const narrow = kvHeads * headDim;
    let dy = dx;
    for (let layer = this.config.layers - 1; layer >= 0; layer--) {
      const block = saved.pop()!;
      const feeds: Feeds = new Map([...this.layerFeeds[layer]!, ...shared, ...this.maskFeeds(rows, layer, seed)]);
      feeds.set('x', floats(block.x, [rows, width]));
      feeds.set('o', floats(block.o, [rows, wide]));
      feeds.set('d.y', floats(dy, [rows, width]));
      for (const [name, values] of [...Object.entries(block.pre), ...Object.entries(block.post)]) {
        feeds.set(name, floats(values, [rows, values.length / rows]));
      }
      const post = await this.stages.postBackward.run(feeds);
      this.collect(layer, post);
      const dq = new Float32Array(rows * wide);
      const dk = new Float32Array(rows * narrow);
      const dv = new Float32Array(rows * narrow);
      for (const chunk of chunks) {
        const attentionFeeds = this.attentionFeeds(chunk, block.q, block.k, block.v);
        const d = post['d.o']!.subarray(chunk.first * wide, chunk.end * wide);
        attentionFeeds.set('d.o', floats(d, [chunk.end - chunk.first, wide]));
        const out = await this.stages.attentionBackward.run(attentionFeeds);
        dq.set(out['d.q']!, chunk.first * wide);
        addTo(dk, out['d.k']!, chunk.keys * narrow);
        addTo(dv, out['d.v']!, chunk.keys * narrow);
      }
      feeds.set('d.q', floats(dq, [rows, wide]));
      feeds.set('d.k', floats(dk, [rows, narrow]));
      feeds.set('d.v', floats(dv, [rows, narrow]));
      const pre = await this.stages.preBackward.run(feeds);
      this.collect(layer, pre);
      dy = post['d.x']!;
      addTo(dy, pre['d.x']!);
    }
    return dy;
  }

  /** Adds the gradient of the embedded tokens [N, D] to that of their rows. */
  private collectEmbedding(batch: PackedBatch, dx: Float32Array): void {
    const total = this.outerGradients.get('embedding');
    if (!total) return;
    const width = this.config.modelWidth;
    batch.tokens.forEach((token, n) => {
      addTo(total, dx.subarray(n * width, (n + 1) * width), token * width);
    });
  }

  private collect(layer: number, outputs: Record<string, Float32Array>): void {
    for (const [name, accumulator] of this.gradients[layer]!) {
      const part = outputs[name];
      if (part) addTo(accumulator, part);
    }
  }
}
