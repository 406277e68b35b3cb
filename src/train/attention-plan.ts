/**
 * How attention walks a micro-batch: short segments in tiles, all of a size in one call; long ones in chunks of queries, each with only
 * the keys that any of them may see. Pure but for the tensor type.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import { type Feed, type Feeds, floats, integers } from '../runtime/onnxruntime-node/executor.ts';

/** Query rows of one attention call: scores take heads x this x keys floats, so long rows never build [heads, T, T]. */
const queryRows = 128;
/** Rows of a tile: segments that fit into one are computed in one call, in the smallest tiles that hold them. */
const tileSizes = [32, 64, 128] as const;
/** Tiles of rows of one length are a multiple of this: what the kernels like. */
const tileStep = 8;
/** What hides a key from a query: its exponential is 0 in float32, and it stays finite. */
const hidden = -1e30;

/** A chunk of queries [first, end) and the keys [keys, end) that any of them may see, with the mask between them. */
export interface QueryChunk {
  readonly first: number;
  readonly end: number;
  readonly keys: number;
  /** The chunk is a segment of its own. */
  readonly whole: boolean;
  readonly bias: Feed;
}

/** Rows that attention takes in one call, in tiles: [first, end) of the micro-batch, and feeds of the graph for that tile. */
export interface QueryTiles {
  readonly tile: number;
  /** The rows fill the tiles as they stand: nothing has to be ordered. */
  readonly whole: boolean;
  /** How many tiles. */
  readonly count: number;
  readonly first: number;
  readonly end: number;
  readonly feeds: Feeds;
}

/** How attention walks a micro-batch whose segments stand in order of their length. */
export interface AttentionPlan {
  readonly tiles: readonly QueryTiles[];
  readonly chunks: readonly QueryChunk[];
}

/** The segments in order of their length, so that those of a tile size stand together, and for each old row its new place. */
export function byLength(batch: PackedBatch): { batch: PackedBatch; places: Int32Array } {
  const { segmentStarts } = batch;
  const count = segmentStarts.length - 1;
  const length = (i: number): number => segmentStarts[i + 1]! - segmentStarts[i]!;
  const order = Array.from({ length: count }, (_, i) => i).sort((i, j) => length(i) - length(j) || i - j);
  const sorted = {
    ...batch,
    tokens: new Int32Array(batch.tokens.length),
    positions: new Int32Array(batch.tokens.length),
    supervised: new Uint8Array(batch.tokens.length),
  };
  const places = new Int32Array(batch.tokens.length);
  const starts = [0];
  for (const i of order) {
    const to = starts.at(-1)!;
    const [start, end] = [segmentStarts[i]!, segmentStarts[i + 1]!];
    for (const key of ['tokens', 'positions', 'supervised'] as const)
      sorted[key].set(batch[key].subarray(start, end), to);
    for (let n = start; n < end; n++) places[n] = to + n - start;
    starts.push(to + end - start);
  }
  return { batch: { ...sorted, segmentStarts: Int32Array.from(starts) }, places };
}

/** The plan of a micro-batch from `byLength`: the smallest tiles that hold each segment, and chunks for those that none holds. */
export function planAttention({ segmentStarts }: PackedBatch): AttentionPlan {
  const tiles: QueryTiles[] = [];
  const count = segmentStarts.length - 1;
  let i = 0;
  const shortest = count > 0 ? segmentStarts[1]! - segmentStarts[0]! : 0;
  const longest = count > 0 ? segmentStarts[count]! - segmentStarts[count - 1]! : 0;
  // Text cut into rows of one length gets a tile of its own, or a row of 65 tokens would be computed as 128.
  const own = Math.ceil(longest / tileStep) * tileStep;
  for (const tile of shortest === longest && own < queryRows ? [own] : tileSizes) {
    const starts = [segmentStarts[i]!];
    while (i < count && segmentStarts[i + 1]! - segmentStarts[i]! <= tile) starts.push(segmentStarts[++i]!);
    if (starts.length > 1) tiles.push(tilesOf(starts, tile));
  }
  const chunks: QueryChunk[] = [];
  for (; i < count; i++) chunks.push(...chunksOf(segmentStarts[i]!, segmentStarts[i + 1]!));
  return { tiles, chunks };
}

