/**
 * What a run will take, said before it begins: from its own rows and a measured micro-batch of its own model on this machine.
 * Promises: the model is never loaded whole; a run that cannot fit is refused with the nearest setting that does.
 */

import type { PackedBatch } from '../batches/packed-batch.ts';
import type { Prepared } from '../dataset/prepared.ts';
import { NomoatError } from '../errors.ts';
import type { PlanEvent } from '../events.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { copyOf, findCopy } from '../llama/parity.ts';
import { diskFreeBytes, memoryBytes } from '../machine/machine.ts';
import type { ActivationPolicy } from '../models/activation-policy.ts';
import { loraWeights, parameterCount, readModelConfig } from '../models/config.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { cacheFolder } from '../store/cache.ts';
import { knownDigest } from '../store/file-digest.ts';
import { sizeText } from '../words/size-text.ts';
import {
  assumedDeviceRate,
  assumedRates,
  durationOf,
  lacks,
  type Memory,
  memoryOf,
  projectionWeightsPerBlock,
  type Rates,
  type Room,
  type Setting,
  type Shape,
  stepSeconds,
  type Tokens,
  type Work,
} from './costs.ts';
import { runBytes } from './disk-space.ts';
import { measureBlock } from './measure-block.ts';
import { type ExpectedPrecision, expectPrecision, isSmall } from './precision.ts';
import { type Money, moneyOf, type Prices } from './prices.ts';
import { workOf } from './work.ts';

/** The process that shows a run's progress, before it can be measured. */
export const assumedParentBytes = 80e6;
/** Share of a Mac's memory that counts as free: the system gives back what it keeps for files, but does not say so. */
const macShare = 0.7;

/** What all plans of a run share. */
export interface Context {
  readonly model: GgufFile;
  readonly prepared: Pick<Prepared, 'prefix' | 'train' | 'validation'>;
  readonly threads: number;
  /** Bytes that the process, and the one that shows progress, hold before anything is loaded. */
  readonly held: number;
}

/** A setting's costs. */
export interface SettingPlan extends Money {
  readonly name: string;
  /** What distinguishes it from what was asked for, as flags. */
  readonly flags: string;
  readonly precision: 'f32' | 'int8';
  readonly holding: Holding;
  readonly firstStepSeconds: number;
  readonly stepSeconds: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly peakMemoryBytes: number;
  /** Of that, what has to be there; the rest are pages of a file. */
  readonly neededMemoryBytes: number;
  readonly memory: Memory;
  readonly diskBytes: number;
}

/** The base's copy for the proof, as far as that is known without reading the base: a run has read it before. */
function plannedCopy(model: GgufFile): { bytes: number; exists: boolean } {
  const digest = knownDigest(model.path);
  const copy = copyOf(model, digest ?? '');
  if (copy === null) return { bytes: 0, exists: true };
  return { bytes: copy.bytes, exists: digest !== null && findCopy(cacheFolder(), copy) !== null };
}

function shapeOf(model: GgufFile): Shape {
  return { ...readModelConfig(model), headNorms: model.tensors.has('blk.0.attn_q_norm.weight') };
}

/** Where a run keeps its activations and its frozen weights. */
export interface Holding {
  readonly activations: ActivationPolicy;
  readonly streamed: boolean;
}

/** Every weight is trained in full fine-tuning and in pretraining. */
const trainedIn = ({ method }: RunSettings): 'lora' | 'full' => (method === 'lora' ? 'lora' : 'full');

/** From fastest to leanest. Full fine-tuning changes its weights, float32 ones are not streamed, and a device keeps what it computes. */
const holdings: readonly Holding[] = [
  { activations: 'keep', streamed: false },
  { activations: 'float16', streamed: false },
  { activations: 'recompute', streamed: false },
  { activations: 'recompute', streamed: true },
];

function settingOf(
  { model }: Context,
  settings: RunSettings,
  precision: 'f32' | 'int8',
  holding: Holding = holdings[0]!,
): Setting {
  const parameters = parameterCount(model);
  const copy =
    settings.method === 'lora'
      ? plannedCopy(model)
      : { bytes: parameters * Float32Array.BYTES_PER_ELEMENT, exists: false };
  return {
    method: trainedIn(settings),
    precision,
    ...holding,
    trained: settings.method === 'lora' ? loraWeights(readModelConfig(model), settings) : parameters,
    parameters,
    fileBytes: model.byteLength,
    measuredBlocks: Math.min(2, readModelConfig(model).layers),
    copyBytes: copy.bytes,
    copyIsThere: copy.exists,
  };
}

