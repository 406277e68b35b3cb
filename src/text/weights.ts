/**
 * What the loss of an answer, or of a whole record, counts. Pure. The loss of a batch is the weighted mean over its learnt tokens, as
 * PyTorch's cross-entropy has it: weights say what counts more than what, and 2 everywhere is as 1 everywhere.
 */
import { plainNumber } from '../formats/exact-json.ts';
import { type Fields, RecordRefused } from './refused.ts';

/** Beyond it a number is hardly meant as a weight: one row would drown its batch. */
export const maxWeight = 100;

/** The number that a value stands for, spelled as text too, as tables hold it; null where it is none. */
export function numberIn(value: unknown): number | null {
  const plain = plainNumber(value);
  if (typeof plain === 'boolean') return Number(plain);
  if (typeof plain === 'string' && plain.trim() === '') return null;
  const number = typeof plain === 'number' || typeof plain === 'string' ? Number(plain) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

/** A weight, or RecordRefused. `where` says whose it is. */
export function checkedWeight(weight: number, where: string): number {
  if (weight >= 0 && weight <= maxWeight) return weight;
  throw new RecordRefused(`a weight is not from 0 to ${maxWeight}`, `${where}: ${weight}`);
}

export const weightKey = 'weight';

/**
 * The weight of a whole record, beside its messages or texts (Fireworks' form). Text that spells no number is another column's and no weight. Throws
 * RecordRefused for a weight of 0 too: nothing would be learnt.
 */
export function recordWeight(fields: Fields, notes: Set<string>): { weight?: number } {
  const weight = Object.hasOwn(fields, weightKey) ? numberIn(fields[weightKey]) : null;
  if (weight === null) return {};
  if (checkedWeight(weight, 'of the record') === 0)
    throw new RecordRefused('has the weight 0: nothing of it is learnt');
  if (weight === 1) return {};
  notes.add(`"${weightKey}" beside the data is what the record's loss counts`);
  return { weight };
}
