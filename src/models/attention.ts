/**
 * Attention as graphs: of some query rows to the keys that they see, and of short segments in tiles. Each differentiated and partitioned.
 * Pure: no engine, no weights. Symbols as in block.ts; G tiles, M rows of tiles, E rows of keys as the tiles see them.
 */
import { gradients } from '../graph/gradient/gradient.ts';
import {
  add,
  batchMatmul,
  columns,
  gatherRows,
  input,
  mul,
  orderRows,
  reshape,
  rowDot,
  scalar,
  softmax,
  sumRows,
  transpose,
} from '../graph/graph.ts';
import type { Node } from '../graph/op.ts';
import { type Partition, partition } from '../graph/partition.ts';
import type { ModelConfig } from './config.ts';

/**
 * Attention of C query rows to T key rows: q [C, heads * headDim], k, v [T, kvHeads * headDim], bias [C, T] (0 or very negative).
 * Query heads that share a key head are folded into rows, so that keys and values are never repeated. `keepsProbabilities`: the attention
 * probabilities, p [heads, C, T], are saved. Backward reads `o` too: with it the gradient of the scores needs no sum over them (FlashAttention,
 * https://arxiv.org/abs/2205.14135, appendix B.2).
 */
export function attention(config: ModelConfig, keepsProbabilities = false): Partition {
  const { headDim, heads, kvHeads } = config;
  const group = heads / kvHeads;
  const rows = group === 1 ? 'C' : `${group}*C`;
  const width = heads * headDim;
  // [rows, width] to a stack by key head, and back.
  const apart = (x: Node, count: number): Node => transpose(reshape(x, [x.shape[0]!, count, headDim]), [1, 0, 2]);
  const together = (x: Node): Node => reshape(transpose(x, [1, 0, 2]), [x.shape[1]!, (x.shape[0] as number) * headDim]);
  const folded = (x: Node): Node =>
    group === 1
      ? apart(x, heads)
      : reshape(transpose(reshape(x, ['C', kvHeads, group, headDim]), [1, 2, 0, 3]), [kvHeads, rows, headDim]);
  const unfolded = (x: Node): Node =>
    group === 1
      ? together(x)
      : reshape(transpose(reshape(x, [kvHeads, group, 'C', headDim]), [2, 0, 1, 3]), ['C', width]);
  const byHead = (scores: Node): Node => reshape(scores, [heads, 'C', 'T']);
  const byKeyHead = (scores: Node): Node => reshape(scores, [kvHeads, rows, 'T']);
  const q = folded(input('q', ['C', width]));
  const [k, v] = ['k', 'v'].map((name) => apart(input(name, ['T', kvHeads * headDim]), kvHeads)) as [Node, Node];
  const factor = 1 / Math.sqrt(headDim);
  const scores = byHead(batchMatmul(q, k, { transposeB: true, factor }));
  const p = softmax(add(scores, input('bias', ['C', 'T'])));
  const o = unfolded(batchMatmul(byKeyHead(p), v));
  const [before, after] = [input('o', ['C', width]), input('d.o', ['C', width])];
  const dMixed = folded(after);
  const split = (x: Node): Node => reshape(x, ['C', heads, headDim]);
  const mean = transpose(rowDot(split(after), split(before)), [1, 0, 2]); // [heads, C, 1]: what p takes of its own gradient
  const dp = byHead(batchMatmul(dMixed, v, { transposeB: true }));
  const ds = byKeyHead(mul(p, add(dp, mul(mean, scalar(-1)))));
  const backward = new Map([
    ['d.q', unfolded(batchMatmul(ds, k, { factor }))],
    ['d.k', together(batchMatmul(ds, q, { transposeA: true, factor }))],
    ['d.v', together(batchMatmul(byKeyHead(p), dMixed, { transposeA: true }))],
  ]);
  return partition(new Map([['o', o]]), backward, keepsProbabilities ? new Map([['p', p]]) : new Map());
}

/** Where rows stand in tiles. */
export interface TileSize {
  /** Rows of a tile. */
  readonly tile: number;
  /** The rows stand in tiles already, M of them, and nothing is ordered. */
  readonly whole: boolean;
  /** Rows that stand before all others and are seen by every row of every tile; they are in none. */
  readonly prefix: number;
}

/** Longer beginnings make the attention probabilities larger than all else that is saved of a block: they are computed again. */
export const maxKeptPrefix = 64;

