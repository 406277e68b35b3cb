/**
 * The one decision of a run: in which arithmetic it computes, where it keeps activations and weights, how large its micro-batches are, and
 * why. Promises: from one probe of the processor and, where that tells something, a measured micro-batch of the run's own; it is handed on
 * as a value, and run.json only logs it.
 */

import type { PackedBatch } from '../batches/packed-batch.ts';
import { maxLevels, weightLevels } from '../runtime/onnxruntime-node/probe.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { microBatchTokens } from '../train/pack-options.ts';
import { type Arithmetic, arithmeticOf, inFloat32 } from './arithmetic.ts';
import {
  budgetOf,
  type Context,
  diskNeeds,
  type Holding,
  heldTokens,
  holdingsOf,
  settingOf,
  trainedIn,
} from './context.ts';
import { assumedDeviceRate, assumedRates, durationOf, stepSeconds } from './costs.ts';
import { measureBlock } from './measure-block.ts';
import { type Memory, memoryOf } from './memory.ts';
import { type Money, moneyOf, type Prices } from './prices.ts';
import type { Rates, Work } from './work-shape.ts';

/** In what a run computes, where it keeps what it computes with, and why. */
export interface Decision extends Arithmetic, Holding {
  /** Tokens of a micro-batch, padding included, where its rows are not counted. */
  readonly microBatchTokens: number;
}

/** A decision with what it costs. */
export interface SettingPlan extends Money {
  /** Such as `as asked`, `faster`. */
  readonly name: string;
  /** What distinguishes it from what was asked for. */
  readonly changes: Partial<RunSettings>;
  /** In what it computes, where it keeps what, and why. */
  readonly decision: Decision;
  /** From the beginning to the end of the first step. */
  readonly firstStepSeconds: number;
  /** Of a later one. */
  readonly stepSeconds: number;
  /** The whole run: validations, proof, samples, verdict and safety check included. */
  readonly seconds: number;
  /** Real tokens while training. */
  readonly tokensPerSecond: number;
  /** At its highest, the proof included. */
  readonly peakMemoryBytes: number;
  /** Of that, what has to be there; the rest are pages of a file. */
  readonly neededMemoryBytes: number;
  /** What it consists of. */
  readonly memory: Memory;
  /** Checkpoints, result, and the base's copy for the proof where it is not there yet. */
  readonly diskBytes: number;
}

/** A run's work, and a micro-batch of middling size of it. */
export interface LaidOut {
  readonly work: Work;
  readonly typical: PackedBatch;
}

/** Only LoRA steps can be opened on a part of a model, and only the processor's are measured: a graphics card's rates are assumed. */
export const measurable = ({ device, method }: RunSettings): boolean => trainsAdapter(method) && device !== 'webgpu';

/** A step in int8 must be this much quicker than one in float32 before `auto` takes it: it rounds, if little, and measurements differ by a tenth. */
const worthwhileSpeedup = 1.2;

/** The arithmetic of a run, and what its parts cost in it. */
export interface Rated {
  readonly arithmetic: Arithmetic;
  readonly rates: Rates;
  /** Whether a block was measured; else its rates are assumed from those of products. */
  readonly measured: boolean;
}

/** Hears, as a sentence, what is done, and says before each measurement whether to go on. */
export interface Pace {
  readonly step?: ((what: string) => Promise<void>) | undefined;
}

function ratesIn(
  precision: 'f32' | 'int8',
  context: Context,
  settings: RunSettings,
  { typical: batch }: LaidOut,
): Promise<Rates> {
  const { model, probe, threads } = context;
  // Without a probe there is no int8.
  const levels = probe ? weightLevels(probe) : maxLevels;
  const { engine } = settings;
  return measureBlock({ model, batch, threads, precision, levels, engine, activations: 'keep', adapter: settings });
}

/** The arithmetic that the run will have, and what was measured in it: for `auto`, the quicker one, or the one that fits. */
export async function measureRates(
  context: Context,
  settings: RunSettings,
  laidOut: LaidOut,
  { step }: Pace = {},
): Promise<Rated> {
  const { held, shape } = context;
  const { work } = laidOut;
  const wanted = arithmeticOf(settings, context);
  await step?.(`Measuring a block in ${wanted.precision === 'int8' ? 'int8' : 'float32'}`);
  const rates = await ratesIn(wanted.precision, context, settings, laidOut);
  if (!wanted.fallsBack) return { arithmetic: wanted, rates, measured: true };
  const exact = memoryOf({
    shape,
    setting: settingOf(context, settings, 'f32'),
    rates: null,
    tokens: heldTokens(work),
    held,
  });
  if (exact.training > budgetOf(context, settings)) return { arithmetic: wanted, rates, measured: true };
  await step?.('Measuring a block in float32');
  const exactRates = await ratesIn('f32', context, settings, laidOut);
  if (stepSeconds(shape, exactRates, work) / stepSeconds(shape, rates, work) >= worthwhileSpeedup)
    return { arithmetic: wanted, rates, measured: true };
  // The second measurement finds memory that the first one left behind.
  const grownBytes = Math.max(rates.grownBytes, exactRates.grownBytes);
  const arithmetic = inFloat32(wanted, 'a step in int8 is not enough quicker here to be worth its rounding');
  return { arithmetic, rates: { ...exactRates, grownBytes }, measured: true };
}

/** The same with a block's rates assumed from those of products. */
export function assumeRates(context: Context, settings: RunSettings, { typical }: LaidOut): Rated {
  const { probe, shape } = context;
  const batch = { tokens: typical.tokens.length, headRows: typical.supervisedTokens };
  const productRate = probe?.float32Rate ?? assumedDeviceRate;
  const rates = assumedRates(shape, batch, productRate, trainedIn(settings));
  return { arithmetic: arithmeticOf(settings, context), rates, measured: false };
}

export interface DecideOptions {
  readonly context: Context;
  readonly settings: RunSettings;
  readonly work: Work;
  readonly rated: Rated;
  /** Seconds that went by, or will have, before the run is opened. */
  readonly preparation: number;
  readonly prices: Prices;
  readonly name?: string;
  readonly changes?: Partial<RunSettings>;
}

/** Decides, with activations and weights kept in the quickest way that fits, or the leanest where none does; and what it costs. */
export function decide(options: DecideOptions): SettingPlan {
  const { changes = {}, context, name = 'as asked', preparation, prices, rated, settings, work } = options;
  const { arithmetic, measured, rates } = rated;
  const { held, shape } = context;
  const tokens = heldTokens(work);
  const possible = holdingsOf(arithmetic.precision, settings).map((holding) => {
    const setting = settingOf(context, settings, arithmetic.precision, holding);
    return { setting, holding, memory: memoryOf({ shape, setting, rates: measured ? rates : null, tokens, held }) };
  });
  const budget = budgetOf(context, settings);
  const { holding, memory, setting } = possible.find((p) => p.memory.training <= budget) ?? possible.at(-1)!;
  const duration = durationOf({ shape, setting, rates, work, preparation });
  const disk = diskNeeds(setting, shape);
  return {
    name,
    changes,
    decision: { ...arithmetic, ...holding, microBatchTokens },
    firstStepSeconds: duration.firstStep,
    stepSeconds: duration.step,
    seconds: duration.total,
    tokensPerSecond: duration.tokensPerSecond,
    peakMemoryBytes: memory.peak,
    neededMemoryBytes: memory.training,
    memory,
    diskBytes: disk.run + disk.copy,
    ...moneyOf(duration.total, prices),
  };
}