/** The same without tiles, for devices, which lay no rows out anew: short segments share a chunk, whole. */
export function planChunks({ segmentStarts }: PackedBatch): QueryChunk[] {
  const chunks: QueryChunk[] = [];
  const count = segmentStarts.length - 1;
  for (let i = 0; i < count; ) {
    const starts = [segmentStarts[i]!];
    while (i < count && segmentStarts[i + 1]! - starts[0]! <= queryRows) starts.push(segmentStarts[++i]!);
    if (starts.length > 1) chunks.push(sharedChunk(starts));
    else chunks.push(...chunksOf(segmentStarts[i]!, segmentStarts[++i]!));
  }
  return chunks;
}

/** Whole segments, given by their starts and the end of the last, in one chunk. */
function sharedChunk(starts: readonly number[]): QueryChunk {
  const [first, end] = [starts[0]!, starts.at(-1)!];
  const width = end - first;
  const bias = new Float32Array(width * width).fill(hidden);
  for (let i = 0; i + 1 < starts.length; i++) {
    const from = starts[i]! - first;
    for (let n = from; n < starts[i + 1]! - first; n++) bias.fill(0, n * width + from, n * width + n + 1);
  }
  return { first, end, keys: first, whole: starts.length === 2, bias: floats(bias, [width, width]) };
}

/** A segment longer than a tile: each chunk sees it from its beginning. One of two chunks is taken whole: a quarter more scores in half the calls. */
function chunksOf(start: number, end: number): QueryChunk[] {
  const chunks: QueryChunk[] = [];
  const rows = end - start <= 2 * queryRows ? end - start : queryRows;
  for (let first = start; first < end; first += rows) {
    const last = Math.min(end, first + rows);
    const width = last - start;
    const bias = new Float32Array((last - first) * width).fill(hidden);
    for (let n = first; n < last; n++) bias.fill(0, (n - first) * width, (n - first) * width + n - start + 1);
    const whole = rows === end - start;
    chunks.push({ first, end: last, keys: start, whole, bias: floats(bias, [last - first, width]) });
  }
  return chunks;
}

/** Whole segments, given by their starts and the end of the last, laid into tiles one after the other. */
function tilesOf(starts: readonly number[], tile: number): QueryTiles {
  const [first, end] = [starts[0]!, starts.at(-1)!];
  const places: number[] = [];
  let place = 0;
  for (let i = 0; i + 1 < starts.length; i++) {
    const length = starts[i + 1]! - starts[i]!;
    if ((place % tile) + length > tile) place = Math.ceil(place / tile) * tile;
    places.push(place);
    place += length;
  }
  const count = Math.ceil(place / tile);
  const index = new BigInt64Array(count * tile);
  const inverse = new BigInt64Array(end - first);
  const bias = new Float32Array(count * tile * tile).fill(hidden);
  for (let row = 0; row < count * tile; row++) bias[row * tile + (row % tile)] = 0;
  places.forEach((at, i) => {
    for (let n = starts[i]!; n < starts[i + 1]!; n++) {
      const row = at + n - starts[i]!;
      index[row] = BigInt(n - first);
      inverse[n - first] = BigInt(row);
      bias.fill(0, row * tile + (at % tile), row * tile + (row % tile) + 1);
    }
  });
  const feeds = new Map([
    ['index', integers(index, [index.length])],
    ['inverse', integers(inverse, [inverse.length])],
    ['bias', floats(bias, [count, 1, tile, tile])],
  ]);
  return { tile, whole: count * tile === end - first, count, first, end, feeds };
}