/** Only LoRA steps can be opened on a part of a model, and only the processor's are measured: a graphics card's rates are assumed. */
export const measurable = ({ device, method }: RunSettings): boolean => method === 'lora' && device !== 'webgpu';

function ratesOf(
  { model, threads }: Context,
  settings: RunSettings,
  expected: ExpectedPrecision,
  batch: PackedBatch,
): Promise<Rates> {
  const { precision, levels } = expected;
  return measureBlock({ model, batch, threads, precision, levels, activations: 'keep', adapter: settings });
}

/** A step in int8 must be this much quicker than one in float32 before `auto` takes it: it rounds, if little, and measurements differ by a tenth. */
const worthwhileSpeedup = 1.2;

/** The arithmetic of a run, and what its parts cost in it. */
export interface Rated {
  readonly expected: ExpectedPrecision;
  readonly rates: Rates;
}

/** The arithmetic that the run will have and what was measured in it: for `auto`, the quicker one, or the one that fits. */
export async function decide(
  context: Context,
  settings: RunSettings,
  { work, typical }: { work: Work; typical: PackedBatch },
): Promise<Rated> {
  const { model, threads } = context;
  const expected = await expectPrecision(settings, model, threads, true);
  const rates = await ratesOf(context, settings, expected, typical);
  if (settings.precision !== 'auto' || expected.precision === 'f32') return { expected, rates };
  const exact: ExpectedPrecision = { ...expected, precision: 'f32' };
  const shape = shapeOf(model);
  const tokens = heldTokens(work);
  const memory = memoryOf(shape, settingOf(context, settings, 'f32'), null, tokens, context.held);
  if (memory.training > budgetOf(context, settings)) return { expected, rates };
  const exactRates = await ratesOf(context, settings, exact, typical);
  const quicker = stepSeconds(shape, exactRates, work) / stepSeconds(shape, rates, work);
  // The second measurement finds memory that the first one left behind.
  const grownBytes = Math.max(rates.grownBytes, exactRates.grownBytes);
  return quicker >= worthwhileSpeedup ? { expected, rates } : { expected: exact, rates: { ...exactRates, grownBytes } };
}

/** The same with a block's rates assumed from those of products. */
export async function assume(
  { model, threads }: Context,
  settings: RunSettings,
  { supervisedTokens, tokens }: PackedBatch,
): Promise<Rated> {
  const expected = await expectPrecision(settings, model, threads, true);
  const { probe } = expected;
  const rate = probe?.float32Rate ?? assumedDeviceRate;
  return { expected, rates: assumedRates(shapeOf(model), rate, tokens.length, supervisedTokens, trainedIn(settings)) };
}

const diskNeeds = (
  { copyBytes, copyIsThere, method, streamed, trained }: Setting,
  shape: Shape,
): { run: number; copy: number } => ({
  run: runBytes(trained, method) + (streamed ? shape.layers * projectionWeightsPerBlock(shape) : 0),
  // What a trained model is compared with is in its run, and counted there.
  copy: copyIsThere || method === 'full' ? 0 : copyBytes,
});

/** The holdings that a run can have, from fastest to leanest. */
export const holdingsOf = (precision: 'f32' | 'int8', { device, method }: RunSettings): Holding[] =>
  holdings.filter(
    ({ streamed, activations }) =>
      (precision === 'int8' || !streamed) && ((method === 'lora' && device !== 'webgpu') || activations === 'keep'),
  );

/** Bytes that training needs with that holding, where nothing was measured. */
export function trainingMemory(
  context: Context,
  settings: RunSettings,
  precision: 'f32' | 'int8',
  holding: Holding,
  work: Work,
): number {
  const setting = settingOf(context, settings, precision, holding);
  return memoryOf(shapeOf(context.model), setting, null, heldTokens(work), context.held).training;
}

