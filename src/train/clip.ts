/** Clipping of the gradients by their common norm, as torch.nn.utils.clip_grad_norm_. Pure. */
import type { Parameter } from './step.ts';

/** torch's guard against division by zero. */
const epsilon = 1e-6;

/** Scales all gradients so that their joint L2 norm is at most `maximum`; returns the norm before. */
export function clipGradients(parameters: readonly Parameter[], maximum: number): number {
  let sum = 0;
  for (const { gradient } of parameters) sum += sumOfSquares(gradient);
  const norm = Math.sqrt(sum);
  const factor = maximum / (norm + epsilon);
  if (factor < 1)
    for (const { gradient } of parameters) for (let i = 0; i < gradient.length; i++) gradient[i]! *= factor;
  return norm;
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
