/**
 * How attention takes a micro-batch: short segments in tiles, all of a size in one call (behind a long prefix in a few); long ones in
 * chunks of queries, each with only the keys that any of them may see; a common beginning first, by itself. Pure but for the tensor type.
 */
import type { Fork, PackedBatch } from '../batches/packed-batch.ts';
import type { TileSize } from '../models/attention.ts';
import { floats, integers, type Tensor, type Tensors } from '../runtime/onnxruntime-node/executor.ts';

/** Query rows of one attention call: scores take heads x this x keys floats, so long rows never build [heads, T, T]. */
const queryRows = 128;
/** Rows of a tile: segments that fit into one are computed in one call, in the smallest tiles that hold them. */
const tileSizes = [32, 64, 128] as const;
/**
 * Tiles of rows of one length are a multiple of this, what the kernels like; where a few rows are of one length by chance, of the second, or
 * every length of the data would have graphs of its own.
 */
const tileStep = { text: 8, chance: 32 } as const;
/** Rows of one length are no chance from this many on. */
const rowsOfText = 4;
/** What masks a key from a query: its exponential is 0 in float32, and it stays finite. */
const masked = -1e30;

/**
 * A chunk of queries [first, end) and the keys that any of them may see, with the mask between them: the rows of the prefix [0, prefix), if
 * any, and [keys, end).
 */
export interface QueryChunk {
  readonly first: number;
  readonly end: number;
  readonly keys: number;
  readonly prefix: number;
  /** Of its segment. */
  readonly forks: readonly Fork[];
  /** The chunk is a segment of its own. */
  readonly whole: boolean;
  /** null where those of a row together would take much memory, and `writeBias` makes each when it is wanted. */
  readonly bias: Tensor | null;
}

/** Rows that attention takes in one call, in tiles: [first, end) of the micro-batch, and inputs of the graph for such tiles. */
export interface QueryTiles extends TileSize {
  /** Which of the calls with tiles of this size. */
  readonly call: number;
  /** How many tiles. */
  readonly count: number;
  readonly first: number;
  readonly end: number;
  readonly inputs: Tensors;
}

/** How attention takes segments that stand in order of their length. */
export interface AttentionPlan {
  readonly tiles: readonly QueryTiles[];
  readonly chunks: readonly QueryChunk[];
}

/** Scores of a head that one call computes: the tiles of segments that go on from a long prefix are shared out among calls. */
const maxScores = 512 * 256;

/** Numbers of a row's masks that are held between layers: they grow with the square of its length, to 20 GB at 100,000 tokens. */
const maxBias = 16e6;

/** The segments in order of their length, a prefix first, so that those of a tile size stand together, and for each old row its new place. */
export function byLength(batch: PackedBatch): { batch: PackedBatch; permutation: Int32Array } {
  const { prefix = 0, segmentStarts } = batch;
  const count = segmentStarts.length - 1;
  const length = (i: number): number => (prefix > 0 && i === 0 ? 0 : segmentStarts[i + 1]! - segmentStarts[i]!);
  const order = Array.from({ length: count }, (_, i) => i).sort((i, j) => length(i) - length(j) || i - j);
  const sorted = {
    ...batch,
    tokens: new Int32Array(batch.tokens.length),
    positions: new Int32Array(batch.tokens.length),
    supervised: new Uint8Array(batch.tokens.length),
    ...(batch.weights ? { weights: new Float32Array(batch.tokens.length) } : {}),
  };
  const permutation = new Int32Array(batch.tokens.length);
  const starts = [0];
  for (const i of order) {
    const to = starts.at(-1)!;
    const [start, end] = [segmentStarts[i]!, segmentStarts[i + 1]!];
    for (const key of ['tokens', 'positions', 'supervised'] as const)
      sorted[key].set(batch[key].subarray(start, end), to);
    if (batch.weights) sorted.weights!.set(batch.weights.subarray(start, end), to);
    for (let n = start; n < end; n++) permutation[n] = to + n - start;
    starts.push(to + end - start);
  }
  // A fork's segment stays whole.
  const forks = batch.forks?.map(({ first, second, end }) => {
    const by = permutation[first]! - first;
    return { first: first + by, second: second + by, end: end + by };
  });
  const moved = { ...sorted, segmentStarts: Int32Array.from(starts), ...(forks ? { forks } : {}) };
  return { batch: moved, permutation };
}

