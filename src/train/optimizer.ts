/**
 * AdamW as torch.optim.AdamW computes it: decoupled weight decay, epsilon outside the root. https://arxiv.org/abs/1711.05101
 * Pure: state in, state changed in place; no engine.
 */
import type { Parameter } from './step.ts';
import { type AdamWFactors, TensorMemory, zerosLike } from './tensor-memory.ts';

export interface AdamWOptions {
  readonly weightDecay: number;
  /** What gradients are multiplied by as they are read: see `clipping`. */
  readonly clip?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** First and second moments per parameter, in the parameters' order, and the number of updates made. */
export interface AdamWState {
  updates: number;
  readonly first: readonly Float32Array[];
  readonly second: readonly Float32Array[];
}

export function initAdamW(parameters: readonly Parameter[]): AdamWState {
  return {
    updates: 0,
    first: parameters.map(({ value }) => zerosLike(value)),
    second: parameters.map(({ value }) => zerosLike(value)),
  };
}

/** One update of every parameter from its gradient. */
export function updateAdamW(
  parameters: readonly Parameter[],
  state: AdamWState,
  learningRate: number,
  options: AdamWOptions,
): void {
  const { beta1 = 0.9, beta2 = 0.999, clip = 1, epsilon = 1e-8, weightDecay } = options;
  state.updates += 1;
  // The moments' corrections, brought out of the loop: m s / (sqrt(v) + e) instead of m step / (sqrt(v) / root + epsilon).
  const root = Math.sqrt(1 - beta2 ** state.updates);
  const step = (learningRate * root) / (1 - beta1 ** state.updates);
  const factors = { beta1, beta2, clip, step, least: epsilon * root };
  parameters.forEach(({ decays, gradient, value }, p) => {
    const keep = decays ? 1 - learningRate * weightDecay : 1;
    const arrays = { value, gradient, first: state.first[p]!, second: state.second[p]! };
    const memory = TensorMemory.of(value);
    const within = memory && Object.values(arrays).every((array) => TensorMemory.of(array) === memory);
    if (within) memory.update(arrays, { ...factors, keep });
    else updateTensor(arrays, { ...factors, keep });
  });
}

/** A function of its own: as a closure in a loop it runs half as fast. */
function updateTensor(
  { first, gradient, second, value }: Readonly<Record<'value' | 'gradient' | 'first' | 'second', Float32Array>>,
  { beta1, beta2, clip, keep, least, step }: AdamWFactors,
): void {
  const [new1, new2] = [1 - beta1, 1 - beta2];
  for (let i = 0; i < value.length; i++) {
    const g = gradient[i]! * clip;
    const m = first[i]! * beta1 + new1 * g;
    first[i] = m;
    const v = second[i]! * beta2 + new2 * g * g;
    second[i] = v;
    value[i] = value[i]! * keep - (step * m) / (Math.sqrt(v) + least);
  }
}
