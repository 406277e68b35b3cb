/**
 * Token rows as micro-batches. Promises: no row is divided, none is lost, their order stays. Pure.
 */
import type { TokenRow } from '../tokens/token-row.ts';
import type { PackedBatch } from './packed-batch.ts';

export interface PackOptions {
  /** Rows end to end; otherwise each is padded to the longest of its micro-batch. */
  readonly packing: boolean;
  /** Rows per micro-batch, or null to fill `maxTokens` (padding included). */
  readonly microBatchSize: number | null;
  readonly maxTokens: number;
  readonly padToken: number;
}

/** Cuts the rows, in order, into micro-batches; a row longer than `maxTokens` is one of its own. */
function group(rows: readonly TokenRow[], { packing, microBatchSize, maxTokens }: PackOptions): TokenRow[][] {
  const groups: TokenRow[][] = [];
  let tokens = 0;
  let longest = 0;
  for (const row of rows) {
    const current = groups.at(-1);
    const { length } = row.tokens;
    const grown = packing ? tokens + length : Math.max(longest, length) * ((current?.length ?? 0) + 1);
    const full = microBatchSize === null ? grown > maxTokens : current?.length === microBatchSize;
    if (!current || full) {
      groups.push([row]);
      [tokens, longest] = [length, length];
    } else {
      current.push(row);
      [tokens, longest] = [tokens + length, Math.max(longest, length)];
    }
  }
  return groups;
}

/** One micro-batch of N tokens: the rows as segments; unpacked, each is followed by its padding as a segment of its own. */
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
