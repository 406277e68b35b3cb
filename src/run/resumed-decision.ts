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
import { wantedEngine } from './engine.ts';
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

/** `resumes`: there is a checkpoint to go on from. */
export function resumedDecision(context: Context, record: RunRecord, resumes: boolean): Resumed {
  const { microBatchTokens: shrunk, plan } = record;
  const settings = { ...record.settings, engine: wantedEngine(record, resumes) };
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
  const leaner = possible.slice(possible.findIndex((holding) => sameHolding(holding, began)) + 1);
  const memory = `The run began with room for about ${sizeText(needed)} of memory, and here are ${sizeText(room)}`;
  const holding = leaner.find((each) => needs(each) <= room) ?? leaner.at(-1) ?? began;
  const how = `activations ${holding.activations === 'recompute' ? 'are computed again' : 'are kept as float16'}${holding.streamed ? ' and blocks read from the disk' : ''} from here on`;
  if (needs(holding) <= room) return decided(holding, `${memory}: ${how}.`);
  const changed = sameHolding(holding, began) ? '' : ` although ${how}`;
  const remedy = 'Close other programs, or go on on the machine that it began on.';
  return decided(holding, `${memory}: it may not fit${changed}. ${remedy}`);
}