/** The plans of a micro-batch from `byLength`, to be computed in turn: of its prefix, if it has one, and of what goes on from there. */
export function planAttention({ forks = [], prefix = 0, segmentStarts }: PackedBatch): AttentionPlan[] {
  if (prefix === 0) return [planSegments(segmentStarts, 0, forks)];
  return [planSegments(segmentStarts.subarray(0, 2), 0, []), planSegments(segmentStarts.subarray(1), prefix, [])];
}

/** Takes from the mask [rows, width] what the second answers of forks do not see; `place` is where the key of a row stands. */
function maskForks(
  bias: Float32Array,
  forks: readonly Fork[],
  [from, to]: readonly [first: number, end: number],
  place: (row: number, key: number) => number,
): void {
  for (const { end, first, second } of forks)
    for (let n = Math.max(second, from); n < Math.min(end, to); n++)
      bias.fill(masked, place(n, first), place(n, second));
}

/** The smallest tiles that hold each segment, and chunks for those that none holds. */
function planSegments(segmentStarts: Int32Array, prefix: number, forks: readonly Fork[]): AttentionPlan {
  const tiles: QueryTiles[] = [];
  const count = segmentStarts.length - 1;
  let i = 0;
  const shortest = count > 0 ? segmentStarts[1]! - segmentStarts[0]! : 0;
  const longest = count > 0 ? segmentStarts[count]! - segmentStarts[count - 1]! : 0;
  // Text cut into rows of one length gets a tile of its own, or a row of 65 tokens would be computed as 128.
  const step = count < rowsOfText ? tileStep.chance : tileStep.text;
  const own = Math.ceil(longest / step) * step;
  for (const tile of shortest === longest && own < queryRows ? [own] : tileSizes) {
    const starts = [segmentStarts[i]!];
    while (i < count && segmentStarts[i + 1]! - segmentStarts[i]! <= tile) starts.push(segmentStarts[++i]!);
    if (starts.length > 1)
      tiles.push(...inCalls(starts, tile, prefix).map((some, call) => tilesOf(some, { tile, prefix, call }, forks)));
  }
  const chunks: QueryChunk[] = [];
  for (; i < count; i++) {
    const [start, end] = [segmentStarts[i]!, segmentStarts[i + 1]!];
    chunks.push(...chunksOf(start, end, { prefix, forks: within(forks, start, end), max: maxBias }));
  }
  return { tiles, chunks };
}

/** The same without tiles, for devices, which lay no rows out anew: short segments share a chunk, whole. */
export function planChunks({ forks = [], segmentStarts }: PackedBatch): QueryChunk[] {
  const chunks: QueryChunk[] = [];
  const count = segmentStarts.length - 1;
  for (let i = 0; i < count; ) {
    const starts = [segmentStarts[i]!];
    while (i < count && segmentStarts[i + 1]! - starts[0]! <= queryRows) starts.push(segmentStarts[++i]!);
    if (starts.length > 1) {
      chunks.push(sharedChunk(starts, forks));
      continue;
    }
    const [start, end] = [segmentStarts[i]!, segmentStarts[++i]!];
    chunks.push(
      ...chunksOf(start, end, { prefix: 0, forks: within(forks, start, end), max: Number.POSITIVE_INFINITY }),
    );
  }
  return chunks;
}

const within = (forks: readonly Fork[], start: number, end: number): readonly Fork[] =>
  forks.filter(({ first }) => first >= start && first < end);

/** Whole segments, given by their starts and the end of the last, in one chunk. */
function sharedChunk(starts: readonly number[], forks: readonly Fork[]): QueryChunk {
  const [first, end] = [starts[0]!, starts.at(-1)!];
  const width = end - first;
  const bias = new Float32Array(width * width).fill(masked);
  for (let i = 0; i + 1 < starts.length; i++) {
    const from = starts[i]! - first;
    for (let n = from; n < starts[i + 1]! - first; n++) bias.fill(0, n * width + from, n * width + n + 1);
  }
  maskForks(bias, forks, [first, end], (row, key) => (row - first) * width + key - first);
  return {
    first,
    end,
    keys: first,
    prefix: 0,
    forks: [],
    whole: starts.length === 2,
    bias: floats(bias, [width, width]),
  };
}

