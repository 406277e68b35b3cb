/** Learning rate by step, as transformers' get_linear/cosine/constant_schedule_with_warmup. Pure. */
export type Schedule = 'linear' | 'cosine' | 'constant';

const shapes: Readonly<Record<Schedule, (progress: number) => number>> = {
  linear: (progress) => 1 - progress,
  cosine: (progress) => 0.5 * (1 + Math.cos(Math.PI * progress)),
  constant: () => 1,
};

/** The rate of `step` (from 0) of `steps`, rising linearly from 0 over `warmup` steps to `top`. */
export function learningRateAt(
  step: number,
  options: { schedule: Schedule; top: number; warmup: number; steps: number },
): number {
  const { schedule, top, warmup, steps } = options;
  if (step < warmup) return (top * step) / warmup;
  return top * Math.max(0, shapes[schedule]((step - warmup) / Math.max(1, steps - warmup)));
}
