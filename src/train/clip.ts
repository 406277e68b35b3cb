/** Clipping of the gradients by their common norm, as torch.nn.utils.clip_grad_norm_. Pure. */
import type { Parameter } from './step.ts';

/** torch's guard against division by zero. */
const epsilon = 1e-6;

/** Scales all gradients so that their joint L2 norm is at most `maximum`; returns the norm before. */
export function clipGradients(parameters: readonly Parameter[], maximum: number): number {
  let sum = 0;
  for (const { gradient } of parameters) for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
  const norm = Math.sqrt(sum);
  const factor = maximum / (norm + epsilon);
  if (factor < 1)
    for (const { gradient } of parameters) for (let i = 0; i < gradient.length; i++) gradient[i]! *= factor;
  return norm;
}
