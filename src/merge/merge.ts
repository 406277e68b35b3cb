/**
 * Adapters on one base as one. Promises: sums of updates are exact, by Gram matrices of the stacked factors and a small SVD, and
 * never formed; what only some adapters adapt counts as zero in the others; what a lower rank leaves out is told.
 */

import { type Energy, nearestToUpdate, pairOfFactors, sumOfSquares } from '../adapter/low-rank.ts';
import { Random } from '../batches/random.ts';
import { NomoatError } from '../errors.ts';
import { innerProduct } from '../inspect/compare-updates.ts';
import { factorsOf, type UpdateFactors } from '../inspect/update.ts';
import { fuseElements } from '../kernels/elements.ts';
import { nearestFactors } from '../linear-algebra/gram-svd.ts';
import {
  byModule,
  type LoraAdapter,
  type LoraModule,
  type LoraPair,
  loraScale,
  moduleKey,
  projections,
} from '../lora/adapter.ts';
import { physicalCores } from '../machine/machine.ts';
import type { WeightProducts } from '../runtime/onnxruntime-node/weight-products.ts';
import type { MergeMethod } from '../settings/merge-methods.ts';
import { heedSignal } from '../stop.ts';
import { type ElementMethod, mergeTable, type SumMethod } from './methods.ts';

export interface MergeOptions {
  readonly method: MergeMethod;
  /** One for each adapter. */
  readonly weights: readonly number[];
  /** Share of elements that methods which prune keep. */
  readonly density: number;
  /** At most this rank for each module; null for all that `cat` and `linear` have, else the highest of the adapters. */
  readonly rank: number | null;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onModule?: ((done: number, all: number) => void) | undefined;
}

export interface Merged {
  readonly adapter: LoraAdapter;
  readonly energy: Energy;
}

/** One adapter's part in a module. */
interface Term {
  readonly pair: LoraPair;
  readonly scale: number;
  /** Which adapter. */
  readonly at: number;
}

type Part = { pair: LoraPair; energy: Energy };

/** Modules that some adapter adapts, with those that do. */
function termsOf(adapters: readonly LoraAdapter[]): Term[][] {
  const modules = new Map<string, Term[]>();
  adapters.forEach(({ pairs, rslora }, at) => {
    for (const pair of pairs) {
      const terms = modules.get(moduleKey(pair)) ?? [];
      modules.set(moduleKey(pair), terms);
      terms.push({ pair, scale: loraScale({ ...pair, rslora }), at });
    }
  });
  return [...modules.values()].sort(([left], [right]) => byModule(left!.pair, right!.pair));
}

/** Factors side by side, B's times `factors`. */
function stacked(terms: readonly Term[], factors: readonly number[]): LoraPair {
  const { inFeatures, outFeatures, layer, projection } = terms[0]!.pair;
  const rank = terms.reduce((sum, { pair }) => sum + pair.rank, 0);
  const a = new Float32Array(rank * inFeatures);
  const b = new Float32Array(outFeatures * rank);
  let first = 0;
  terms.forEach(({ pair, scale }, k) => {
    const factor = factors[k]! * scale;
    a.set(pair.a, first * inFeatures);
    for (let row = 0; row < outFeatures; row++)
      for (let r = 0; r < pair.rank; r++) b[row * rank + first + r] = factor * pair.b[row * pair.rank + r]!;
    first += pair.rank;
  });
  return { layer, projection, rank, alpha: rank, a, b, inFeatures, outFeatures };
}

/** The pair at a rank; null keeps all that is no rounding. */
function reduced(pair: LoraPair, rank: number | null): Part {
  const { aTransposed, b } = factorsOf({ rslora: false }, pair);
  const { s, ...factors } = nearestFactors(b, aTransposed, rank ?? pair.rank);
  const discarded = sumOfSquares(s.subarray(factors.b.columns));
  return { pair: pairOfFactors(pair, factors), energy: { total: sumOfSquares(s), discarded } };
}

const highestRank = (adapters: readonly LoraAdapter[]): number =>
  Math.max(...adapters.flatMap(({ pairs }) => pairs.map((pair) => pair.rank)));

/** Inner products of the updates of all adapters. */
function productsOf(terms: readonly Term[], adapters: readonly LoraAdapter[]): number[][] {
  const factors: (UpdateFactors | null)[] = adapters.map(() => null);
  for (const { at, pair } of terms) factors[at] = factorsOf(adapters[at]!, pair);
  return factors.map((own) => factors.map((other) => (own && other ? innerProduct(own, other) : 0)));
}

/** The pair as it is: nothing is left out. */
function whole(pair: LoraPair): Part {
  const factors = factorsOf({ rslora: false }, pair);
  return { pair, energy: { total: innerProduct(factors, factors), discarded: 0 } };
}

function summed(
  terms: readonly Term[],
  way: SumMethod,
  { rank, weights }: MergeOptions,
  adapters: readonly LoraAdapter[],
): Part {
  const products = way.byAngles ? productsOf(terms, adapters) : [];
  const all = way.factors({ products, weights });
  const pair = stacked(
    terms,
    terms.map(({ at }) => all[at]!),
  );
  if (rank === null && way.keeps === 'factors') return whole(pair);
  return reduced(pair, rank ?? (way.keeps === 'highest-rank' ? highestRank(adapters) : null));
}

/** What is formed of updates, a module at a time: the engine's products, and memory that the next module has again. */
class Forming {
  private readonly buffers: Float32Array[] = [];
  private readonly products: WeightProducts;

