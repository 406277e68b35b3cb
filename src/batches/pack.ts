/**
 * Token rows as micro-batches. Promises: no row is divided and none is lost. Pure.
 */
import type { TokenRow } from '../tokens/token-row.ts';
import type { PackedBatch } from './packed-batch.ts';

export interface PackOptions {
  /** Rows end to end; otherwise each is padded to the longest of its micro-batch. */
  readonly packing: boolean;
  /** Rows per micro-batch, or null to fill `maxTokens`. */
  readonly microBatchSize: number | null;
  readonly maxTokens: number;
  readonly padToken: number;
}

function group(rows: readonly TokenRow[], options: PackOptions): TokenRow[][] {
  const groups: TokenRow[][] = [];
  let tokens = 0;
  for (const row of rows) {
    const current = groups.at(-1);
    const full =
      options.microBatchSize === null
        ? tokens + row.tokens.length > options.maxTokens
        : current?.length === options.microBatchSize;
    if (!current || full) {
      groups.push([row]);
      tokens = row.tokens.length;
    } else {
      current.push(row);
      tokens += row.tokens.length;
    }
  }
  return groups;
}

function pack(rows: readonly TokenRow[], { packing, padToken }: PackOptions): PackedBatch {
  const longest = packing ? 0 : Math.max(...rows.map(({ tokens }) => tokens.length));
  const total = rows.reduce((sum, { tokens }) => sum + Math.max(tokens.length, longest), 0);
  const batch = {
    tokens: new Int32Array(total).fill(padToken),
    positions: new Int32Array(total),
    supervised: new Uint8Array(total),
  };
  const starts: number[] = [];
  let at = 0;
  let realTokens = 0;
  for (const { tokens, supervised } of rows) {
    const padding = Math.max(0, longest - tokens.length);
    batch.tokens.set(tokens, at);
    batch.supervised.set(supervised, at);
    starts.push(at);
    for (let t = 0; t < tokens.length; t++) batch.positions[at + t] = t;
    at += tokens.length;
    if (padding > 0) starts.push(at);
    for (let t = 0; t < padding; t++) batch.positions[at + t] = t;
    at += padding;
    realTokens += tokens.length;
  }
  const supervisedTokens = batch.supervised.reduce((a, b) => a + b, 0);
  return { ...batch, segmentStarts: Int32Array.from([...starts, total]), realTokens, supervisedTokens };
}

/** The micro-batches of `rows`, in order. */
export function packRows(rows: readonly TokenRow[], options: PackOptions): PackedBatch[] {
  return group(rows, options).map((members) => pack(members, options));
}
