/**
 * Adapters on one base as one. Promises: sums of updates are exact, by Gram matrices of the stacked factors and a small SVD, and
 * never formed; what only some adapters adapt counts as zero in the others; what a lower rank leaves out is told.
 */

import { addProduct, type Energy, nearestToUpdate, pairOfFactors, sumOfSquares } from '../adapter/low-rank.ts';
import { Random } from '../batches/random.ts';
import { NomoatError } from '../errors.ts';
import { innerProduct } from '../inspect/compare-updates.ts';
import { factorsOf, type UpdateFactors } from '../inspect/update.ts';
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
import type { MergeMethod } from '../settings/merge-methods.ts';
import { heedSignal } from '../stop.ts';
import { type ElementMethod, fuse, mergeTable, type SumMethod } from './methods.ts';

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

/** Elements of the products, one module at a time. */
async function fusedProducts(
  terms: readonly Term[],
  way: ElementMethod,
  options: MergeOptions,
  rank: number,
): Promise<Part> {
  const { density, seed, weights } = options;
  const { inFeatures, outFeatures } = terms[0]!.pair;
  const pruned = terms.map(({ at, pair, scale }) => {
    const update = new Float32Array(outFeatures * inFeatures);
    addProduct(update, pair, scale);
    return way.prune(update, { density, width: inFeatures, random: new Random(seed, streamOf(pair, at)) });
  });
  const update = fuse(
    pruned,
    terms.map(({ at }) => weights[at]!),
    way.elects,
  );
  return nearestToUpdate(terms[0]!.pair, update, options.rank ?? rank);
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
  const half = (name: 'a' | 'b', width: number): Float32Array =>
    fuse(
      terms.map(({ at, pair }) =>
        way.prune(pair[name], {
          density,
          width,
          random: new Random(seed + (name === 'a' ? 0 : 1), streamOf(pair, at)),
        }),
      ),
      strengths.map((value) => Math.sqrt(Math.abs(value)) * (name === 'a' && value < 0 ? -1 : 1)),
      way.elects,
    );
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

/** Merges adapters that fit one base. Rejects with NomoatError where factors do not meet, or `signal` is aborted. */
export async function merged(adapters: readonly LoraAdapter[], options: MergeOptions): Promise<Merged> {
  const way = mergeTable[options.method];
  const rank = highestRank(adapters);
  const modules = termsOf(adapters);
  const pairs: LoraPair[] = [];
  const energy = { total: 0, discarded: 0 };
  for (const terms of modules) {
    await heedSignal('the merge', options.signal);
    const part =
      way.kind === 'sum'
        ? summed(terms, way, options, adapters)
        : way.kind === 'elements'
          ? await fusedProducts(terms, way, options, rank)
          : fusedFactors(terms, way, options);
    pairs.push(part.pair);
    energy.total += part.energy.total;
    energy.discarded += part.energy.discarded;
    options.onModule?.(pairs.length, modules.length);
  }
  return { adapter: { rslora: false, dropout: 0, baseModel: adapters[0]!.baseModel, pairs }, energy };
}
