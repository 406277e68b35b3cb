/** The head over a micro-batch, forward and backward, as many rows at once as memory is to be spent on. */
import { targetsOf } from '../losses/token-losses.ts';
import type { ModelConfig } from '../models/config.ts';
import { floats, integers, type Tensor, type Tensors } from '../runtime/onnxruntime-node/executor.ts';
import type { BaseWeights } from './base-weights.ts';
import type { Buffers } from './buffers.ts';
import type { Pass } from './forward-pass.ts';
import { HeadThresholds } from './head-thresholds.ts';
import { maxHeadRows } from './lm-head-rows.ts';
import { addTo } from './slots.ts';
import type { Stages } from './stages.ts';

interface HeadParts {
  readonly base: BaseWeights;
  readonly config: ModelConfig;
  readonly stages: Pick<Stages, 'head' | 'headForward'>;
  readonly buffers: Buffers;
  /** Gradients of the head's `output` and `output_norm`, where they are trained. */
  readonly gradients: Tensors;
}

/** What backward is done with. */
interface HeadBackward {
  /** The scale of the cross-entropy, or from log-probabilities in the order of the batch as it was given to their gradients. */
  readonly loss: number | ((logProbabilities: Float32Array) => Float32Array);
  /** The gradient of the hidden states, which is added to. */
  readonly dx: Float32Array;
}

/** Backward for seeds that are known beforehand. */
interface SeededBackward {
  /** d.logp of the i-th target. */
  readonly seed: (target: number, i: number) => number;
  /** Takes the gradients d.x of some targets, from the `first` on, [some, D]. */
  readonly take: (part: Float32Array, first: number, targets: readonly number[]) => void;
}

export class HeadStep {
  readonly gradients: Tensors;
  private readonly base: BaseWeights;
  private readonly config: ModelConfig;
  private readonly stages: HeadParts['stages'];
  private readonly buffers: Buffers;
  /** Of an int8 head. */
  private readonly thresholds: HeadThresholds | null;

  constructor({ base, buffers, config, gradients, stages }: HeadParts) {
    this.base = base;
    this.config = config;
    this.stages = stages;
    this.buffers = buffers;
    this.gradients = gradients;
    this.thresholds = base.precision === 'int8' ? new HeadThresholds(config.vocabulary) : null;
  }

  /** From the last hidden states [N, D] the log-probabilities of the supervised tokens in order; with `backward` their gradients too. */
  run(pass: Pass, last: Float32Array, backward: HeadBackward | null): Promise<Float32Array> {
    if (!backward) return this.compute(pass, last, null);
    const { dx, loss } = backward;
    if (typeof loss === 'function') return this.runWithLoss(pass, last, { dx, loss });
    const width = this.config.modelWidth;
    const { weights } = pass.batch;
    return this.compute(pass, last, {
      seed: weights ? (n) => -loss * weights[n]! : () => -loss,
      take: (part, _, targets) => {
        targets.forEach((n, i) => {
          addTo(dx, part.subarray(i * width, (i + 1) * width), (n - 1) * width);
        });
      },
    });
  }

  /**
   * The same where the loss is known only once the log-probabilities are. d.x of a row is linear in that row's d.logp, so it is computed for
   * -1 and scaled afterwards, and the head is not computed again; what is trained in a head is summed over rows inside the graph, and is not.
   */
  private async runWithLoss(
    pass: Pass,
    last: Float32Array,
    { dx, loss }: { readonly dx: Float32Array; readonly loss: (logProbabilities: Float32Array) => Float32Array },
  ): Promise<Float32Array> {
    if (this.gradients.size > 0) throw new Error('step: a loss of log-probabilities wants a head that is not trained');
    const width = this.config.modelWidth;
    const targets = targetsOf(pass.batch);
    const unit = this.buffers.take('head.unit', targets.length * width);
    const logp = await this.compute(pass, last, {
      seed: () => -1,
      take: (part, first) => unit.set(part, first * width),
    });
    const weights = fromGivenOrder(pass, loss(inGivenOrder(pass, logp)));
    targets.forEach((n, i) => {
      const [from, to, weight] = [i * width, (n - 1) * width, -weights[i]!];
      for (let d = 0; d < width; d++) dx[to + d]! += unit[from + d]! * weight;
    });
    return logp;
  }

