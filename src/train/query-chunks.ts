/** How attention walks a micro-batch: queries in chunks, each with only the keys that any of them may see. Pure but for the tensor type. */
import type { PackedBatch } from '../batches/packed-batch.ts';
import { type Feed, type Feeds, floats, integers } from '../runtime/onnxruntime-node/executor.ts';

/** Query rows of one attention call: scores take heads x this x keys floats, so long rows never build [heads, T, T]. */
const queryRows = 128;
/** Rows of a tile: micro-batches whose segments all fit into one are computed in one call, in the smallest tiles that hold them. */
const tileSizes = [32, 64, 128] as const;
/** What hides a key from a query: its exponential is 0 in float32, and it stays finite. */
const hidden = -1e30;

/** A chunk of queries [first, end) and the keys [keys, end) that any of them may see, with the mask between them. */
export interface QueryChunk {
  readonly first: number;
  readonly end: number;
  readonly keys: number;
  /** No other chunk sees these keys. */
  readonly alone: boolean;
  readonly bias: Feed;
}

/** Short segments share a chunk, whole; a long one is cut into chunks that see it from its beginning. */
export function queryChunks({ positions, segmentStarts }: PackedBatch): QueryChunk[] {
  const chunks: QueryChunk[] = [];
  const make = (first: number, end: number, keys: number, alone: boolean): void => {
    const width = end - keys;
    const bias = new Float32Array((end - first) * width).fill(hidden);
    for (let n = first; n < end; n++) {
      const row = (n - first) * width;
      bias.fill(0, row + n - positions[n]! - keys, row + n - keys + 1);
    }
    chunks.push({ first, end, keys, alone, bias: floats(bias, [end - first, width]) });
  };
  let first = 0;
  for (let i = 0; i + 1 < segmentStarts.length; i++) {
    const [start, end] = [segmentStarts[i]!, segmentStarts[i + 1]!];
    if (end - start > queryRows) {
      if (start > first) make(first, start, first, true);
      for (let at = start; at < end; at += queryRows) make(at, Math.min(end, at + queryRows), start, false);
      first = end;
    } else if (end - first > queryRows) {
      make(first, start, first, true);
      first = start;
    }
  }
  const last = segmentStarts.at(-1)!;
  if (last > first) make(first, last, first, true);
  return chunks;
}

/** A micro-batch in tiles, as feeds of the graph for that tile. */
export interface QueryTiles {
  readonly tile: number;
  readonly feeds: Feeds;
}

/** Null where a segment is longer than the largest tile. */
export function queryTiles({ segmentStarts, tokens }: PackedBatch): QueryTiles | null {
  let longest = 0;
  for (let i = 0; i + 1 < segmentStarts.length; i++)
    longest = Math.max(longest, segmentStarts[i + 1]! - segmentStarts[i]!);
  const tile = tileSizes.find((size) => size >= longest);
  if (!tile) return null;
  // Whole segments, tile by tile: [start, end) of each segment and its place.
  const placed: { start: number; end: number; place: number }[] = [];
  let place = 0;
  for (let i = 0; i + 1 < segmentStarts.length; i++) {
    const [start, end] = [segmentStarts[i]!, segmentStarts[i + 1]!];
    if ((place % tile) + end - start > tile) place = Math.ceil(place / tile) * tile;
    placed.push({ start, end, place });
    place += end - start;
  }
  const count = Math.ceil(place / tile);
  const index = new BigInt64Array(count * tile);
  const inverse = new BigInt64Array(tokens.length);
  const bias = new Float32Array(count * tile * tile).fill(hidden);
  for (let row = 0; row < count * tile; row++) bias[row * tile + (row % tile)] = 0;
  for (const { start, end, place: at } of placed) {
    for (let n = start; n < end; n++) {
      const row = at + n - start;
      index[row] = BigInt(n);
      inverse[n] = BigInt(row);
      bias.fill(0, row * tile + (at % tile), row * tile + (row % tile) + 1);
    }
  }
  const feeds = new Map([
    ['index', integers(index, [index.length])],
    ['inverse', integers(inverse, [inverse.length])],
    ['bias', floats(bias, [count, 1, tile, tile])],
  ]);
  return { tile, feeds };
}