/**
 * Attention of short segments, many in one call: rows stand in G tiles of `tile` rows, filled up where segments end.
 * q [N, heads * headDim], k, v [N, kvHeads * headDim]; `index` [M] orders them into tiles, `inverse` [N] back; bias [G, 1, tile, tile].
 * A row of filling sees only itself and is seen by no other. The attention probabilities, p [G, heads, tile, prefix + tile], are saved:
 * computing them again takes a third of the time of backward. Behind a long prefix they are not.
 * With a prefix, k and v [T, .] hold its rows as well, first; bias is [G, 1, tile, prefix + tile], `keys` [E] are the rows that each tile
 * sees, prefix + tile of them, and `own` [N] says where each row stands there. The gradients d.k and d.v [N, .] are those of the
 * rows in tiles; the prefix gets its own, d.prefix.k and d.prefix.v [prefix, .], summed over the tiles.
 */
export function tiledAttention(config: ModelConfig, size: TileSize): Partition {
  const { headDim, heads, kvHeads } = config;
  const { prefix, tile, whole } = size;
  const rows = whole ? 'M' : 'N';
  const width = kvHeads * headDim;
  const tiles = tilesOf(size);
  const q = input('q', [rows, heads * headDim]);
  const sides = ['k', 'v'].map((name) => input(name, [prefix > 0 ? 'T' : rows, width])) as [Node, Node];
  const [k, v] = sides.map((side) => seen(side, tiles)) as [Node, Node];
  const { o, p } = attendTiles(config, tiles, [inTiles(q, tiles), k, v]);
  const out = inRows(o, tiles);
  const wanted = [q, ...(prefix > 0 ? [k, v] : sides)];
  const [dq, dk, dv] = gradients([out], [input('d.o', out.shape)], wanted) as [Node, Node, Node];
  const own = input('own', [rows], 'int64');
  const ofPrefix = (d: Node): Node =>
    reshape(sumRows(columns(reshape(d, ['G', (prefix + tile) * width]), 0, prefix * width)), [prefix, width]);
  const dSides: [string, Node][] =
    prefix === 0
      ? [['d.k', dk], ['d.v', dv]]
      : [['d.k', gatherRows(dk, own)], ['d.v', gatherRows(dv, own)], ['d.prefix.k', ofPrefix(dk)], ['d.prefix.v', ofPrefix(dv)]]; // biome-ignore format: a table
  const backward = new Map([['d.q', dq], ...dSides]);
  return partition(new Map([['o', out]]), backward, prefix <= maxKeptPrefix ? new Map([['p', p]]) : new Map());
}

/** The mask of rows in tiles, and where they stand. */
interface Tiles extends TileSize {
  readonly bias: Node;
  readonly index: Node;
  readonly inverse: Node;
  readonly keys: Node;
}

export function tilesOf(size: TileSize): Tiles {
  const { prefix, tile } = size;
  const bias = input('bias', ['G', 1, tile, prefix + tile]);
  const [index, keys] = [input('index', ['M'], 'int64'), input('keys', ['E'], 'int64')];
  return { ...size, bias, index, inverse: input('inverse', ['N'], 'int64'), keys };
}

/** Rows [N, .] to tiles [M, .], and back. */
export const inTiles = (x: Node, { index, inverse, whole }: Tiles): Node => (whole ? x : orderRows(x, index, inverse));
export const inRows = (x: Node, { index, inverse, whole }: Tiles): Node => (whole ? x : orderRows(x, inverse, index));
/** Keys or values as the tiles see them: [M, .], or [E, .] with a prefix. */
const seen = (x: Node, tiles: Tiles): Node => (tiles.prefix > 0 ? gatherRows(x, tiles.keys) : inTiles(x, tiles));

/** q [M, heads * headDim], k, v [M or E, kvHeads * headDim] -> o [M, heads * headDim] and p [G, heads, tile, prefix + tile]. */
export function attendTiles(
  { headDim, heads, kvHeads }: ModelConfig,
  { bias, prefix, tile }: Tiles,
  [q, k, v]: readonly [Node, Node, Node],
): { o: Node; p: Node } {
  const group = heads / kvHeads;
  const span = prefix + tile;
  const byHead = transpose(reshape(q, ['G', tile, kvHeads, group, headDim]), [0, 2, 3, 1, 4]); // [G, KV, group, tile, hd]
  const queries = reshape(byHead, [`${kvHeads}*G`, group * tile, headDim]);
  const side = (x: Node): Node => {
    const split = transpose(reshape(x, ['G', span, kvHeads, headDim]), [0, 2, 1, 3]); // [G, KV, span, hd]
    return reshape(split, [`${kvHeads}*G`, span, headDim]);
  };
  const products = batchMatmul(queries, side(k), { transposeB: true, factor: 1 / Math.sqrt(headDim) });
  const p = softmax(add(reshape(products, ['G', heads, tile, span]), bias));
  const probabilities = reshape(p, [`${kvHeads}*G`, group * tile, span]);
  const mixed = reshape(batchMatmul(probabilities, side(v)), ['G', kvHeads, group, tile, headDim]);
  return { o: reshape(transpose(mixed, [0, 3, 1, 2, 4]), ['M', heads * headDim]), p };
}