  private async compute(
    { batch, seed }: Pass,
    last: Float32Array,
    backward: SeededBackward | null,
  ): Promise<Float32Array> {
    const { modelWidth: width, vocabulary } = this.config;
    const targets = targetsOf(batch);
    const logp = new Float32Array(targets.length);
    const calls = Math.ceil(targets.length / maxHeadRows(vocabulary, this.gradients.size > 0));
    const headRows = Math.ceil(targets.length / calls);
    const { head: weights } = this.base;
    for (let first = 0; first < targets.length; first += headRows) {
      const chunk = targets.slice(first, first + headRows);
      const rows = chunk.length;
      const x = this.array('head.x', rows, width);
      chunk.forEach((n, i) => {
        (x.data as Float32Array).set(last.subarray((n - 1) * width, n * width), i * width);
      });
      const target = BigInt64Array.from(chunk, (n) => BigInt(batch.tokens[n]!));
      const inputs = new Map([...weights, ['x', x], ['target', integers(target, [rows, 1])]]);
      const outputs = new Map([['logp', floats(logp.subarray(first, first + rows), [rows, 1])]]);
      if (!backward) {
        await this.stages.headForward.run(inputs, outputs);
        continue;
      }
      inputs.set('d.logp', floats(Float32Array.from(chunk, backward.seed), [rows, 1]));
      if (this.thresholds) {
        if (this.stages.head.inputs.includes('target_rows')) inputs.set('target_rows', this.targetRows(target, rows));
        if (seed === null) throw new Error('step: an int8 head rounds by a seed, and there is none');
        inputs.set('thresholds', floats(this.thresholds.of(seed, first), [vocabulary]));
      }
      outputs.set('d.x', this.array('head.dx', rows, width));
      const collect = this.headSums(inputs, outputs);
      await this.stages.head.run(inputs, outputs);
      collect();
      backward.take(outputs.get('d.x')!.data as Float32Array, first, chunk);
    }
    return logp;
  }

  /** Inputs and outputs for the gradients of what is trained in the head; returns what brings them to the parameters' afterwards. */
  private headSums(inputs: Map<string, Tensor>, outputs: Map<string, Tensor>): () => void {
    const adds = this.stages.head.inputs.includes('sum.output');
    const made = [...this.gradients].map(([name, total]) => {
      const { data, dims } = total;
      const own = adds ? total : floats(this.buffers.take(`d.${name}`, data.length), dims);
      inputs.set(`sum.${name}`, own);
      outputs.set(`d.${name}`, own);
      return [total, own] as const;
    });
    return () => {
      if (adds) return;
      for (const [total, own] of made) addTo(total.data as Float32Array, own.data as Float32Array);
    };
  }

  /** The head's rows [R, D] of the target tokens, as in its int8 values. */
  private targetRows(target: BigInt64Array, rows: number): Tensor {
    const { modelWidth: width } = this.config;
    const values = this.base.head.get('output.transposed')!.data as Int8Array;
    const scales = this.base.head.get('output.scale')!.data as Float32Array;
    const tensor = this.array('head.rows', rows, width);
    const out = tensor.data as Float32Array;
    for (let i = 0; i < rows; i++) {
      const token = Number(target[i]);
      const scale = scales[token]!;
      for (let d = 0; d < width; d++) out[i * width + d] = values[token * width + d]! * scale;
    }
    return tensor;
  }

  /** An array [rows, width] of the step's own, as a tensor. */
  private array(name: string, rows: number, width: number): Tensor {
    return floats(this.buffers.take(name, rows * width), [rows, width]);
  }
}

/** For each target, in the order of the batch as it was given, which of the pass's targets it is. */
function ranks({ batch, permutation }: Pass): number[] {
  const rank = new Map(targetsOf(batch).map((n, i) => [n, i]));
  return Array.from(permutation, (row) => rank.get(row)).filter((i) => i !== undefined);
}

/** Values of the pass's targets, in the order of the batch as it was given. */
export const inGivenOrder = (pass: Pass, values: Float32Array): Float32Array =>
  Float32Array.from(ranks(pass), (i) => values[i]!);

/** The way back. */
function fromGivenOrder(pass: Pass, values: Float32Array): Float32Array {
  const found = new Float32Array(values.length);
  ranks(pass).forEach((i, given) => {
    found[i] = values[given]!;
  });
  return found;
}
