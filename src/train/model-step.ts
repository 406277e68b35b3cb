/**
 * The train step of a model: the forward pass (forward-pass.ts), the head (head-step.ts) and the backward pass over one micro-batch.
 * Promises gradients of the summed loss with respect to what is trained, exact in float32; its arrays are trained in place. Knows
 * nothing of data sets, schedules or files; open-step.ts opens one.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import { crossEntropy } from '../losses/token-losses.ts';
import { floats, type Tensors } from '../runtime/onnxruntime-node/executor.ts';
import type { DeviceModel, DevicePass } from './device-pass.ts';
import {
  type ForwardParts,
  ForwardPass,
  hiddenBytes,
  maxHiddenBytes,
  type Observe,
  type Pass,
} from './forward-pass.ts';
import { HeadStep, inGivenOrder } from './head-step.ts';
import { addTo, type Slot } from './slots.ts';
import type { SmallModel } from './small-model.ts';
import type { Loss, MicroBatchLoss, Parameter, TrainStep } from './step.ts';

export interface StepParts extends ForwardParts {
  /** What is trained. */
  readonly slots: readonly Slot[];
  /** Computes the blocks on a device; null where they are computed in this process's memory. */
  readonly device: DevicePass | null;
  /** Takes micro-batches in one call where the model is small. */
  readonly small: SmallModel | null;
}

export class ModelStep extends ForwardPass implements TrainStep {
  readonly parameters: readonly Parameter[];
  private readonly embeddingGradient: Float32Array | null;
  private readonly head: HeadStep;
  private readonly device: DevicePass | null;
  private readonly small: SmallModel | null;

  constructor({ device, slots, small, ...parts }: StepParts) {
    super(parts);
    const { base, config, stages } = parts;
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
    return this.base.streamed ? Math.floor(maxHiddenBytes / hiddenBytes(this.config)) : 0;
  }

  clearGradients(): void {
    for (const { gradient } of this.parameters) gradient.fill(0);
  }

  async accumulate(batches: readonly PackedBatch[], loss: Loss, seeds: readonly number[]): Promise<MicroBatchLoss> {
    let lossSum = 0;
    let supervisedTokens = 0;
    const sees = ({ batch }: Pass, logp: Float32Array): void => {
      lossSum += crossEntropy(batch, logp);
      supervisedTokens += logp.length;
    };
    for (const group of this.groups(batches, true)) {
      const passes = group.map((i, id) => this.pass(batches[i]!, seeds[i]!, true, id));
      const [alone] = passes;
      if (typeof loss === 'number' && alone && passes.length === 1 && this.small?.takes(alone)) {
        sees(alone, await this.accumulateWhole(alone, this.small, loss));
        continue;
      }
      const ends = await this.forward(passes);
      for (const [i, pass] of passes.entries()) {
        const dx = this.buffers.take(`${pass.id}.dy`, ends[i]!.length).fill(0);
        const given = batches[group[i]!]!;
        const own = typeof loss === 'number' ? loss : (logp: Float32Array): Float32Array => loss(logp, given);
        sees(pass, await this.head.run(pass, ends[i]!, { loss: own, dx }));
      }
      await this.backward(passes);
    }
    return { lossSum, supervisedTokens };
  }

  /** A micro-batch of a small model, in one call. */
  private async accumulateWhole(pass: Pass, small: SmallModel, scale: number): Promise<Float32Array> {
    for (const layer of this.trainedInputs) for (const input of layer) input.refresh();
    const x = this.embedded(pass);
    const dx = this.buffers.take(`${pass.id}.dy`, x.length);
    const logp = await small.accumulate(pass, scale, {
      x,
      dx,
      trainedInputs: this.trainedInputs,
      outer: this.head.gradients,
    });
    this.collectEmbedding(pass);
    return logp;
  }

