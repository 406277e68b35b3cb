/**
 * Token rows as micro-batches. Promises: no row is divided, none is lost, their order stays. Pure.
 */
import type { TokenRow } from '../tokens/token-row.ts';
import type { PackedBatch } from './packed-batch.ts';

export interface PackOptions {
  /** Rows end to end; otherwise each is padded to the longest of its micro-batch. */
  readonly packing: boolean;
  /** Rows that a micro-batch has at most, or null for as many as `maxTokens` holds (padding included). */
  readonly microBatchSize: number | null;
  readonly maxTokens: number;
  readonly padToken: number;
  /**
   * Tokens that all rows begin with and none of which is supervised (sharedPrefix): they are laid out once, and come on top of `maxTokens`,
   * or a long one would leave no room for rows to share it. Only with packing.
   */
  readonly prefix?: number;
}

/** Cuts the rows, in order, into micro-batches; a row longer than `maxTokens` is one of its own. */
function group(
  rows: readonly TokenRow[],
  { maxTokens, microBatchSize, packing, prefix = 0 }: PackOptions,
): TokenRow[][] {
  const groups: TokenRow[][] = [];
  let tokens = 0;
  let longest = 0;
  for (const row of rows) {
    const current = groups.at(-1);
    const length = row.tokens.length - (packing ? prefix : 0);
    const grown = packing ? tokens + length : Math.max(longest, length) * ((current?.length ?? 0) + 1);
    const full = grown > maxTokens || (microBatchSize !== null && current?.length === microBatchSize);
    if (!current || full) {
      groups.push([row]);
      [tokens, longest] = [length, length];
    } else {
      current.push(row);
      [tokens, longest] = [grown, Math.max(longest, length)];
    }
  }
  return groups;
}

type Tokens = Pick<TokenRow, 'tokens' | 'supervised'>;

/** One micro-batch of N tokens: the rows as segments; unpacked, each is followed by its padding as a segment of its own. */
function pack(rows: readonly Tokens[], { packing, padToken }: PackOptions): PackedBatch {
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

/** The same with the rows' common beginning once, as the first segment, and what follows it in each row. */
function packAfter(prefix: number, rows: readonly TokenRow[], options: PackOptions): PackedBatch {
  const [first] = rows as [TokenRow];
  const head = { tokens: first.tokens.subarray(0, prefix), supervised: first.supervised.subarray(0, prefix) };
  const rest = rows.map(({ tokens, supervised }) => {
    if (head.tokens.some((token, i) => token !== tokens[i])) throw new Error('packing: rows do not share the prefix');
    return { tokens: tokens.subarray(prefix), supervised: supervised.subarray(prefix) };
  });
  const batch = pack([head, ...rest], options);
  const positions = batch.positions.map((position, n) => (n < prefix ? position : prefix + position));
  return { ...batch, positions, prefix, realTokens: batch.realTokens + prefix * (rows.length - 1) };
}

/** The micro-batches of `rows`, in order. */
export function packRows(rows: readonly TokenRow[], options: PackOptions): PackedBatch[] {
  const { packing, prefix = 0 } = options;
  return group(rows, options).map((members) =>
    packing && prefix > 0 && members.length > 1 ? packAfter(prefix, members, options) : pack(members, options),
  );
}

/** A shorter beginning saves less than looking after it costs. */
const minPrefix = 8;

/**
 * How many tokens all rows begin with, up to where the first of them has a supervised token (its loss is its own row's, and so is the
 * token before it, which predicts it); 0 where they are too few to be worth computing them apart. A single row shares nothing.
 */
export function sharedPrefix(rows: readonly TokenRow[]): number {
  const [first] = rows;
  if (!first || rows.length < 2) return 0;
  let length = first.tokens.length;
  for (const { supervised, tokens } of rows) {
    let same = 0;
    while (same < length && tokens[same] === first.tokens[same] && supervised[same + 1] === 0) same++;
    length = same;
  }
  return length < minPrefix ? 0 : length;
}
