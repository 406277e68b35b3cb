/**
 * The train step of a model: walks the blocks forward, the head (head-step.ts), and the blocks backward over one micro-batch.
 * Promises gradients of the summed loss with respect to what is trained, exact in float32; its arrays are trained in place. Knows
 * nothing of data sets, schedules or files; open-step.ts opens one.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import { type Feeds, floats } from '../runtime/onnxruntime-node/executor.ts';
import { BlockWalk, borderBytes, mostBorderBytes, type Observe, type Pass, type WalkParts } from './block-walk.ts';
import type { DeviceWalk, Walked } from './device-walk.ts';
import { HeadStep, inGivenOrder } from './head-step.ts';
import { addTo, type Slot } from './slots.ts';
import type { SmallModel } from './small-model.ts';
import type { MicroBatchLoss, Parameter, TrainStep } from './step.ts';

export interface StepParts extends WalkParts {
  /** What is trained. */
  readonly slots: readonly Slot[];
  /** Walks the blocks on a device; null where they are walked in this process's memory. */
  readonly device: DeviceWalk | null;
  /** Takes micro-batches in one call where the model is small. */
  readonly small: SmallModel | null;
}

export class ModelStep extends BlockWalk implements TrainStep {
  readonly parameters: readonly Parameter[];
  private readonly embeddingGradient: Float32Array | null;
  private readonly head: HeadStep;
  private readonly device: DeviceWalk | null;
  private readonly small: SmallModel | null;

  constructor({ device, slots, small, ...walk }: StepParts) {
    super(walk);
    const { base, config, stages } = walk;
    this.device = device;
    this.small = small;
    this.parameters = slots.map(({ parameter }) => parameter);
    const gradientOf = (input: string): Float32Array | null =>
      slots.find((s) => s.layer === null && s.input === input)?.parameter.gradient ?? null;
    this.embeddingGradient = gradientOf('embedding');
    const heads = [...base.head].flatMap(([name, { dims }]) => {
      const gradient = gradientOf(name === 'output' && config.tiedHead ? 'embedding' : name);
      return gradient ? [[name, floats(gradient, dims)] as const] : [];
    });
    this.head = new HeadStep({ base, config, stages, buffers: this.buffers, gradients: new Map(heads) });
  }

  /** Weights that come from the disk are read once for all micro-batches of a step. */
  get together(): boolean {
    return this.base.streamed;
  }

  get evaluatedTogether(): number {
    return this.base.streamed ? Math.floor(mostBorderBytes / borderBytes(this.config)) : 0;
  }

  clearGradients(): void {
    for (const { gradient } of this.parameters) gradient.fill(0);
  }

  async accumulate(
    batches: readonly PackedBatch[],
    gradientScale: number,
    seeds: readonly number[],
  ): Promise<MicroBatchLoss> {
    let lossSum = 0;
    let supervisedTokens = 0;
    for (const group of this.groups(batches, true)) {
      const passes = group.map((i, id) => this.pass(batches[i]!, seeds[i]!, true, id));
      const [alone] = passes;
      if (alone && passes.length === 1 && this.small?.takes(alone)) {
        const logp = await this.accumulateWhole(alone, this.small, gradientScale);
        for (const value of logp) lossSum -= value;
        supervisedTokens += logp.length;
        continue;
      }
      const ends = await this.walk(passes);
      for (const [i, pass] of passes.entries()) {
        const dx = this.buffers.take(`${pass.id}.dy`, ends[i]!.length).fill(0);
        const logp = await this.head.run(pass, ends[i]!, { scale: gradientScale, dx });
        for (const value of logp) lossSum -= value;
        supervisedTokens += logp.length;
      }
      await this.backward(passes);
    }
    return { lossSum, supervisedTokens };
  }

  /** A micro-batch of a small model, in one call. */
  private async accumulateWhole(pass: Pass, small: SmallModel, scale: number): Promise<Float32Array> {
    for (const inputs of this.inputs) for (const input of inputs) input.refresh();
    const x = this.border(pass, 0).data as Float32Array;
    this.base.embed(pass.batch.tokens, x);
    const dx = this.buffers.take(`${pass.id}.dy`, x.length);
    const logp = await small.accumulate(pass, scale, { x, dx, inputs: this.inputs, outer: this.head.gradients });
    this.collectEmbedding(pass);
    return logp;
  }

  async logProbabilities(batches: readonly PackedBatch[]): Promise<Float32Array[]> {
    const results: Float32Array[] = [];
    for (const group of this.groups(batches, false)) {
      const passes = group.map((i, id) => this.pass(batches[i]!, null, false, id));
      const ends = await this.walk(passes);
      for (const [i, pass] of passes.entries())
        results.push(inGivenOrder(pass, await this.head.run(pass, ends[i]!, null)));
    }
    return results;
  }

