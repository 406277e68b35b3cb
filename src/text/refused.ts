/** Why a record cannot be used, and what all parsers of records share. Pure. */
import { isSpelledNumber } from '../formats/exact-json.ts';

/** `reason` is equal for equal causes, `detail` says where or what exactly. */
export class RecordRefused extends Error {
  readonly reason: string;
  readonly detail: string | undefined;

  constructor(reason: string, detail?: string) {
    super(detail === undefined ? reason : `${reason} (${detail})`);
    this.reason = reason;
    this.detail = detail;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isSpelledNumber(value);

/** JSON can hold half of a surrogate pair; tokenizers would silently put a replacement character there. */
const loneSurrogate = /\p{Surrogate}/u;

/** A text of the record. Throws RecordRefused. */
export function textOf(value: unknown, name: string, where?: string): string {
  if (typeof value !== 'string') throw new RecordRefused(`${name} is no text`, where);
  if (loneSurrogate.test(value)) throw new RecordRefused(`${name} holds half a character (a lone surrogate)`, where);
  return value;
}

/** A text, or a number or truth value as it is spelled, which is noted: labels and results of sums are often written so. Throws RecordRefused. */
export function wordsOf(value: unknown, name: string, notes: Set<string>, where?: string): string {
  if (typeof value !== 'number' && typeof value !== 'boolean' && !isSpelledNumber(value))
    return textOf(value, name, where);
  notes.add('numbers and truth values in the place of texts are taken as they are spelled');
  return String(isSpelledNumber(value) ? value.value : value);
}
