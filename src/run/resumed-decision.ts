/**
 * What a resumed run computes in and where it keeps its activations and weights: as it began, so that it computes the same numbers, unless
 * the machine that it is on now has not the memory for that. Nothing is measured for it but, in int8, what the kernels do.
 */
import { type Arithmetic, arithmeticOf, inFloat32, type Seen } from '../plan/arithmetic.ts';
import { type Context, type Holding, holdingsOf, roomOf, trainingMemory } from '../plan/context.ts';
import type { Decision } from '../plan/decide.ts';
import { workOf } from '../plan/work.ts';
import { microBatchTokens } from '../train/pack-options.ts';
import { sizeText } from '../words/size-text.ts';
import type { RunRecord } from './run-folder.ts';

export interface Resumed {
  readonly decision: Decision;
  /** What is to be said where something is another way than it began, or where nothing fits; else null. */
  readonly notice: string | null;
}

/** The arithmetic as run.json has it; a run that was stopped before it was settled goes on to settle it. */
function arithmeticBefore({ chosenPrecision, plan, settings }: RunRecord, seen: Seen): Arithmetic {
  const auto = settings.precision === 'auto';
  if (chosenPrecision) {
    const chosen = arithmeticOf({ ...settings, precision: chosenPrecision }, seen);
    return auto ? { ...chosen, reason: 'as the run began' } : chosen;
  }
  const wanted = arithmeticOf(settings, seen);
  return auto && plan?.measured && plan.precision === 'f32' ? inFloat32(wanted, 'as the run was planned') : wanted;
}

const sameHolding = (a: Holding, b: Holding): boolean => a.activations === b.activations && a.streamed === b.streamed;

export function resumedDecision(context: Context, record: RunRecord): Resumed {
  const { microBatchTokens: shrunk, plan, settings } = record;
  const arithmetic = arithmeticBefore(record, context);
  const { precision } = arithmetic;
  const decided = (holding: Holding, notice: string | null): Resumed => ({
    decision: { ...arithmetic, ...holding, microBatchTokens: shrunk ?? microBatchTokens },
    notice,
  });
  const began: Holding = { activations: plan?.activations ?? 'keep', streamed: plan?.streamed ?? false };
  const { work } = workOf(context.prepared, settings);
  const room = roomOf(context, settings).memoryBytes ?? Number.POSITIVE_INFINITY;
  const needs = (holding: Holding): number => trainingMemory(context, settings, { ...holding, precision }, work);
  const needed = needs(began);
  if (needed <= room) return decided(began, null);
  const possible = holdingsOf(precision, settings);
  const at = possible.findIndex((holding) => sameHolding(holding, began));
  const leaner = possible.slice(at + 1);
  const memory = `The run began with room for about ${sizeText(needed)} of memory, and here are ${sizeText(room)}`;
  const holding = leaner.find((each) => needs(each) <= room) ?? leaner.at(-1) ?? began;
  if (sameHolding(holding, began))
    return decided(
      holding,
      `${memory}: it may not fit. Close other programs, or go on on the machine that it began on.`,
    );
  const how = `activations ${holding.activations === 'recompute' ? 'are computed again' : 'are kept as float16'}${holding.streamed ? ' and blocks read from the disk' : ''}`;
  return decided(holding, `${memory}: ${how} from here on.`);
}