  private constructor(products: WeightProducts) {
    this.products = products;
  }

  static async open(): Promise<Forming> {
    const { WeightProducts: Products } = await import('../runtime/onnxruntime-node/weight-products.ts');
    return new Forming(await Products.open(physicalCores()));
  }

  /** s B A, [out, in]; the `at`-th of those that are held at once. */
  async update({ pair: { a, b, inFeatures, outFeatures }, scale }: Term, at: number): Promise<Float32Array> {
    const length = outFeatures * inFeatures;
    if ((this.buffers[at]?.length ?? 0) < length) this.buffers[at] = new Float32Array(length);
    const update = this.buffers[at]!.subarray(0, length);
    const scaled = { a, b: b.map((value) => scale * value) };
    await this.products.formUpdate({ rows: outFeatures, columns: inFeatures }, scaled, update);
    return update;
  }

  /** The nearest of `rank` to what the updates of `terms` came to: near the inputs that they look at. */
  nearest(terms: readonly Term[], update: Float32Array, total: number, rank: number): Promise<Part> {
    const start = factorsOf(
      { rslora: false },
      stacked(
        terms,
        terms.map(() => 1),
      ),
    ).aTransposed;
    return nearestToUpdate(terms[0]!.pair, update, rank, {
      ...{ start, total },
      operator: (shape, values) => this.products.operator(shape, values),
      multiply: (tall, small) => this.products.multiply(tall, small),
    });
  }

  close(): Promise<void> {
    return this.products.close();
  }
}

/** Elements of the products, one module at a time. */
async function fusedProducts(
  terms: readonly Term[],
  way: ElementMethod,
  options: MergeOptions,
  { forming, rank }: { readonly forming: Forming; readonly rank: number },
): Promise<Part> {
  const { density, seed, weights } = options;
  const tensors: Float32Array[] = [];
  for (const [k, term] of terms.entries()) tensors.push(await forming.update(term, k));
  const total = fuseElements(tensors, {
    kept: tensors.map((update, k) => {
      const { at, pair } = terms[k]!;
      return way.prune(update, { density, random: new Random(seed, streamOf(pair, at)) });
    }),
    weights: terms.map(({ at }) => weights[at]!),
    elects: way.elects,
    width: terms[0]!.pair.inFeatures,
  });
  return await forming.nearest(terms, tensors[0]!, total, options.rank ?? rank);
}

/** Each module of each adapter draws of its own. */
const streamOf = ({ layer, projection }: LoraModule, at: number): number =>
  (at * maxLayers + layer) * projections.length + projections.indexOf(projection);
/** As names of tensors have them. */
const maxLayers = 10_000;

/** PEFT's own: A's and B's elements, each with the root of weight and scale; the sign goes with A. */
function fusedFactors(terms: readonly Term[], way: ElementMethod, options: MergeOptions): Part {
  const { density, method, seed, weights } = options;
  const { inFeatures, layer, outFeatures, projection, rank } = terms[0]!.pair;
  const other = terms.find(({ pair }) => pair.rank !== rank);
  if (other) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part: `layer ${layer} ${projection}`,
      fault: `has rank ${rank} in one adapter and ${other.pair.rank} in another, and ${method} adds up factors`,
      remedy: "Choose a method that works on updates, such as `method: 'svd'`.",
    });
  }
  const strengths = terms.map(({ at, scale }) => weights[at]! * scale);
  const half = (name: 'a' | 'b', width: number): Float32Array => {
    const tensors = terms.map(({ pair }) => pair[name].slice());
    fuseElements(tensors, {
      kept: tensors.map((values, k) => {
        const { at, pair } = terms[k]!;
        return way.prune(values, { density, random: new Random(seed + (name === 'a' ? 0 : 1), streamOf(pair, at)) });
      }),
      weights: strengths.map((value) => Math.sqrt(Math.abs(value)) * (name === 'a' && value < 0 ? -1 : 1)),
      elects: way.elects,
      width,
    });
    return tensors[0]!;
  };
  const pair = {
    layer,
    projection,
    rank,
    alpha: rank,
    a: half('a', inFeatures),
    b: half('b', rank),
    inFeatures,
    outFeatures,
  };
  return whole(pair);
}

async function partOf(
  terms: readonly Term[],
  adapters: readonly LoraAdapter[],
  options: MergeOptions,
  forming: Forming | null,
): Promise<Part> {
  const way = mergeTable[options.method];
  if (way.kind === 'sum') return summed(terms, way, options, adapters);
  if (forming === null) return fusedFactors(terms, way, options);
  return await fusedProducts(terms, way, options, { forming, rank: highestRank(adapters) });
}

/** Merges adapters that fit one base. Rejects with NomoatError where factors do not meet, or `signal` is aborted. */
export async function merged(adapters: readonly LoraAdapter[], options: MergeOptions): Promise<Merged> {
  const modules = termsOf(adapters);
  const pairs: LoraPair[] = [];
  const energy = { total: 0, discarded: 0 };
  const forming = mergeTable[options.method].kind === 'elements' ? await Forming.open() : null;
  try {
    for (const terms of modules) {
      await heedSignal('the merge', options.signal);
      const part = await partOf(terms, adapters, options, forming);
      pairs.push(part.pair);
      energy.total += part.energy.total;
      energy.discarded += part.energy.discarded;
      options.onModule?.(pairs.length, modules.length);
    }
  } finally {
    await forming?.close();
  }
  return { adapter: { rslora: false, dropout: 0, baseModel: adapters[0]!.baseModel, pairs }, energy };
}
