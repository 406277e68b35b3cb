/**
 * Pairs with ranks and scales of their own, and layers without any, as an adapter that has the same everywhere: what it
 * computes is the same. Zero rows fill up a lower rank, a scale of its own goes into B, a matrix that is not adapted
 * gets zeros. Such zeros have no gradient, so that training goes on with the ranks and modules that there were. Pure.
 */
import { NomoatError } from '../errors.ts';
import { type LoraAdapter, type LoraPair, loraScale, type Projection, projections } from '../lora/adapter.ts';
import type { RankedPair } from './collect-pairs.ts';

/**
 * Filled up to more than this many times its size, an adapter is none that anybody trained: ranks 8 and 64 need at most
 * 8.
 */
const maxGrowth = 64;

export interface EvenOptions {
  /** Of the model; null where it is not known, and then every layer has to have the same modules. */
  readonly layers: number | null;
  readonly rslora: boolean;
  /** The alpha of one of the pairs. */
  readonly alphaOf: (pair: RankedPair) => number;
}

export interface EvenPairs extends Pick<LoraAdapter, 'rank' | 'alpha' | 'targetModules' | 'pairs'> {
  /** What was filled up or folded. */
  readonly notes: readonly string[];
}

const keyOf = (layer: number, projection: Projection): string => `${layer}.${projection}`;

/** [rank, in] and [out, rank] of the pair's own rank as matrices of `rank`, B times `factor`. */
function widened(pair: RankedPair, rank: number, factor: number): LoraPair {
  const { rank: own, ...rest } = pair;
  if (own === rank && factor === 1) return rest;
  const { inFeatures, outFeatures } = pair;
  const a = new Float32Array(rank * inFeatures);
  a.set(pair.a);
  const b = new Float32Array(outFeatures * rank);
  for (let row = 0; row < outFeatures; row++)
    for (let r = 0; r < own; r++) b[row * rank + r] = factor * pair.b[row * own + r]!;
  return { ...rest, a, b };
}

/** Layers and modules without weights; refused where nobody knows how many layers there are. */
function gapsOf(
  part: string,
  pairs: readonly RankedPair[],
  targetModules: readonly Projection[],
  given: number | null,
) {
  const last = pairs.at(-1)!.layer;
  const layers = given ?? last + 1;
  if (last >= layers) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `adapts layer ${last}, and the model's last layer is ${layers - 1}`,
      remedy: 'Use the adapter with the base model that it was trained on.',
    });
  }
  const there = new Set(pairs.map(({ layer, projection }) => keyOf(layer, projection)));
  const gaps: { layer: number; projection: Projection }[] = [];
  for (let layer = 0; layer < layers; layer++)
    for (const projection of targetModules) {
      if (there.has(keyOf(layer, projection))) continue;
      gaps.push({ layer, projection });
      if (given !== null) continue;
      throw new NomoatError({
        code: 'unusable-adapter',
        part,
        fault: `layers do not all adapt the same modules: layer ${layer} has no ${projection}`,
        remedy: 'Give the adapter together with its base model.',
      });
    }
  return gaps;
}

function assertModest(part: string, pairs: readonly RankedPair[], rank: number): void {
  const held = pairs.reduce((sum, { a, b }) => sum + a.length + b.length, 0);
  const filled = pairs.reduce((sum, { inFeatures, outFeatures }) => sum + rank * (inFeatures + outFeatures), 0);
  if (filled <= maxGrowth * held) return;
  throw new NomoatError({
    code: 'unusable-adapter',
    part,
    fault: `has ranks from ${Math.min(...pairs.map((pair) => pair.rank))} to ${rank}, too far apart to be held as one`,
    remedy: 'Train or convert it with one rank for all modules.',
  });
}

/** `part` names the file in errors. Throws NomoatError where the pairs cannot be held as one adapter. */
export function evenPairs(part: string, ranked: readonly RankedPair[], options: EvenOptions): EvenPairs {
  const { alphaOf, rslora } = options;
  const targetModules = projections.filter((projection) => ranked.some((pair) => pair.projection === projection));
  const gaps = gapsOf(part, ranked, targetModules, options.layers);
  const rank = Math.max(...ranked.map((pair) => pair.rank));
  assertModest(part, ranked, rank);
  const alphas = ranked.map(alphaOf);
  const alpha = alphas[0]!;
  const scale = loraScale({ alpha, rank, rslora });
  let folded = false;
  const pairs = ranked.map((pair, i) => {
    const own = loraScale({ alpha: alphas[i]!, rank: pair.rank, rslora });
    folded ||= own !== scale || pair.rank !== rank;
    return widened(pair, rank, own / scale);
  });
  for (const { layer, projection } of gaps) {
    const { inFeatures, outFeatures } = ranked.find((pair) => pair.projection === projection)!;
    const a = new Float32Array(rank * inFeatures);
    pairs.push({ layer, projection, a, b: new Float32Array(outFeatures * rank), inFeatures, outFeatures });
  }
  const order = (pair: LoraPair): number => pair.layer * projections.length + projections.indexOf(pair.projection);
  pairs.sort((left, right) => order(left) - order(right));
  return { rank, alpha, targetModules, pairs, notes: notesOf(ranked, gaps, folded, rank) };
}

/** Gaps that are named; beyond, a count says enough. */
const namedGaps = 3;

function notesOf(
  ranked: readonly RankedPair[],
  gaps: readonly { layer: number; projection: Projection }[],
  folded: boolean,
  rank: number,
): string[] {
  const notes: string[] = [];
  const ranks = [...new Set(ranked.map((pair) => pair.rank))].sort((left, right) => left - right);
  if (ranks.length > 1)
    notes.push(`has ranks ${ranks.join(', ')}: it is held with rank ${rank}, lower ones filled up with zeros`);
  else if (folded) notes.push('has a scale of its own for some modules: B holds it');
  if (gaps.length > 0) {
    const named = gaps.slice(0, namedGaps).map(({ layer, projection }) => `layer ${layer} ${projection}`);
    const more = gaps.length > namedGaps ? ` and ${gaps.length - namedGaps} more` : '';
    notes.push(`has no weights for ${named.join(', ')}${more}: they stay as they are in the base, also in training`);
  }
  return notes;
}