/** A segment longer than a tile: each chunk sees it from its beginning. One of two chunks is taken at once: at most a quarter more scores in half the calls. */
function chunksOf(
  start: number,
  end: number,
  { forks, max, prefix }: Pick<QueryChunk, 'forks' | 'prefix'> & { readonly max: number },
): QueryChunk[] {
  const chunks: QueryChunk[] = [];
  const rows = end - start <= 2 * queryRows ? end - start : queryRows;
  for (let first = start; first < end; first += rows) {
    const last = Math.min(end, first + rows);
    const whole = prefix === 0 && rows === end - start;
    chunks.push({ first, end: last, keys: start, prefix, forks, whole, bias: null });
  }
  const sizes = chunks.map((chunk) => [chunk.end - chunk.first, seenBy(chunk)] as const);
  if (sizes.reduce((sum, [count, width]) => sum + count * width, 0) > max) return chunks;
  return chunks.map((chunk, i) => {
    const [count, width] = sizes[i]!;
    return { ...chunk, bias: floats(writeBias(chunk, new Float32Array(count * width)), [count, width]) };
  });
}

/** Keys that any of a chunk's rows may see. */
export const seenBy = ({ end, keys, prefix }: Pick<QueryChunk, 'end' | 'keys' | 'prefix'>): number =>
  prefix + end - keys;

/** A chunk's mask [rows, seen keys]: each row sees the prefix, and its segment up to itself. Returns `out`. */
export function writeBias(chunk: Omit<QueryChunk, 'bias' | 'whole'>, out: Float32Array): Float32Array {
  const { end, first, forks, keys, prefix } = chunk;
  const width = seenBy(chunk);
  out.fill(masked);
  for (let n = first; n < end; n++) out.fill(0, (n - first) * width, (n - first) * width + prefix + n - keys + 1);
  maskForks(out, forks, [first, end], (row, key) => (row - first) * width + prefix + key - keys);
  return out;
}

/** Segments, given by their starts and the end of the last, in as many calls as their scores need. */
function inCalls(starts: readonly number[], tile: number, prefix: number): number[][] {
  if (prefix === 0) return [[...starts]];
  const rows = Math.max(tile, Math.floor(maxScores / (prefix + tile)));
  const calls: number[][] = [[starts[0]!]];
  for (let i = 1; i < starts.length; i++) {
    const call = calls.at(-1)!;
    if (call.length > 1 && starts[i]! - call[0]! > rows) calls.push([call.at(-1)!, starts[i]!]);
    else call.push(starts[i]!);
  }
  return calls;
}

/** Whole segments, given by their starts and the end of the last, laid into tiles one after the other. */
function tilesOf(
  starts: readonly number[],
  { call, prefix, tile }: Pick<QueryTiles, 'call' | 'prefix' | 'tile'>,
  forks: readonly Fork[],
): QueryTiles {
  const [first, end] = [starts[0]!, starts.at(-1)!];
  const offsets: number[] = [];
  let offset = 0;
  for (let i = 0; i + 1 < starts.length; i++) {
    const length = starts[i + 1]! - starts[i]!;
    if ((offset % tile) + length > tile) offset = Math.ceil(offset / tile) * tile;
    offsets.push(offset);
    offset += length;
  }
  const count = Math.ceil(offset / tile);
  const index = new BigInt64Array(count * tile);
  const inverse = new BigInt64Array(end - first);
  const span = prefix + tile;
  const bias = new Float32Array(count * tile * span).fill(masked);
  for (let row = 0; row < count * tile; row++) bias[row * span + prefix + (row % tile)] = 0;
  offsets.forEach((at, i) => {
    for (let n = starts[i]!; n < starts[i + 1]!; n++) {
      const row = at + n - starts[i]!;
      index[row] = BigInt(n - first);
      inverse[n - first] = BigInt(row);
      bias.fill(0, row * span, row * span + prefix);
      bias.fill(0, row * span + prefix + (at % tile), row * span + prefix + (row % tile) + 1);
    }
  });
  maskForks(bias, forks, [first, end], (row, key) => {
    const at = Number(inverse[row - first]);
    return at * span + prefix + (at % tile) - (row - key);
  });
  const inputs = new Map([
    ['index', integers(index, [index.length])],
    ['inverse', integers(inverse, [inverse.length])],
    ['bias', floats(bias, [count, 1, tile, span])],
  ]);
  if (prefix > 0) {
    const keys = BigInt64Array.from({ length: count * span }, (_, i) => {
      const [at, own] = [i % span, Math.floor(i / span) * tile + (i % span) - prefix];
      return at < prefix ? BigInt(at) : BigInt(first) + index[own]!;
    });
    const own = inverse.map((row) => (row / BigInt(tile)) * BigInt(span) + BigInt(prefix) + (row % BigInt(tile)));
    inputs.set('keys', integers(keys, [keys.length])).set('own', integers(own, [own.length]));
  }
  return { tile, whole: count * tile === end - first, prefix, call, count, first, end, inputs };
}