  /**
   * Which batches are walked together, by their indices: all, or each alone on a device, and where backward follows and activations
   * are kept in whatever form, because there is memory for those of one.
   */
  private groups(batches: readonly PackedBatch[], saves: boolean): number[][] {
    const all = batches.map((_, i) => i);
    return this.device || (saves && !this.recomputes) ? all.map((i) => [i]) : [all];
  }

  async release(): Promise<void> {
    this.buffers.clear();
    this.half?.clear();
    await this.stages.release();
    await this.small?.close();
  }

  async close(): Promise<void> {
    // The device's buffers go after the sessions that read them.
    await this.stages.close();
    await this.device?.close();
    await this.small?.close();
    await this.half?.close();
    this.base.close();
    this.buffers.clear();
  }

  protected override async walk(passes: readonly Pass[], observe?: Observe): Promise<Float32Array[]> {
    if (!this.device) return super.walk(passes, observe);
    for (const inputs of this.inputs) for (const input of inputs) input.refresh();
    const ends: Float32Array[] = [];
    for (const pass of passes) {
      const x = this.border(pass, 0).data as Float32Array;
      this.base.embed(pass.batch.tokens, x);
      ends.push(await this.device.forward(this.walked(), pass, x));
    }
    return ends;
  }

  private walked(): Walked {
    const { base, config, inputs, stages } = this;
    const { layers, modelWidth } = config;
    return {
      layers,
      modelWidth,
      stages,
      inputs,
      layerFeeds: async (pass, layer) => this.layerFeeds(pass, layer, await base.layer(layer)),
      width: (name) => this.width(name),
    };
  }

  /**
   * Walks the blocks back from the gradients of the last hidden states (arrays `ID.dy`), adding to the parameters'.
   * Those arrays hold the gradient of each block's input in turn.
   */
  private async backward(passes: readonly Pass[]): Promise<void> {
    if (this.device) return this.deviceBackward(this.device, passes);
    for (let layer = this.config.layers - 1; layer >= 0; layer--) {
      const weights = await this.base.layer(layer, Math.max(layer - 1, 0));
      for (const pass of passes) await this.blockBackward(pass, layer, weights);
    }
    for (const pass of passes) this.collectEmbedding(pass);
  }

  private async deviceBackward(device: DeviceWalk, passes: readonly Pass[]): Promise<void> {
    const wholly = this.embeddingGradient !== null;
    for (const pass of passes) {
      const dy = this.buffers.take(`${pass.id}.dy`, pass.rows * this.config.modelWidth);
      await device.backward(this.walked(), pass, dy, wholly);
      this.collectEmbedding(pass);
    }
  }

  private async blockBackward(pass: Pass, layer: number, weights: Feeds): Promise<void> {
    const { rows } = pass;
    const { modelWidth } = this.config;
    const dy = this.array(`${pass.id}.dy`, rows, modelWidth);
    const feeds = this.layerFeeds(pass, layer, weights).set('x', this.border(pass, layer));
    await this.half?.get(layer);
    if (this.recomputes) await this.block(pass, layer, feeds, this.array('y', rows, modelWidth));
    for (const name of ['q', 'k', 'v', 'o']) feeds.set(name, this.kept(pass, layer, name));
    for (const stage of [this.stages.preForward, this.stages.postForward]) this.savedFeeds(pass, layer, stage, feeds);
    const ends = ['d.q', 'd.k', 'd.v', 'd.o'];
    const into = new Map(ends.map((name) => [name, this.array(name, rows, this.width(name.slice(2)))]));
    for (const { name, gradient } of this.inputs[layer]!) {
      feeds.set(`sum.${name}`, gradient);
      into.set(`d.${name}`, gradient);
    }
    into.set('d.x', this.array('d.x', rows, modelWidth));
    feeds.set('d.y', dy);
    await this.stages.postBackward.run(feeds, into);
    const first = layer === 0 && this.embeddingGradient === null;
    const before = first ? this.stages.preBackwardFirst : this.stages.preBackward;
    if (before) {
      const read = picked(new Map([...feeds, ...into]), ['q', 'k', 'v', 'o', 'd.o']);
      const written = picked(into, ['d.q', 'd.k', 'd.v']);
      await this.attention.backward(pass.attention, { read, written, keep: this.keep(pass, layer) });
      for (const [name, feed] of written) feeds.set(name, feed);
      feeds.set('d.through', into.get('d.x')!);
      into.set('d.x', dy);
      await before.run(feeds, into);
    }
    for (const input of this.inputs[layer]!) input.collect();
  }

  /** Adds the gradient of the embedded tokens [N, D] to that of their rows. */
  private collectEmbedding({ batch, id, rows }: Pass): void {
    const total = this.embeddingGradient;
    if (!total) return;
    const width = this.config.modelWidth;
    const dx = this.buffers.take(`${id}.dy`, rows * width);
    batch.tokens.forEach((token, n) => {
      addTo(total, dx.subarray(n * width, (n + 1) * width), token * width);
    });
  }
}

const picked = (from: Feeds, names: readonly string[]): Feeds => new Map(names.map((name) => [name, from.get(name)!]));
