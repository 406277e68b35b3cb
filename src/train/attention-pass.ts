/**
 * Attention of one block over a micro-batch, forward and backward, by its plan: which call reads and writes which rows of the block's arrays.
 */
import { maxKeptPrefix } from '../models/attention.ts';
import { floats, type Tensor, type Tensors } from '../runtime/onnxruntime-node/executor.ts';
import { type AttentionPlan, type QueryChunk, type QueryTiles, seenBy, writeBias } from './attention-plan.ts';
import { addTo } from './slots.ts';
import type { CompiledAttention } from './stages.ts';

/** An array of that name that lasts from forward to backward. */
export type Keep = (name: string, length: number) => Float32Array;
/** An array [rows, width] of that name that every call uses again. */
export type Take = (name: string, rows: number, width: number) => Tensor;

/** How attention takes a micro-batch, in the forms that the engines want. */
export interface AttentionLayout {
  readonly attention: readonly AttentionPlan[];
  /** queryRanges of the batch. */
  readonly ranges: Int32Array;
}

/** Attention of one block, whichever engine computes it. */
export interface Attention {
  /** From `q` [N, heads * headDim], `k` and `v` [N, kvHeads * headDim] to `o`, in place. */
  forward(layout: AttentionLayout, arrays: Tensors, keep: Keep): Promise<void>;
  /** From what is read to what is written. */
  backward(layout: AttentionLayout, arrays: BackwardArrays): Promise<void>;
}

/** What backward works on. */
export interface BackwardArrays {
  /** q, k, v, o and `d.o`. */
  readonly read: Tensors;
  /** `d.q`, `d.k` and `d.v`. */
  readonly written: Tensors;
  readonly keep: Keep;
}

export class AttentionPass implements Attention {
  private readonly graphs: CompiledAttention;
  private readonly heads: number;
  private readonly take: Take;

  constructor(graphs: CompiledAttention, heads: number, take: Take) {
    this.graphs = graphs;
    this.heads = heads;
    this.take = take;
  }

  async forward({ attention }: AttentionLayout, arrays: Tensors, keep: Keep): Promise<void> {
    for (const { chunks, tiles } of attention) {
      for (const some of tiles) {
        const rows = tileInputs(some, arrays, ['q', 'o']);
        const { forward } = await this.graphs.tiled(some);
        await forward.run(rows, new Map([...rows, ...this.tileProbabilities(some, forward.outputs, keep)]));
      }
      for (const [i, chunk] of chunks.entries()) {
        const rows = this.chunkInputs(chunk, arrays, ['q', 'o']);
        const kept = chunk.whole && (await this.graphs.wholeSegment?.());
        if (kept)
          await kept.forward.run(rows, new Map([...rows, ['saved.p', this.segmentProbabilities(chunk, i, keep)]]));
        else await this.graphs.forward.run(rows, rows);
      }
    }
  }

  async backward({ attention }: AttentionLayout, arrays: BackwardArrays): Promise<void> {
    for (const { chunks, tiles } of attention) {
      for (const some of tiles) await this.tilesBackward(some, arrays);
      for (const [i, chunk] of chunks.entries()) await this.chunkBackward(chunk, i, arrays);
    }
  }

  private async tilesBackward(tiles: QueryTiles, { keep, read, written }: BackwardArrays): Promise<void> {
    const { end, first, prefix } = tiles;
    const { backward } = await this.graphs.tiled(tiles);
    const probabilities = this.tileProbabilities(tiles, backward.inputs, keep);
    const to = rowsOf(written, first, end);
    // What the tiles give to the rows of the prefix, which other calls give to as well.
    const parts = prefix > 0 ? this.parts(prefix, written) : [];
    for (const [name, part] of parts) to.set(name.replace('d.', 'd.prefix.'), part);
    await backward.run(new Map([...tileInputs(tiles, read, ['q', 'o', 'd.o']), ...probabilities]), to);
    for (const [name, part] of parts) addTo(values(written.get(name)!), values(part));
  }

