/**
 * The train step of a model: walks the blocks forward, the head, and the blocks backward over one micro-batch.
 * What is trained is a parameter: an adapter (LoRA), or every weight. Promises gradients of the summed loss with respect to it,
 * exact in float32; its arrays are trained in place. Knows nothing of data sets, schedules or files beyond the model it reads.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../files/gguf/types.ts';
import type { Device } from '../graph/onnx/emit.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { type ModelConfig, projectionDimensions, readModelConfig } from '../models/config.ts';
import { type ModelWeights, readWeights } from '../models/weights.ts';
import { DeviceMemory } from '../runtime/onnxruntime-node/device-memory.ts';
import { type Feed, type Feeds, floats, integers } from '../runtime/onnxruntime-node/executor.ts';
import { type BaseWeights, fileWeights, float32Weights } from './base-weights.ts';
import { BlockWalk, type Pass } from './block-walk.ts';
import { Buffers } from './buffers.ts';
import { DeviceWalk, onDevice, type Walked } from './device-walk.ts';
import type { QueryChunk } from './query-chunks.ts';
import {
  adapterInputs,
  adapterSlots,
  addTo,
  type Slot,
  type TrainedInput,
  weightInputs,
  weightSlots,
} from './slots.ts';
import { closeStages, openStages, type Stages } from './stages.ts';
import type { MicroBatchLoss, Parameter, TrainStep } from './step.ts';

/** Logits of one head call take at most this many floats, 25 MB: 128 supervised rows of 49152 tokens. */
const headLogits = 128 * 49152;

export interface StepOptions {
  readonly model: GgufFile;
  /** Threads of the engine; physical cores is best. Results are repeatable for equal numbers. */
  readonly threads: number;
  /** Where the graphs run; default: cpu. WebGPU takes float32 weights only. */
  readonly device?: Device;
}
export interface LoraStepOptions extends StepOptions {
  readonly adapter: LoraAdapter;
  /** The frozen weights; default: all in memory, float32. */
  readonly weights?: BaseWeights;
}

/** A step that trains every weight, and the weights themselves, which it changes in place. */
export interface FullStep extends TrainStep {
  readonly weights: ModelWeights;
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
export async function createLoraStep({
  adapter,
  device,
  model,
  threads,
  weights,
}: LoraStepOptions): Promise<TrainStep> {
  const config = readModelConfig(model);
  checkAdapter(adapter, config);
  const memory = device === 'webgpu' ? await DeviceMemory.open() : null;
  const base = memory
    ? await onDevice(weights ?? fileWeights(model, config), config.layers, memory)
    : (weights ?? float32Weights(config, readWeights(model, config)));
  const { biases, headNorms, precision } = base;
  const { rank, targetModules } = adapter;
  const options = { trainable: 'adapter', targets: targetModules, rank, dropout: adapter.dropout > 0 } as const;
  const stages = await openStages(config, { ...options, biases, headNorms, precision }, threads, device);
  const slots = adapterSlots(adapter);
  const inputs = Array.from({ length: config.layers }, (_, layer) => {
    const own = slots.filter((s) => s.layer === layer);
    return adapterInputs(adapter, own, base.smoothing(layer));
  });
  const walk = memory && (await DeviceWalk.open(memory));
  return new ModelStep(config, base, stages, slots, inputs, adapter.dropout, walk);
}

/** Opens the engine and reads the weights, all of which are trained, in float32. */
export async function createFullStep({ device, model, threads }: StepOptions): Promise<FullStep> {
  const config = readModelConfig(model);
  const weights = readWeights(model, config);
  const base = float32Weights(config, weights);
  const { biases, headNorms } = base;
  const options = { trainable: 'all', targets: [], rank: 0, dropout: false, precision: 'f32' } as const;
  const stages = await openStages(config, { ...options, biases, headNorms }, threads, device);
  const slots = weightSlots(config, weights);
  const scratch = new Buffers();
  const inputs = weights.layers.map((_, layer) =>
    weightInputs(
      slots.filter((s) => s.layer === layer),
      (name, length) => scratch.take(name, length),
    ),
  );
  const walk = device === 'webgpu' ? await DeviceWalk.open(await DeviceMemory.open()) : null;
  return Object.assign(new ModelStep(config, base, stages, slots, inputs, 0, walk), { weights });
}

class ModelStep extends BlockWalk implements TrainStep {
  readonly parameters: readonly Parameter[];
  /** Gradients of embedding, last norm and head, where they are trained. */
  private readonly outerGradients: ReadonlyMap<string, Float32Array>;
  /** Walks the blocks on a device; null where they are walked in this process's memory. */
  private readonly device: DeviceWalk | null;

