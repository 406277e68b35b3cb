/**
 * Whether a text that was given says anything. An empty one comes of a variable that is not set, and as a path it would mean the
 * current folder: what lies there was not asked for.
 */
import { NomoatError } from '../errors.ts';

export const emptyText = 'is empty';
export const emptyRemedy = 'Leave it out, or see why what stands in its place (a variable?) is empty.';

/** Throws NomoatError where `value`, given as `part`, is empty or (callers without types) no text. What was not given is no fault. */
export function assertGiven(part: string, value: unknown): void {
  if (value === null || value === undefined) return;
  if (typeof value !== 'string')
    throw new NomoatError({ part, fault: `${String(value)} is no text`, remedy: 'Give a path or a name.' });
  if (value.trim() !== '') return;
  throw new NomoatError({ part, fault: emptyText, remedy: emptyRemedy });
}