  private async chunkBackward(chunk: QueryChunk, i: number, arrays: BackwardArrays): Promise<void> {
    const { keep, read, written } = arrays;
    const { end, first, keys, prefix, whole } = chunk;
    const from = this.chunkInputs(chunk, read, ['q', 'o', 'd.o']);
    const to = rowsOf(written, first, end);
    // The keys of a segment's first chunk are its own; later chunks see them again, and add to what is there. A prefix is always seen again.
    if (first === keys && prefix === 0) {
      const kept = whole && (await this.graphs.wholeSegment?.());
      if (kept) await kept.backward.run(new Map([...from, ['saved.p', this.segmentProbabilities(chunk, i, keep)]]), to);
      else await this.graphs.backward.run(from, to);
      return;
    }
    const parts = this.parts(prefix + end - keys, written);
    await this.graphs.backward.run(from, new Map([...to, ...parts]));
    for (const [name, tensor] of parts) {
      const [total, part, width] = [values(written.get(name)!), values(tensor), tensor.dims[1]!];
      const own = (prefix + first - keys) * width;
      addTo(total, part.subarray(0, prefix * width));
      addTo(total, part.subarray(prefix * width, own), keys * width);
      total.set(part.subarray(own), first * width);
    }
  }

  /** Arrays of `rows` rows for a part of `d.k` and `d.v`, by those names. */
  private parts(rows: number, written: Tensors): (readonly [string, Tensor])[] {
    return ['d.k', 'd.v'].map((name) => [name, this.take(`part.${name}`, rows, written.get(name)!.dims[1]!)] as const);
  }

  /** The attention probabilities of tiles, [tiles, heads, tile, prefix + tile], where the graph names it. */
  private tileProbabilities({ call, count, prefix, tile }: QueryTiles, names: readonly string[], keep: Keep): Tensors {
    if (!names.includes('saved.p')) return new Map();
    const shape = [count, this.heads, tile, prefix + tile];
    return new Map([['saved.p', probabilities(`p.${prefix}.${tile}.${call}`, shape, keep)]]);
  }

  private biasOf(chunk: QueryChunk): Tensor {
    if (chunk.bias) return chunk.bias;
    const made = this.take('bias', chunk.end - chunk.first, seenBy(chunk));
    writeBias(chunk, values(made));
    return made;
  }

  /** The same of the `i`th chunk where it is a segment, [heads, rows, rows]. */
  private segmentProbabilities({ end, first }: QueryChunk, i: number, keep: Keep): Tensor {
    return probabilities(`p.chunk.${i}`, [this.heads, end - first, end - first], keep);
  }

  /**
   * Rows of `arrays` that a chunk reads and writes: its queries' of those in `queries`, its keys' of the others. Keys that go on from
   * a prefix do not stand behind it: those are copied.
   */
  private chunkInputs(chunk: QueryChunk, arrays: Tensors, queries: readonly string[]): Tensors {
    const { end, first, keys, prefix } = chunk;
    const { own, seen } = divided(arrays, queries);
    const rows = rowsOf(seen, keys, end);
    if (prefix > 0) {
      for (const [name, tensor] of seen) {
        const [from, width] = [values(tensor), tensor.dims[1]!];
        const joined = this.take(`joined.${name}`, prefix + end - keys, width);
        values(joined).set(from.subarray(0, prefix * width));
        values(joined).set(from.subarray(keys * width, end * width), prefix * width);
        rows.set(name, joined);
      }
    }
    return new Map([['bias', this.biasOf(chunk)], ...rowsOf(own, first, end), ...rows]);
  }
}

/** How many numbers the kept attention probabilities of these plans' tiles are for each head. */
export function probabilitiesPerHead(plans: readonly AttentionPlan[]): number {
  return plans
    .flatMap(({ tiles }) => tiles)
    .filter(({ prefix }) => prefix <= maxKeptPrefix)
    .reduce((sum, { count, prefix, tile }) => sum + count * tile * (prefix + tile), 0);
}

const values = (tensor: Tensor): Float32Array => tensor.data as Float32Array;

function probabilities(name: string, shape: readonly number[], keep: Keep): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return floats(keep(name, size), shape);
}

const divided = (arrays: Tensors, queries: readonly string[]): { own: Tensors; seen: Tensors } => ({
  own: new Map([...arrays].filter(([name]) => queries.includes(name))),
  seen: new Map([...arrays].filter(([name]) => !queries.includes(name))),
});

/** What tiles read and write of `arrays`: their rows, and of keys and values (those not in `queries`) the prefix as well. */
function tileInputs({ end, inputs, first, prefix }: QueryTiles, arrays: Tensors, queries: readonly string[]): Tensors {
  const { own, seen } = divided(arrays, queries);
  return new Map([...inputs, ...rowsOf(own, first, end), ...rowsOf(seen, prefix > 0 ? 0 : first, end)]);
}

/** Rows [from, to) of matrices, in place. */
function rowsOf(arrays: Tensors, from: number, to: number): Map<string, Tensor> {
  return new Map(
    [...arrays].map(([name, tensor]) => {
      const width = tensor.dims[1]!;
      return [name, floats(values(tensor).subarray(from * width, to * width), [to - from, width])];
    }),
  );
}