  constructor(
    config: ModelConfig,
    base: BaseWeights,
    stages: Stages,
    slots: readonly Slot[],
    inputs: readonly (readonly TrainedInput[])[],
    dropout: number,
    device: DeviceWalk | null,
  ) {
    super(config, base, stages, inputs, dropout);
    this.device = device;
    this.parameters = slots.map(({ parameter }) => parameter);
    const outer = new Map(slots.flatMap((s) => (s.layer === null ? [[s.input, s.parameter.gradient]] : [])));
    if (config.tiedHead && outer.has('embedding')) outer.set('output', outer.get('embedding')!);
    this.outerGradients = outer;
  }

  async accumulate(batch: PackedBatch, gradientScale: number, dropoutSeed: number): Promise<MicroBatchLoss> {
    const pass = this.pass(batch, dropoutSeed, true);
    const last = await this.walk(pass);
    const dx = this.buffers.take('dy.0', last.length).fill(0);
    const logp = await this.runHead(batch, last, gradientScale, dx);
    const first = await this.backward(pass, dx);
    this.collectEmbedding(batch, first);
    let lossSum = 0;
    for (const value of logp) lossSum -= value;
    return { lossSum, supervisedTokens: logp.length };
  }

  async logProbabilities(batch: PackedBatch): Promise<Float32Array> {
    const last = await this.walk(this.pass(batch, null, false));
    return this.runHead(batch, last, null, null);
  }

  close(): Promise<void> {
    return this.device ? this.device.close(this.stages) : closeStages(this.stages);
  }

  protected override walk(pass: Pass): Promise<Float32Array> {
    if (!this.device) return super.walk(pass);
    const x = this.buffers.take('x.0', pass.rows * this.config.modelWidth);
    this.base.embed(pass.batch.tokens, x);
    return this.device.forward(this.walked(), pass, x);
  }

  private walked(): Walked {
    const { config, inputs, stages } = this;
    const { layers, modelWidth } = config;
    const layerFeeds: Walked['layerFeeds'] = (pass, layer) => this.layerFeeds(pass, layer);
    return { layers, modelWidth, stages, inputs, layerFeeds, width: (name) => this.width(name) };
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
    const { head: weights } = this.base;
    for (let first = 0; first < targets.length; first += headRows) {
      const chunk = targets.slice(first, first + headRows);
      const rows = chunk.length;
      const x = this.array('head.x', rows, width);
      chunk.forEach((n, i) => {
        (x.data as Float32Array).set(last.subarray((n - 1) * width, n * width), i * width);
      });
      const target = BigInt64Array.from(chunk, (n) => BigInt(batch.tokens[n]!));
      const feeds = new Map([...weights, ['x', x], ['target', integers(target, [rows, 1])]]);
      const into = new Map([['logp', floats(logp.subarray(first, first + rows), [rows, 1])]]);
      if (scale === null || !dx) {
        await this.stages.headForward.run(feeds, into);
        continue;
      }
      feeds.set('d.logp', floats(new Float32Array(rows).fill(-scale), [rows, 1]));
      if (this.base.precision === 'int8') feeds.set('target_rows', this.targetRows(target, rows));
      into.set('d.x', this.array('head.dx', rows, width));
      const trained = ['output', 'output_norm'].filter((name) => this.outerGradients.has(name));
      for (const name of trained) {
        const { dims, data } = weights.get(name)!;
        into.set(`d.${name}`, floats(this.buffers.take(`d.${name}`, data.length), dims));
      }
      await this.stages.head.run(feeds, into);
      for (const name of trained) addTo(this.outerGradients.get(name)!, into.get(`d.${name}`)!.data as Float32Array);
      const part = into.get('d.x')!.data as Float32Array;
      chunk.forEach((n, i) => {
        addTo(dx, part.subarray(i * width, (i + 1) * width), (n - 1) * width);
      });
    }
    return logp;
  }

