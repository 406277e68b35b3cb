/**
 * An adapter with ranks and scales of its modules' own, and layers without any, as one that has the same everywhere,
 * which is what is trained: what it computes is the same. Zero rows fill up a lower rank, a scale of its own goes into B,
 * a matrix that is not adapted gets zeros. Such zeros have no gradient, so that training goes on with the ranks and
 * modules that there were. Pure.
 */
import { basename } from 'node:path';
import { NomoatError } from '../errors.ts';
import {
  adaptedProjections,
  byModule,
  type EvenAdapter,
  type LoraAdapter,
  type LoraModule,
  type LoraPair,
  loraScale,
  moduleKey,
  scalesOf,
} from '../lora/adapter.ts';
import { scaledB, widened } from './pair-forms.ts';

/**
 * Filled up to more than this many times its size, an adapter is none that anybody trained: ranks 8 and 64 need at most
 * 8.
 */
const maxGrowth = 64;

export interface EvenOptions {
  /** Names the adapter in errors and notes. */
  readonly part: string;
  /** Of the model. */
  readonly layers: number;
  /** Told what was filled up or folded, in sentences. */
  readonly note?: ((text: string) => void) | undefined;
}

/** Layers and modules without weights. */
function gapsOf({ pairs }: LoraAdapter, layers: number, part: string): LoraModule[] {
  const last = pairs.at(-1)!.layer;
  if (last >= layers) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `adapts layer ${last}, and the model's last layer is ${layers - 1}`,
      remedy: 'Use the adapter with the base model that it was trained on.',
    });
  }
  const there = new Set(pairs.map(moduleKey));
  const all = Array.from({ length: layers }, (_, layer) =>
    adaptedProjections(pairs).map((projection) => ({ layer, projection })),
  ).flat();
  return all.filter((module) => !there.has(moduleKey(module)));
}

function assertModest(part: string, pairs: readonly LoraPair[], rank: number): void {
  const held = pairs.reduce((sum, { a, b }) => sum + a.length + b.length, 0);
  const filled = pairs.reduce((sum, { inFeatures, outFeatures }) => sum + rank * (inFeatures + outFeatures), 0);
  if (filled <= maxGrowth * held) return;
  throw new NomoatError({
    code: 'unusable-adapter',
    part,
    fault: `has ranks from ${Math.min(...pairs.map((pair) => pair.rank))} to ${rank}, too far apart to be trained as one`,
    remedy: 'Train or convert it with one rank for all modules.',
  });
}

/** The adapter with one rank and alpha; its own arrays where nothing has to be changed. Throws NomoatError. */
export function evenAdapter(adapter: LoraAdapter, { layers, note, part }: EvenOptions): EvenAdapter {
  const { pairs: ranked, rslora } = adapter;
  const gaps = gapsOf(adapter, layers, part);
  const rank = Math.max(...ranked.map((pair) => pair.rank));
  assertModest(part, ranked, rank);
  const { alpha } = ranked[0]!;
  const scale = loraScale({ alpha, rank, rslora });
  const factors = scalesOf(adapter).map((own) => own / scale);
  const pairs = ranked.map((pair, i) => ({ ...widened(scaledB(pair, factors[i]!), rank), alpha }));
  for (const { layer, projection } of gaps) {
    const { inFeatures, outFeatures } = ranked.find((pair) => pair.projection === projection)!;
    const a = new Float32Array(rank * inFeatures);
    pairs.push({ layer, projection, rank, alpha, a, b: new Float32Array(outFeatures * rank), inFeatures, outFeatures });
  }
  pairs.sort(byModule);
  const folded = factors.some((factor) => factor !== 1);
  for (const text of notesOf(ranked, gaps, folded)) note?.(`${basename(part)} ${text}.`);
  return { ...adapter, rank, alpha, targetModules: adaptedProjections(ranked), pairs };
}

/** Gaps that are named; beyond, a count says enough. */
const namedGaps = 3;

function notesOf(ranked: readonly LoraPair[], gaps: readonly LoraModule[], folded: boolean): string[] {
  const notes: string[] = [];
  const ranks = [...new Set(ranked.map((pair) => pair.rank))].sort((left, right) => left - right);
  if (ranks.length > 1)
    notes.push(`has ranks ${ranks.join(', ')}: it is held with rank ${ranks.at(-1)}, lower ones filled up with zeros`);
  else if (folded) notes.push('has a scale of its own for some modules: B holds it');
  if (gaps.length > 0) {
    const named = gaps.slice(0, namedGaps).map(({ layer, projection }) => `layer ${layer} ${projection}`);
    const more = gaps.length > namedGaps ? ` and ${gaps.length - namedGaps} more` : '';
    notes.push(`has no weights for ${named.join(', ')}${more}: they stay as they are in the base, also in training`);
  }
  return notes;
}
