/**
 * AdamW as torch.optim.AdamW computes it: decoupled weight decay, epsilon outside the root. https://arxiv.org/abs/1711.05101
 * Pure: state in, state changed in place; no engine.
 */
import type { Parameter } from './step.ts';

export interface AdamWOptions {
  readonly weightDecay: number;
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
    first: parameters.map(({ value }) => new Float32Array(value.length)),
    second: parameters.map(({ value }) => new Float32Array(value.length)),
  };
}

/** One update of every parameter from its gradient. */
export function updateAdamW(
  parameters: readonly Parameter[],
  state: AdamWState,
  learningRate: number,
  options: AdamWOptions,
): void {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay } = options;
  state.updates += 1;
  const step = learningRate / (1 - beta1 ** state.updates);
  const rootCorrection = Math.sqrt(1 - beta2 ** state.updates);
  parameters.forEach(({ value, gradient, decays }, p) => {
    const first = state.first[p]!;
    const second = state.second[p]!;
    const keep = decays ? 1 - learningRate * weightDecay : 1;
    for (let i = 0; i < value.length; i++) {
      const g = gradient[i]!;
      const m = first[i]! + (1 - beta1) * (g - first[i]!);
      first[i] = m;
      const v = second[i]! * beta2 + (1 - beta2) * g * g;
      second[i] = v;
      value[i] = value[i]! * keep - (step * m) / (Math.sqrt(v) / rootCorrection + epsilon);
    }
  });
}
