/**
 * Adapters made ready to be summed, by what each reads: A of each is fitted anew, so that on its own inputs it gives what it gave, and on the
 * others' nothing. Summed, that is RegMean (https://arxiv.org/abs/2212.09849), the regression of what each adapter makes of its own inputs, for
 * low-rank updates: (sum of X'X)^-1 sum of X'X dW has the adapters' own B, so that their ranks add up and nothing is left out. Promises: B and
 * scales stay as they were; each adapter counts the same, however many inputs it has.
 */
import { NomoatError } from '../errors.ts';
import { solvePositive } from '../linear-algebra/cholesky.ts';
import {
  addScaled,
  column,
  fromRowsTransposed,
  type Matrix,
  multiply,
  sideBySide,
  zeros,
} from '../linear-algebra/matrix.ts';
import { byModule, type LoraAdapter, type LoraPair, type Projection } from '../lora/adapter.ts';
import { physicalCores } from '../machine/machine.ts';
import { type ProjectionGroup, projectionGroups } from '../models/block-options.ts';
import type { WeightProducts } from '../runtime/onnxruntime-node/weight-products.ts';
import { heedSignal } from '../stop.ts';

/** What the projections of one block read, by the group that reads it: [rows, width] each, row by row; good until the next block is asked for. */
export type BlockInputs = ReadonlyMap<ProjectionGroup, Float32Array>;
/** Block by block, what the projections read while each adapter computes rows of its own data: one for each adapter. */
export type AdapterInputs = AsyncIterable<readonly BlockInputs[]>;

/**
 * Of the mean of the inputs' squares, added to each direction's: what no input has goes to zero. Between a thousandth and a hundredth SmolLM2's merges of two tasks
 * are the same within their noise (docs/log/merging.md).
 */
const ridgeShare = 1e-2;

/** What one adapter's rows read at a place, each over the root of their number: [rows, width], row by row. */
interface Read {
  readonly rows: number;
  readonly values: Float32Array;
  /** Those that read it. */
  readonly pairs: readonly LoraPair[];
}

function addRidge({ data, rows }: Matrix, width: number): void {
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += data[i * rows + i]!;
  for (let i = 0; i < rows; i++) data[i * rows + i]! += (ridgeShare * trace) / width;
}

/** A' [width, rank], of numbers row by row. */
const transposedA = ({ a, inFeatures, rank }: LoraPair): Matrix =>
  fromRowsTransposed({ rows: rank, columns: inFeatures }, a);

/** (sum of G + ridge I)^-1 G A' with G = X' X of each, [width, all ranks]: as many unknowns as the width. */
async function byWidth(reads: readonly Read[], width: number, products: WeightProducts): Promise<Matrix> {
  const system = zeros(width, width);
  const wanted: Matrix[] = [];
  for (const { pairs, rows, values } of reads) {
    const gram = await products.gram({ rows, columns: width }, values);
    addScaled(system.data, gram.data, 1);
    for (const pair of pairs) wanted.push(multiply(gram, transposedA(pair)));
  }
  addRidge(system, width);
  return solvePositive(system, sideBySide(...wanted));
}

/** The same as X' (X X' + ridge I)^-1 Y, with the X of all below each other and Y of X A' where they are the adapter's own, else 0: as many unknowns as rows. */
async function byRows(reads: readonly Read[], width: number, products: WeightProducts): Promise<Matrix> {
  const all = reads.reduce((sum, { rows }) => sum + rows, 0);
  const stacked = new Float32Array(all * width);
  const wanted: Matrix[] = [];
  let first = 0;
  for (const { pairs, rows, values } of reads) {
    stacked.set(values, first * width);
    const own = products.operator({ rows, columns: width }, values);
    for (const pair of pairs) {
      const made = await own.apply(transposedA(pair));
      const whole = zeros(all, pair.rank);
      for (let j = 0; j < pair.rank; j++) column(whole, j).set(column(made, j), first);
      wanted.push(whole);
    }
    first += rows;
  }
  const inputs = products.operator({ rows: all, columns: width }, stacked);
  const system = await inputs.apply({ rows: width, columns: all, data: Float64Array.from(stacked) });
  addRidge(system, width);
  return inputs.applyTransposed(solvePositive(system, sideBySide(...wanted)));
}

/** A of the pairs of one group anew, adapter by adapter, from what each adapter's own rows read there: [rows, width] each. */
async function fittedGroup(
  pairs: readonly (readonly LoraPair[])[],
  inputs: readonly Float32Array[],
  products: WeightProducts,
): Promise<LoraPair[]> {
  const width = pairs.flat()[0]!.inFeatures;
  const reads = inputs.map((values, k): Read => {
    const rows = values.length / width;
    const factor = 1 / Math.sqrt(rows);
    return { pairs: pairs[k]!, rows, values: values.map((value) => factor * value) };
  });
  const rows = reads.reduce((sum, each) => sum + each.rows, 0);
  const fitted = await (width <= rows ? byWidth : byRows)(reads, width, products);
  if (!fitted.data.every(Number.isFinite)) {
    const { layer, projection } = pairs.flat()[0]!;
    throw new NomoatError({
      code: 'unusable-adapter',
      part: `layer ${layer} ${projection}`,
      fault: 'cannot be fitted to what it reads there, which is zero or no number',
      remedy: "Give other data as `inputs`, or choose another method, such as `method: 'cat'`.",
    });
  }
  let at = 0;
  return pairs.flat().map((pair) => {
    const [first, end] = [at, at + pair.rank];
    at = end;
    return { ...pair, a: Float32Array.from(fitted.data.subarray(first * width, end * width)) };
  });
}

/** Each adapter with A fitted to the inputs. Rejects with NomoatError where `signal` is aborted. */
export async function fittedToInputs(
  adapters: readonly LoraAdapter[],
  inputs: AdapterInputs,
  signal?: AbortSignal,
): Promise<LoraAdapter[]> {
  const pairs: LoraPair[][] = adapters.map(() => []);
  const { WeightProducts: Products } = await import('../runtime/onnxruntime-node/weight-products.ts');
  const products = await Products.open(physicalCores());
  let layer = 0;
  try {
    for await (const blocks of inputs) {
      for (const group of Object.keys(projectionGroups) as ProjectionGroup[]) {
        await heedSignal('the merge', signal);
        const members: readonly Projection[] = projectionGroups[group];
        const own = adapters.map((adapter) =>
          adapter.pairs.filter((pair) => pair.layer === layer && members.includes(pair.projection)),
        );
        const read = blocks.map((block) => block.get(group)!);
        const fitted = own.flat().length === 0 ? [] : await fittedGroup(own, read, products);
        for (const [k, each] of pairs.entries()) each.push(...fitted.splice(0, own[k]!.length));
      }
      layer++;
    }
  } finally {
    await products.close();
  }
  return adapters.map((adapter, k) => ({ ...adapter, pairs: pairs[k]!.sort(byModule) }));
}
