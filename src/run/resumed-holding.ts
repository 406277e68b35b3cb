/**
 * Where a resumed run keeps its activations and its weights: as it began, so that it computes the same numbers, unless the machine that it
 * is on now has not the memory for that. Nothing is measured for it.
 */

import { type Context, type Holding, holdingsOf, roomOf, trainingMemory } from '../plan/plan.ts';
import { workOf } from '../plan/work.ts';
import { sizeText } from '../words/size-text.ts';
import type { RunRecord } from './run-folder.ts';

export interface ResumedHolding {
  readonly holding: Holding;
  /** What is to be said where it is another one, or where none fits; else null. */
  readonly notice: string | null;
}

const sameHolding = (a: Holding, b: Holding): boolean => a.activations === b.activations && a.streamed === b.streamed;

export function resumedHolding(context: Context, { chosenPrecision, plan, settings }: RunRecord): ResumedHolding {
  const began: Holding = { activations: plan?.activations ?? 'keep', streamed: plan?.streamed ?? false };
  const precision = chosenPrecision ?? plan?.precision ?? 'f32';
  const { work } = workOf(context.prepared, settings);
  const room = roomOf(context, settings).memoryBytes ?? Number.POSITIVE_INFINITY;
  const needs = (holding: Holding): number => trainingMemory(context, settings, precision, holding, work);
  const needed = needs(began);
  if (needed <= room) return { holding: began, notice: null };
  const possible = holdingsOf(precision, settings);
  const at = possible.findIndex((holding) => sameHolding(holding, began));
  const leaner = possible.slice(at + 1);
  const memory = `The run began with room for about ${sizeText(needed)} of memory, and here are ${sizeText(room)}`;
  const holding = leaner.find((each) => needs(each) <= room) ?? leaner.at(-1) ?? began;
  if (sameHolding(holding, began))
    return {
      holding,
      notice: `${memory}: it may not fit. Close other programs, or go on on the machine that it began on.`,
    };
  const how = `activations ${holding.activations === 'recompute' ? 'are computed again' : 'are kept as float16'}${holding.streamed ? ' and blocks read from the disk' : ''}`;
  return { holding, notice: `${memory}: ${how} from here on.` };
}