  /** The head's rows [R, D] of the target tokens, from its int8 columns. */
  private targetRows(target: BigInt64Array, rows: number): Feed {
    const { modelWidth: width, vocabulary } = this.config;
    const values = this.base.head.get('output')!.data as Int8Array;
    const scales = this.base.head.get('output.scale')!.data as Float32Array;
    const feed = this.array('head.rows', rows, width);
    const out = feed.data as Float32Array;
    for (let i = 0; i < rows; i++) {
      const token = Number(target[i]);
      const scale = scales[token]!;
      for (let d = 0; d < width; d++) out[i * width + d] = values[d * vocabulary + token]! * scale;
    }
    return feed;
  }

  /**
   * Walks the blocks back from the gradient `dx` of the last hidden states (array `dy.0`), adding to the parameters';
   * returns that of the embeddings, or null where no weight needs it.
   */
  private async backward(pass: Pass, dx: Float32Array): Promise<Float32Array | null> {
    if (this.device) return this.device.backward(this.walked(), pass, dx, this.outerGradients.has('embedding'));
    const { rows } = pass;
    const { modelWidth } = this.config;
    let dy = floats(dx, [rows, modelWidth]);
    for (let layer = this.config.layers - 1; layer >= 0; layer--) {
      const feeds = this.layerFeeds(pass, layer);
      feeds.set('x', this.array(`x.${layer}`, rows, modelWidth));
      for (const name of ['q', 'k', 'v', 'o']) feeds.set(name, this.kept(pass, layer, name));
      for (const stage of [this.stages.preForward, this.stages.postForward]) this.savedFeeds(pass, layer, stage, feeds);
      feeds.set('d.y', dy);
      const into = new Map(
        ['d.q', 'd.k', 'd.v', 'd.o'].map((name) => [name, this.array(name, rows, this.width(name.slice(2)))]),
      );
      for (const { name, gradient } of this.inputs[layer]!) into.set(`d.${name}`, gradient);
      into.set('d.x', this.array('dy.1', rows, modelWidth));
      await this.stages.postBackward.run(feeds, into);
      const first = layer === 0 && !this.outerGradients.has('embedding');
      const before = first ? this.stages.preBackwardFirst : this.stages.preBackward;
      if (before) {
        await this.attentionBackward(pass.chunks, feeds, into);
        for (const name of ['d.q', 'd.k', 'd.v']) feeds.set(name, into.get(name)!);
        feeds.set('d.through', into.get('d.x')!);
        dy = this.array('dy.0', rows, modelWidth);
        into.set('d.x', dy);
        await before.run(feeds, into);
      }
      for (const input of this.inputs[layer]!) input.collect();
    }
    return this.outerGradients.has('embedding') ? (dy.data as Float32Array) : null;
  }

  /** From `d.o` to `d.q`, `d.k` and `d.v`, in place where a chunk has its keys for itself. */
  private async attentionBackward(chunks: readonly QueryChunk[], feeds: Feeds, into: Feeds): Promise<void> {
    const pick = (from: Feeds, names: readonly string[]): Map<string, Feed> =>
      new Map(names.map((name) => [name, from.get(name)!]));
    const read = new Map([...pick(feeds, ['q', 'k', 'v']), ...pick(into, ['d.o'])]);
    const written = pick(into, ['d.q', 'd.k', 'd.v']);
    for (const name of ['d.k', 'd.v']) (written.get(name)!.data as Float32Array).fill(0);
    for (const chunk of chunks) {
      const from = this.chunkFeeds(chunk, read, ['q', 'd.o']);
      const to = this.chunkFeeds(chunk, written, ['d.q']);
      if (chunk.alone) {
        await this.stages.attentionBackward.run(from, to);
        continue;
      }
      const totals = ['d.k', 'd.v'].map((name) => [name, to.get(name)!] as const);
      for (const [name, { dims }] of totals) to.set(name, this.array(`part.${name}`, dims[0]!, dims[1]!));
      await this.stages.attentionBackward.run(from, to);
      for (const [name, total] of totals) addTo(total.data as Float32Array, to.get(name)!.data as Float32Array);
    }
  }

  /** Adds the gradient of the embedded tokens [N, D] to that of their rows. */
  private collectEmbedding(batch: PackedBatch, dx: Float32Array | null): void {
    const total = this.outerGradients.get('embedding');
    if (!total || !dx) return;
    const width = this.config.modelWidth;
    batch.tokens.forEach((token, n) => {
      addTo(total, dx.subarray(n * width, (n + 1) * width), token * width);
    });
  }
}
