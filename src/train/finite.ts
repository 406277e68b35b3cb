/** Whether a step is made of numbers, and which tensor is at fault where it is not. */
import { NomoatError } from '../errors.ts';
import { Diverged } from './divergence.ts';
import type { Parameter } from './step.ts';

/** Nothing was learnt yet: it is the model, or a row. */
export const neverFinite = (part: string, fault: string, fields: Readonly<Record<string, unknown>>): NomoatError =>
  new NomoatError({
    part,
    fault,
    remedy:
      'Nothing has been learnt yet, so the learning rate is not at fault: the model itself gives such numbers, or a row of the data is extreme. Check the model with `openModel()`, or take another file of it.',
    kind: 'failed',
    fields,
  });

/** Before anything was learnt it is the model or its data, later the run that has come apart: throws NomoatError, or Diverged. */
export function assertFinite(loss: number, norm: number, parameters: readonly Parameter[], step: number): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  const tensor = parameters.find(({ gradient, value }) =>
    [gradient, value].some((array) => array.some((x) => !Number.isFinite(x))),
  );
  const fault = `the loss is ${loss} and ${tensor ? `the gradient of ${tensor.name} is not finite` : `the gradient's norm is ${norm}`}`;
  if (step > 0) throw new Diverged(`in step ${step} ${fault}`);
  throw neverFinite(`step ${step}`, fault, { step, tensor: tensor?.name ?? null });
}
