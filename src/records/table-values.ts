/**
 * Values of tables (Parquet, Arrow) as JSON would have them, by their column's type. Promises: whole numbers, decimals
 * and fractions keep every digit and are spelled as Python spells them; bytes that are no text stay bytes, so that no
 * reader takes them for text; a value that JSON cannot hold is a fault of its row. Pure.
 */
import { SpelledNumber } from '../formats/exact-json.ts';
import { maxDepth, maxRecordBytes, parseJson, type RawRecord, tooDeep } from './raw-record.ts';

/** Why a row cannot be used. */
export class ValueFault extends Error {
  readonly fault: string;
  readonly detail: string | undefined;

  constructor(fault: string, detail?: string) {
    super(fault);
    this.fault = fault;
    this.detail = detail;
  }
}

/** What a column's type makes of its values. */
export type ValueType =
  | { readonly kind: 'leaf'; readonly read: (value: unknown) => unknown }
  | { readonly kind: 'list'; readonly of: ValueType }
  | { readonly kind: 'map'; readonly of: ValueType }
  | { readonly kind: 'struct'; readonly fields: readonly (readonly [string, ValueType])[] };

export const leaf = (read: (value: unknown) => unknown): ValueType => ({ kind: 'leaf', read });

/** A whole number with all its digits. */
export function integer(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : new SpelledNumber(String(value));
}

/** From here on Python writes an exponent, and JavaScript does not yet. */
const firstWithExponent = 1e16;

/** A fraction as Python spells it; "not a number" is how pandas writes that there is none. */
export function float(value: unknown): unknown {
  if (typeof value !== 'number' || Number.isNaN(value)) return typeof value === 'number' ? null : value;
  if (!Number.isFinite(value)) throw new ValueFault('holds an infinite number', 'which JSON does not have');
  if (!Number.isInteger(value)) return value;
  return new SpelledNumber(Math.abs(value) < firstWithExponent ? `${value}.0` : value.toExponential());
}

/** A decimal number of `scale` digits after the point, from its digits. */
export function decimal(digits: bigint, scale: number): unknown {
  if (scale <= 0) return integer(digits * 10n ** BigInt(-scale));
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  return new SpelledNumber(`${digits < 0n ? '-' : ''}${text.slice(0, -scale)}.${text.slice(-scale)}`);
}

/** A two's complement number, its highest byte first. */
export function signedBytes(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text, where the bytes are UTF-8; else the bytes. */
export function text(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  try {
    return utf8.decode(value);
  } catch {
    return value;
  }
}

/** What a text of a column of JSON says. */
export function jsonText(value: unknown): unknown {
  const said = text(value);
  if (typeof said !== 'string') return said;
  const parsed = parseJson(1, said);
  if ('value' in parsed) return parsed.value;
  throw new ValueFault(parsed.fault, parsed.detail);
}

/** The last day that JavaScript knows, either way. */
const lastDay = 1e8;

/** 2024-01-31, from days since 1970. */
export function day(value: unknown): unknown {
  if (typeof value !== 'number') return value;
  if (Math.abs(value) > lastDay) throw new ValueFault('holds a date that no calendar has');
  return new Date(value * 864e5).toISOString().replace(/T.*/, '');
}

/** 2024-01-31T12:00:00.123456, from parts of a second since 1970: 10^`digits` of them are one. */
export function moment(value: unknown, digits: number): unknown {
  if (typeof value !== 'bigint' && typeof value !== 'number') return value;
  const unit = 10n ** BigInt(digits);
  const parts = BigInt(value);
  const seconds = (parts - (((parts % unit) + unit) % unit)) / unit;
  if (Math.abs(Number(seconds)) > lastDay * 86400) throw new ValueFault('holds a date that no calendar has');
  const rest = (parts - seconds * unit).toString().padStart(digits, '0').replace(/0+$/, '');
  const whole = new Date(Number(seconds) * 1000).toISOString().replace('.000Z', '');
  return digits === 0 || rest === '' ? whole : `${whole}.${rest}`;
}

/** Counts what a row holds, so that none grows without bound. */
interface Budget {
  left: number;
}

function spend(budget: Budget, value: unknown): void {
  // 8: as much as a number, roughly.
  budget.left -= typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
  if (budget.left < 0) throw new ValueFault(`is longer than ${maxRecordBytes} characters`);
}

function jsonOf(type: ValueType, value: unknown, depth: number, budget: Budget): unknown {
  if (value === null || value === undefined) return null;
  if (depth > maxDepth) throw new ValueFault(tooDeep);
  if (type.kind === 'leaf') {
    const read = type.read(value);
    spend(budget, read);
    // A column of bytes is nobody's text; bytes deeper inside would be written out as numbers.
    if (depth > 0 && read instanceof Uint8Array)
      throw new ValueFault('holds bytes that are no text inside a list or struct');
    return read;
  }
  const inner = (each: ValueType, part: unknown): unknown => {
    spend(budget, null);
    return jsonOf(each, part, depth + 1, budget);
  };
  if (type.kind === 'list') return Array.from(value as ArrayLike<unknown>, (part) => inner(type.of, part));
  if (type.kind === 'map') {
    const entries = Array.isArray(value) ? (value as [unknown, unknown][]) : Object.entries(value);
    return Object.fromEntries(entries.map(([key, part]) => [String(key), inner(type.of, part)]));
  }
  // A struct has every field that one of the rows has; those without a value are nothing that was written.
  const fields = type.fields.flatMap(([name, each]) => {
    const part = (value as Record<string, unknown>)[name];
    return part === null || part === undefined ? [] : [[name, inner(each, part)] as const];
  });
  return Object.fromEntries(fields);
}

export type Columns = readonly (readonly [string, ValueType])[];
type Cell = (column: string, row: number) => unknown;

/** One row: its columns as a record, those without a value left out. Throws ValueFault. */
function rowOf(columns: Columns, value: Cell, row: number): object {
  const budget = { left: maxRecordBytes };
  return Object.fromEntries(
    columns.flatMap(([name, type]) => {
      const read = jsonOf(type, value(name, row), 0, budget);
      return read === null ? [] : [[name, read] as const];
    }),
  );
}

/** Rows as records, the first of them on `line`; one that JSON cannot hold is a fault of its own. */
export function* recordsOf(columns: Columns, value: Cell, rows: number, line: number): Generator<RawRecord> {
  for (let row = 0; row < rows; row++) {
    try {
      yield { line: line + row, value: rowOf(columns, value, row) };
    } catch (error) {
      if (!(error instanceof ValueFault)) throw error;
      const { detail, fault } = error;
      yield { line: line + row, fault, ...(detail === undefined ? {} : { detail }) };
    }
  }
}
