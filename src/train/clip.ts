/** Clipping of the gradients by their common norm, as torch.nn.utils.clip_grad_norm_. Pure. */
import type { Parameter } from './step.ts';
import { TensorMemory } from './tensor-memory.ts';

/** torch's guard against division by zero. */
const epsilon = 1e-6;

/** The joint L2 norm of all gradients, and the factor that brings it to at most `maximum`: the optimizer multiplies by it as it reads. */
export function clipping(parameters: readonly Parameter[], maximum: number): { norm: number; factor: number } {
  let sum = 0;
  for (const { gradient } of parameters)
    sum += TensorMemory.of(gradient)?.sumOfSquares(gradient) ?? sumOfSquares(gradient);
  const norm = Math.sqrt(sum);
  return { norm, factor: Math.min(1, maximum / (norm + epsilon)) };
}

/** Four sums at a time: one would wait for each addition before the next. */
function sumOfSquares(values: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! * values[i]!;
    b += values[i + 1]! * values[i + 1]!;
    c += values[i + 2]! * values[i + 2]!;
    d += values[i + 3]! * values[i + 3]!;
  }
  for (let i = whole; i < values.length; i++) a += values[i]! * values[i]!;
  return a + b + c + d;
}
