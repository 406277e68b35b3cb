/**
 * Token rows as micro-batches. Promises: no row is divided, none is lost, their order stays. Pure.
 */
import type { Answer, TokenRow } from '../tokens/token-row.ts';
import type { Fork, PackedBatch } from './packed-batch.ts';

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
  /** Whether what both answers of a pair begin with is laid out once. Only with packing. */
  readonly sharesPairs?: boolean;
}

/** A row, or an answer of a pair, or both behind their common beginning: what becomes a segment of a micro-batch. */
interface Segment {
  readonly tokens: Int32Array;
  readonly supervised: Uint8Array;
  readonly weights?: Float32Array | undefined;
  /** Where its two answers begin, in its own rows; null for one answer. */
  readonly fork: { readonly first: number; readonly second: number } | null;
  /** Tokens of the answers with all that they stand behind. */
  readonly realTokens: number;
}

const alone = ({ supervised, tokens, weights }: Pick<TokenRow, 'tokens' | 'supervised' | 'weights'>): Segment => ({
  tokens,
  supervised,
  weights,
  fork: null,
  realTokens: tokens.length,
});

/** The segments of a row: one, or two for a pair whose answers do not share enough. */
function segmentsOf(row: TokenRow, { packing, sharesPairs = false }: PackOptions): Segment[] {
  const { rejected } = row;
  if (!rejected) return [alone(row)];
  const shared = packing && sharesPairs ? sharedPrefix([row, rejected]) : 0;
  if (shared === 0) return [alone(row), alone(rejected)];
  const tokens = Int32Array.from([...row.tokens, ...rejected.tokens.subarray(shared)]);
  const supervised = Uint8Array.from([...row.supervised, ...rejected.supervised.subarray(shared)]);
  const fork = { first: shared, second: row.tokens.length };
  return [{ tokens, supervised, fork, realTokens: row.tokens.length + rejected.tokens.length }];
}

/** A row with the segments that it becomes. */
interface Member {
  readonly row: TokenRow;
  readonly segments: readonly Segment[];
}

/** Cuts the rows, in order, into micro-batches; a row longer than `maxTokens` is one of its own. */
function group(
  members: readonly Member[],
  { maxTokens, microBatchSize, packing, prefix = 0 }: PackOptions,
): Member[][] {
  const groups: Member[][] = [];
  let [tokens, longest, segments] = [0, 0, 0];
  for (const member of members) {
    const current = groups.at(-1);
    const lengths = member.segments.map((segment) => segment.tokens.length - (packing ? prefix : 0));
    const [sum, most] = [lengths.reduce((a, b) => a + b, 0), Math.max(...lengths)];
    const grown = packing ? tokens + sum : Math.max(longest, most) * (segments + lengths.length);
    const full = grown > maxTokens || (microBatchSize !== null && current?.length === microBatchSize);
    if (!current || full) {
      groups.push([member]);
      [tokens, longest, segments] = [sum, most, lengths.length];
    } else {
      current.push(member);
      [tokens, longest, segments] = [grown, Math.max(longest, most), segments + lengths.length];
    }
  }
  return groups;
}

/** One micro-batch of N tokens: the segments; unpacked, each is followed by its padding as a segment of its own. */
function pack(segments: readonly Segment[], { packing, padToken }: PackOptions): PackedBatch {
  const longest = packing ? 0 : Math.max(...segments.map(({ tokens }) => tokens.length));
  const total = segments.reduce((sum, { tokens }) => sum + Math.max(tokens.length, longest), 0);
  const batch = {
    tokens: new Int32Array(total).fill(padToken),
    positions: new Int32Array(total),
    supervised: new Uint8Array(total),
    ...(segments.some(({ weights }) => weights) ? { weights: new Float32Array(total).fill(1) } : {}),
  };
  const starts: number[] = [];
  const forks: Fork[] = [];
  let at = 0;
  let realTokens = 0;
  for (const { fork, tokens, supervised, weights, ...segment } of segments) {
    const padding = Math.max(0, longest - tokens.length);
    batch.tokens.set(tokens, at);
    batch.supervised.set(supervised, at);
    if (weights) batch.weights!.set(weights, at);
    starts.push(at);
    const back = fork ? fork.second - fork.first : 0;
    for (let t = 0; t < tokens.length; t++) batch.positions[at + t] = fork && t >= fork.second ? t - back : t;
    if (fork) forks.push({ first: at + fork.first, second: at + fork.second, end: at + tokens.length });
    at += tokens.length;
    if (padding > 0) starts.push(at);
    for (let t = 0; t < padding; t++) batch.positions[at + t] = t;
    at += padding;
    realTokens += segment.realTokens;
  }
  const supervisedTokens = batch.supervised.reduce((a, b) => a + b, 0);
  const segmentStarts = Int32Array.from([...starts, total]);
  return { ...batch, segmentStarts, realTokens, supervisedTokens, ...(forks.length > 0 ? { forks } : {}) };
}

/** The same with the rows' common beginning once, as the first segment, and what follows it in each row. */
function packAfter(prefix: number, rows: readonly Segment[], options: PackOptions): PackedBatch {
  const [first] = rows as [Segment];
  const from = ({ supervised, tokens, weights }: Segment, start: number, end?: number): Segment =>
    alone({
      tokens: tokens.subarray(start, end),
      supervised: supervised.subarray(start, end),
      ...(weights ? { weights: weights.subarray(start, end) } : {}),
    });
  const head = from(first, 0, prefix);
  const rest = rows.map((row) => {
    if (row.fork || head.tokens.some((token, i) => token !== row.tokens[i]))
      throw new Error('packing: rows do not share the prefix');
    return from(row, prefix);
  });
  const batch = pack([head, ...rest], options);
  const positions = batch.positions.map((position, n) => (n < prefix ? position : prefix + position));
  return { ...batch, positions, prefix, realTokens: batch.realTokens + prefix * (rows.length - 1) };
}

/** The micro-batches of `rows`, in order. Both answers of a pair come into one: their loss wants both. */
export function packRows(rows: readonly TokenRow[], options: PackOptions): PackedBatch[] {
  const { packing, prefix = 0 } = options;
  const members = rows.map((row) => ({ row, segments: segmentsOf(row, options) }));
  return group(members, options).map((some) => {
    const segments = some.flatMap((member) => member.segments);
    const shares = packing && prefix > 0 && segments.length > 1;
    const batch = shares ? packAfter(prefix, segments, options) : pack(segments, options);
    return { ...batch, rows: some.map(({ row }) => row) };
  });
}

/** One row, of whatever length, as a micro-batch of its own. */
export const packAlone = (row: TokenRow): PackedBatch =>
  packRows([row], { packing: true, microBatchSize: null, maxTokens: row.tokens.length, padToken: 0 })[0]!;

/** A shorter beginning saves less than looking after it costs. */
const minPrefix = 8;

/**
 * How many tokens all rows begin with, up to where the first of them has a supervised token (its loss is its own row's, and so is the
 * token before it, which predicts it); 0 where they are too few to be worth computing them apart. A single row shares nothing.
 */
export function sharedPrefix(rows: readonly Answer[]): number {
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
