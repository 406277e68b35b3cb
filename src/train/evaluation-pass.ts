/** A forward pass that nothing is learnt from: hidden states between the blocks, and what the head makes of them. */
import type { PackedBatch } from '../batches/packed-batch.ts';
import type { EvenAdapter } from '../lora/adapter.ts';
import type { BlockOptions, ProjectionGroup } from '../models/block-options.ts';
import type { ModelConfig } from '../models/config.ts';
import { head, int8Head } from '../models/head.ts';
import { Executor, floats, type Tensor } from '../runtime/onnxruntime-node/executor.ts';
import type { BaseWeights } from './base-weights.ts';
import { ForwardPass, type Observe } from './forward-pass.ts';
import { adapterInputs, adapterSlots } from './slots.ts';
import { openStages } from './stages.ts';

export interface EvaluationParts {
  readonly config: ModelConfig;
  readonly base: BaseWeights;
  readonly threads: number;
  /** Default: the base alone. */
  readonly adapter?: EvenAdapter | null;
}

/** Rows x [N, D] over their root mean square, times the norm's weight [D]. */
function rmsNormed(x: Float32Array, weight: Float32Array, epsilon: number): Float32Array {
  const normed = x.slice();
  for (let first = 0; first < x.length; first += weight.length) {
    const row = normed.subarray(first, first + weight.length);
    const scale = 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / weight.length + epsilon);
    for (let i = 0; i < row.length; i++) row[i]! *= scale * weight[i]!;
  }
  return normed;
}

/** Without dropout; its caller closes the weights. */
export class EvaluationPass extends ForwardPass {
  private readonly headLogits: Executor;

  private constructor(parts: ConstructorParameters<typeof ForwardPass>[0], headLogits: Executor) {
    super(parts);
    this.headLogits = headLogits;
  }

  static async open({ adapter = null, base, config, threads }: EvaluationParts): Promise<EvaluationPass> {
    const { biases, qkNorms, precision } = base;
    const [targets, rank] = adapter ? [adapter.targetModules, adapter.rank] : [[], 0];
    const options: BlockOptions = { trainable: 'adapter', targets, rank, dropout: false, biases, qkNorms, precision };
    const slots = adapter ? adapterSlots(adapter) : [];
    const trainedInputs = Array.from({ length: config.layers }, (_, layer) =>
      adapter
        ? adapterInputs(
            adapter,
            slots.filter((slot) => slot.layer === layer),
          )
        : [],
    );
    const graph = precision === 'int8' ? int8Head(config, 'logits') : head(config, 'logits');
    const stages = await openStages(config, options, { threads });
    const parts = { config, base, stages, trainedInputs, dropout: 0, activations: 'keep' } as const;
    return new EvaluationPass(parts, await Executor.create(graph, threads));
  }

  /** What leaves the last block, [N, D]; `observe` sees each layer's weights. */
  async last(batch: PackedBatch, observe?: Observe): Promise<Float32Array> {
    return (await this.forward([this.pass(batch, null, false)], observe))[0]!;
  }

  /** What enters each block, and last what leaves the last one, before the norm: [N, D] each, copies. A batch of one segment keeps its order. */
  async states(batch: PackedBatch): Promise<Float32Array[]> {
    const pass = this.pass(batch, null, false);
    const states: Float32Array[] = [];
    const end = await this.forward([pass], (layer) => {
      states.push(Float32Array.from(this.hiddenStates(pass, layer).data as Float32Array));
    });
    return [...states, Float32Array.from(end[0]!)];
  }

  /** Block by block what its projections read, by group, [N, width] each, before dropout: copies. Rows in the order of their lengths. */
  async *inputs(batch: PackedBatch): AsyncGenerator<ReadonlyMap<ProjectionGroup, Float32Array>> {
    const pass = this.pass(batch, null, false);
    const { normEpsilon } = this.config;
    for await (const { layer, weights } of this.blocks([pass])) {
      const values = (tensor: Tensor | undefined): Float32Array => tensor!.data as Float32Array;
      const kept = (name: string): Float32Array => values(this.kept(pass, layer, name));
      const normed = (x: Float32Array, norm: string): Float32Array =>
        rmsNormed(x, values(weights.get(norm)), normEpsilon);
      const up = kept('saved.up');
      yield new Map<ProjectionGroup, Float32Array>([
        ['pre', normed(values(this.hiddenStates(pass, layer)), 'attn_norm')],
        ['o', kept('o').slice()],
        ['mlp', normed(kept('saved.mid'), 'ffn_norm')],
        ['down', kept('saved.gate').map((gate, i) => (gate / (1 + Math.exp(-gate))) * up[i]!)],
      ]);
    }
  }

  /** Logits [rows, vocabulary] of hidden states [rows, D]: the norm and the head. */
  async logits(x: Float32Array): Promise<Float32Array> {
    const { modelWidth, vocabulary } = this.config;
    const rows = x.length / modelWidth;
    const logits = new Float32Array(rows * vocabulary);
    const outputs = new Map([['logits', floats(logits, [rows, vocabulary])]]);
    await this.headLogits.run(new Map([...this.base.head, ['x', floats(x, [rows, modelWidth])]]), outputs);
    return logits;
  }

  async close(): Promise<void> {
    await this.stages.close();
    await this.headLogits.close();
  }
}
