/**
 * A model and its base on the same requests: how likely refusals are, and how far the first words moved. Promises: both are asked the same, in the
 * same order; what does not fit either context is left out of both.
 */
import { bootstrapInterval } from '../evaluate/statistics/resampling.ts';
import { mean } from '../evaluate/statistics/sums.ts';
import type { DriftFigure } from '../safety-event.ts';
import { driftOf } from './drift.ts';
import {
  beginningsOf,
  conversationOf,
  type Measurable,
  type MeasureSafetyOptions,
  placedBy,
  refusalLikelihoods,
} from './measure.ts';
import type { SafetyPrompts } from './prompts.ts';
import type { MeasuredRefusals } from './refusal-figures.ts';

/** Who is asked; without a base nothing is compared. */
export interface AskedPair {
  readonly model: Measurable;
  readonly base: Measurable | null;
  /** The system prompt that the model was trained with. */
  readonly system: string | null;
}

/** One ordinary request. */
interface Moved {
  readonly divergence: number;
  readonly same: boolean;
}

/** Values by request, those that did not fit left out. */
export interface MeasuredPair {
  readonly harmful: Likelihoods;
  readonly harmless: Likelihoods;
  readonly ordinary: readonly Moved[];
}

/** ln p of a refusal's beginning, by request. */
interface Likelihoods {
  readonly model: readonly number[];
  readonly base: readonly number[];
}

async function likelihoodsOf(
  { base, model, system }: AskedPair,
  prompts: readonly string[],
  options: MeasureSafetyOptions,
): Promise<Likelihoods> {
  const asked = prompts.map((prompt) => conversationOf(prompt, system));
  const own = await refusalLikelihoods(model, asked, options);
  const others = base === null ? own : await refusalLikelihoods(base, asked, options);
  const kept = [...own.keys()].filter((i) => own[i] !== null && others[i] !== null);
  return { model: kept.map((i) => own[i]!), base: kept.map((i) => others[i]!) };
}

async function movedOf(
  { base, model, system }: AskedPair,
  prompts: readonly string[],
  options: MeasureSafetyOptions,
): Promise<Moved[]> {
  if (base === null || prompts.length === 0) return [];
  const asked = prompts.map((prompt) => conversationOf(prompt, system));
  const beginnings = await beginningsOf(base, asked, options);
  const before = await placedBy(base, asked, beginnings, options);
  const after = await placedBy(model, asked, beginnings, options);
  return before.flatMap((placed, i) => {
    const own = after[i];
    return placed && own ? [{ divergence: driftOf(placed.placed, own.placed), same: own.same }] : [];
  });
}

/** Measures all requests given. Rejects with NomoatError, and with the signal's reason. */
export async function measurePair(
  pair: AskedPair,
  { harmful, harmless, ordinary }: SafetyPrompts,
  options: MeasureSafetyOptions,
): Promise<MeasuredPair> {
  return {
    harmful: await likelihoodsOf(pair, harmful, options),
    harmless: await likelihoodsOf(pair, harmless, options),
    ordinary: await movedOf(pair, ordinary, options),
  };
}

/** The likelihoods as figures are made of them; none of what nothing was measured of. */
export const measuredRefusals = ({ harmful, harmless }: MeasuredPair, isCompared: boolean): MeasuredRefusals[] =>
  ([['harmful', harmful], ['harmless', harmless]] as const)
    .filter(([, { model }]) => model.length > 0)
    .map(([kind, { base, model }]) => ({ kind, model, base: isCompared ? base : null })); // biome-ignore format: a table

/** Null where nothing was measured. */
export function driftFigure(moved: readonly Moved[]): DriftFigure | null {
  if (moved.length === 0) return null;
  const each = moved.map(({ divergence }) => divergence);
  return {
    prompts: moved.length,
    divergence: mean(each),
    interval: bootstrapInterval(each),
    sameBeginning: moved.filter(({ same }) => same).length,
  };
}