  async logProbabilities(batches: readonly PackedBatch[]): Promise<Float32Array[]> {
    const results: Float32Array[] = [];
    for (const group of this.groups(batches, false)) {
      const passes = group.map((i, id) => this.pass(batches[i]!, null, false, id));
      const ends = await this.forward(passes);
      for (const [i, pass] of passes.entries())
        results.push(inGivenOrder(pass, await this.head.run(pass, ends[i]!, null)));
    }
    return results;
  }

  /**
   * Which batches are computed together, by their indices: all, or each alone on a device, and where backward follows and activations
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

  protected override async forward(passes: readonly Pass[], observe?: Observe): Promise<Float32Array[]> {
    if (!this.device) return super.forward(passes, observe);
    for (const layer of this.trainedInputs) for (const input of layer) input.refresh();
    const ends: Float32Array[] = [];
    for (const pass of passes) {
      ends.push(await this.device.forward(this.deviceModel(), pass, this.embedded(pass)));
    }
    return ends;
  }

  private deviceModel(): DeviceModel {
    const { base, config, trainedInputs, stages } = this;
    const { layers, modelWidth } = config;
    return {
      layers,
      modelWidth,
      stages,
      trainedInputs,
      layerInputs: async (pass, layer) => this.layerInputs(pass, layer, await base.layer(layer)),
      width: (name) => this.width(name),
    };
  }

  /**
   * Goes through the blocks backward from the gradients of the last hidden states (arrays `ID.dy`), adding to the parameters'.
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

  private async deviceBackward(device: DevicePass, passes: readonly Pass[]): Promise<void> {
    const wholly = this.embeddingGradient !== null;
    for (const pass of passes) {
      const dy = this.buffers.take(`${pass.id}.dy`, pass.rows * this.config.modelWidth);
      await device.backward(this.deviceModel(), pass, dy, wholly);
      this.collectEmbedding(pass);
    }
  }

  private async blockBackward(pass: Pass, layer: number, weights: Tensors): Promise<void> {
    const { rows } = pass;
    const { modelWidth } = this.config;
    const dy = this.array(`${pass.id}.dy`, rows, modelWidth);
    const inputs = this.layerInputs(pass, layer, weights).set('x', this.hiddenStates(pass, layer));
    await this.half?.get(layer);
    if (this.recomputes) await this.block(pass, layer, inputs, this.array('y', rows, modelWidth));
    for (const name of ['q', 'k', 'v', 'o']) inputs.set(name, this.kept(pass, layer, name));
    for (const stage of [this.stages.preForward, this.stages.postForward])
      this.savedTensors(pass, layer, stage, inputs);
    const ends = ['d.q', 'd.k', 'd.v', 'd.o'];
    const outputs = new Map(ends.map((name) => [name, this.array(name, rows, this.width(name.slice(2)))]));
    for (const { name, gradient } of this.trainedInputs[layer]!) {
      inputs.set(`sum.${name}`, gradient);
      outputs.set(`d.${name}`, gradient);
    }
    outputs.set('d.x', this.array('d.x', rows, modelWidth));
    inputs.set('d.y', dy);
    await this.stages.postBackward.run(inputs, outputs);
    const first = layer === 0 && this.embeddingGradient === null;
    const before = first ? this.stages.preBackwardFirst : this.stages.preBackward;
    if (before) {
      const read = picked(new Map([...inputs, ...outputs]), ['q', 'k', 'v', 'o', 'd.o']);
      const written = picked(outputs, ['d.q', 'd.k', 'd.v']);
      await this.attention.backward(pass, { read, written, keep: this.keep(pass, layer) });
      for (const [name, tensor] of written) inputs.set(name, tensor);
      inputs.set('d.through', outputs.get('d.x')!);
      outputs.set('d.x', dy);
      await before.run(inputs, outputs);
    }
    for (const input of this.trainedInputs[layer]!) input.collect();
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

const picked = (from: Tensors, names: readonly string[]): Tensors =>
  new Map(names.map((name) => [name, from.get(name)!]));