/** A setting's plan, with activations and weights kept in the quickest way that fits. */
export function assemble(
  name: string,
  flags: string,
  context: Context,
  { precision }: ExpectedPrecision,
  settings: RunSettings,
  { rates, measured, preparation, work }: { rates: Rates; measured: boolean; preparation: number; work: Work },
  prices: Prices,
): SettingPlan {
  const shape = shapeOf(context.model);
  const tokens = heldTokens(work);
  const possible = holdingsOf(precision, settings).map((holding) => {
    const setting = settingOf(context, settings, precision, holding);
    return { setting, holding, memory: memoryOf(shape, setting, measured ? rates : null, tokens, context.held) };
  });
  const budget = budgetOf(context, settings);
  const { holding, memory, setting } = possible.find((p) => p.memory.training <= budget) ?? possible.at(-1)!;
  const duration = durationOf(shape, setting, rates, work, preparation);
  const disk = diskNeeds(setting, shape);
  return {
    name,
    flags,
    precision,
    holding,
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

const heldTokens = ({ largestMicroBatch, tokensPerStep, validationTokens }: Work): Tokens => ({
  microBatch: largestMicroBatch,
  step: tokensPerStep,
  validation: validationTokens,
});

/** Memory that the run may take. */
const budgetOf = (context: Context, settings: RunSettings): number =>
  roomOf(context, settings).memoryBytes ?? Number.POSITIVE_INFINITY;

/** What there is for a run: the memory that it was given, as far as the machine has it, or what is free beyond what it holds already, and its disks. */
export function roomOf(context: Context, settings: RunSettings): Room {
  const { available, total } = memoryBytes();
  const unused = process.platform === 'darwin' ? total * macShare : available + context.held;
  // More than the machine has is not there, whoever says so.
  const memory = settings.memory === null ? unused : Math.min(settings.memory, total);
  const { copy, run } = diskNeeds(settingOf(context, settings, 'f32'), shapeOf(context.model));
  const [runFree, cacheFree] = [diskFreeBytes(settings.run), diskFreeBytes(cacheFolder())];
  // Equal to the byte: one disk has to hold both.
  if (runFree === null || cacheFree === null || runFree === cacheFree) {
    return { memoryBytes: memory, diskBytes: runFree };
  }
  // A cache that cannot hold the copy does not: it is made beside the run then (proof-place.ts).
  return { memoryBytes: memory, diskBytes: cacheFree < copy ? runFree : Math.min(runFree + copy, cacheFree + run) };
}

/** Throws NomoatError where the run cannot fit. */
function assertFits(
  plan: SettingPlan,
  context: Context,
  settings: RunSettings,
  { rates, validation }: { rates: Rates | null; validation: number },
): void {
  const room = roomOf(context, settings);
  const lacking = lacks(plan, room);
  if (lacking === null) return;
  const has = lacking === 'memory' ? room.memoryBytes! : room.diskBytes!;
  const needed = lacking === 'memory' ? plan.neededMemoryBytes : plan.diskBytes;
  const longest = context.prepared.train.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const setting = settingOf(context, settings, plan.precision, plan.holding);
  const lean = memoryOf(
    shapeOf(context.model),
    setting,
    rates,
    { microBatch: longest, step: longest, validation },
    context.held,
  ).training;
  const leanFits = lean <= has;
  throw new NomoatError({
    code: 'too-little-memory',
    part: 'the run',
    fault: `needs about ${sizeText(needed)} of ${lacking}, and there are ${sizeText(has)}`,
    remedy:
      lacking === 'disk'
        ? 'Free some space, or give a --run on another disk.'
        : `Give ${leanFits && settings.microBatchSize !== 1 ? `--micro-batch-size 1 (${sizeText(lean)})` : 'a smaller --model or --sequence-length'}, or ${settings.memory === null ? 'close other programs' : needed > memoryBytes().total ? 'take a machine with more memory' : `--memory ${sizeText(needed).replace(' ', '')} or more`}.`,
    fields: { neededBytes: needed, freeBytes: has },
  });
}

/** Costs nothing, so the prices do not matter. */
const free: Prices = { watts: 0, perKilowattHour: 0, perHour: 0 };

export interface RunPlanOptions extends Context {
  readonly settings: RunSettings;
  /** Seconds since the run was asked for. */
  readonly elapsed: () => number;
}

/** The plan that a run begins with. Small models are not measured: their runs are short. Throws NomoatError where the run cannot fit. */
export async function planRun({ settings, elapsed, ...context }: RunPlanOptions): Promise<PlanEvent> {
  const { work, typical } = workOf(context.prepared, settings);
  const measured = measurable(settings) && !isSmall(context.model);
  const { expected, rates } = measured
    ? await decide(context, settings, { work, typical })
    : await assume(context, settings, typical);
  const costs = { rates, measured, preparation: elapsed(), work };
  const plan = assemble('as asked', '', context, expected, settings, costs, free);
  assertFits(plan, context, settings, { rates: measured ? rates : null, validation: work.validationTokens });
  const { diskBytes, firstStepSeconds, holding, peakMemoryBytes, precision, seconds, tokensPerSecond } = plan;
  return {
    type: 'plan',
    measured,
    precision,
    ...holding,
    firstStepSeconds,
    seconds,
    tokensPerSecond,
    peakMemoryBytes,
    diskBytes,
  };
}
