/**
 * What a run will take, said before it begins: from its own rows and a measured micro-batch of its own model on this machine.
 * Promises: the model is never loaded whole; a run that cannot fit is refused with the nearest setting that does.
 */
import { dirname, join } from 'node:path';
import { plannedCopy } from '../adapter/parity.ts';
import { batchIndices, stepsPerEpoch } from '../batches/order.ts';
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../files/gguf/read.ts';
import type { GgufFile } from '../files/gguf/types.ts';
import { nomoatModelsFolder, surroundings } from '../files/model-folders.ts';
import { sizeText } from '../files/size-text.ts';
import { parameterCount, readModelConfig } from '../models/config.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import type { ActivationPolicy } from '../train/block-walk.ts';
import { measureBlock } from '../train/measure-block.ts';
import { microBatchTokens } from '../train/trainer.ts';
import {
  assumedRates,
  durationOf,
  lacks,
  type Memory,
  type Money,
  memoryOf,
  moneyOf,
  type Prices,
  projectionWeightsPerBlock,
  type Rates,
  type Room,
  recommend,
  type Setting,
  type Shape,
  stepSeconds,
  type Work,
} from './costs.ts';
import { loraWeights, runBytes } from './disk-space.ts';
import type { PlanEvent } from './events.ts';
import { diskFreeBytes, memoryBytes, physicalCores } from './machine.ts';
import { type ExpectedPrecision, expectPrecision, isSmall } from './precision.ts';
import { type Prepared, prepareExamples } from './prepare.ts';
import type { AskedSettings, RunSettings } from './run-settings.ts';

/** Steps of the first epoch that are laid out to see their micro-batches. */
const forecastSteps = 200;
/** Held-out rows of the parity proof (run-training.ts). */
export const parityRows = 20;
/** The process that shows a run's progress. */
const parentBytes = 80e6;
/** Share of a Mac's memory that counts as free: the system gives back what it keeps for files, but does not say so. */
const macShare = 0.7;
/** SHA-256 of the model's file, bytes a second. */
const digestRate = 1e9;

/** Optimizer steps of a run over `rows` training rows. */
export function stepsOf(
  rows: number,
  { batchSize, epochs, maxSteps }: RunSettings,
): { steps: number; perEpoch: number } {
  const perEpoch = stepsPerEpoch(rows, batchSize);
  const planned = Math.ceil(perEpoch * epochs);
  return { perEpoch, steps: maxSteps === null ? planned : Math.min(planned, maxSteps) };
}

const tokensOf = (rows: readonly Pick<TokenRow, 'tokens'>[]): number =>
  rows.reduce((sum, { tokens }) => sum + tokens.length, 0);

/** What the run computes, and a micro-batch of middling size of it. */
export function workOf(
  { prefix, train, validation }: Pick<Prepared, 'prefix' | 'train' | 'validation'>,
  settings: RunSettings,
): { work: Work; typical: PackedBatch } {
  const { perEpoch, steps } = stepsOf(train.length, settings);
  const seen = Math.min(perEpoch, steps, forecastSteps);
  const { microBatchSize, packing } = settings;
  const pack = (rows: readonly TokenRow[]): PackedBatch[] =>
    packRows(rows, { packing, microBatchSize, maxTokens: microBatchTokens, padToken: 0, prefix });
  const batches = Array.from({ length: seen }, (_, step) =>
    pack(batchIndices(step, { rows: train.length, ...settings }).map((i) => train[i]!)),
  ).flat();
  const mean = (of: (batch: PackedBatch) => number): number => batches.reduce((sum, b) => sum + of(b), 0) / seen;
  const tokensPerStep = mean(({ tokens }) => tokens.length);
  const middle = (tokensPerStep * seen) / batches.length;
  const distance = ({ tokens }: PackedBatch): number => Math.abs(tokens.length - middle);
  const every = settings.validateEvery ?? Math.max(1, Math.ceil(steps / 4));
  const work: Work = {
    steps,
    microBatchesPerStep: batches.length / seen,
    tokensPerStep,
    realTokensPerStep: mean(({ realTokens }) => realTokens),
    supervisedPerStep: mean(({ supervisedTokens }) => supervisedTokens),
    largestMicroBatch: Math.max(...batches.map(({ tokens }) => tokens.length)),
    validations: validation.length > 0 ? Math.ceil(steps / every) + 1 : 0,
    validationTokens: tokensOf(pack(validation)),
    validationSupervised: validation.reduce((sum, { supervised }) => sum + supervised.reduce((a, b) => a + b, 0), 0),
    proofTokens: tokensOf((validation.length > 0 ? validation : train).slice(0, parityRows)),
  };
  return { work, typical: batches.reduce((best, batch) => (distance(batch) < distance(best) ? batch : best)) };
}

/** What all plans of a run share. */
interface Context {
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

const parityCache = (): string => join(dirname(nomoatModelsFolder(surroundings())), 'parity');

function shapeOf(model: GgufFile): Shape {
  return { ...readModelConfig(model), headNorms: model.tensors.has('blk.0.attn_q_norm.weight') };
}

/** Where a run keeps its activations and its frozen weights. */
export interface Holding {
  readonly activations: ActivationPolicy;
  readonly streamed: boolean;
}

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
  const copy = plannedCopy(model, parityCache());
  const parameters = parameterCount(model);
  return {
    method: settings.method === 'lora' ? 'lora' : 'full',
    precision,
    ...holding,
    trained: settings.method === 'lora' ? loraWeights(settings, model) : parameters,
    parameters,
    fileBytes: model.byteLength,
    measuredBlocks: Math.min(2, readModelConfig(model).layers),
    copyBytes: copy.bytes,
    copyIsThere: copy.exists,
  };
}

/** Only LoRA steps can be opened on a part of a model, and only the processor's are measured: a graphics card's rates are assumed. */
const measurable = ({ device, method }: RunSettings): boolean => method === 'lora' && device !== 'webgpu';

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

/** The arithmetic that the run will have and what was measured in it: for `auto`, the quicker one, or the one that fits. */
async function decide(
  context: Context,
  settings: RunSettings,
  { work, typical }: { work: Work; typical: PackedBatch },
): Promise<{ expected: ExpectedPrecision; rates: Rates }> {
  const { model, threads } = context;
  const expected = await expectPrecision(settings, model, threads, true);
  const rates = await ratesOf(context, settings, expected, typical);
  if (settings.precision !== 'auto' || expected.precision === 'f32') return { expected, rates };
  const exact: ExpectedPrecision = { ...expected, precision: 'f32' };
  const shape = shapeOf(model);
  const tokens = { microBatch: work.largestMicroBatch, step: work.tokensPerStep };
  const memory = memoryOf(shape, settingOf(context, settings, 'f32'), null, tokens, context.held);
  if (memory.training > budgetOf(context, settings)) return { expected, rates };
  const exactRates = await ratesOf(context, settings, exact, typical);
  const quicker = stepSeconds(shape, exactRates, work) / stepSeconds(shape, rates, work);
  // The second measurement finds memory that the first one left behind.
  const grownBytes = Math.max(rates.grownBytes, exactRates.grownBytes);
  return quicker >= worthwhileSpeedup ? { expected, rates } : { expected: exact, rates: { ...exactRates, grownBytes } };
}

const diskNeeds = (
  { copyBytes, copyIsThere, method, streamed, trained }: Setting,
  shape: Shape,
): { run: number; copy: number } => ({
  run: runBytes(trained, method) + (streamed ? shape.layers * projectionWeightsPerBlock(shape) : 0),
  copy: copyIsThere ? 0 : copyBytes,
});

function assemble(
  name: string,
  flags: string,
  context: Context,
  { precision }: ExpectedPrecision,
  settings: RunSettings,
  { rates, measured, preparation, work }: { rates: Rates; measured: boolean; preparation: number; work: Work },
  prices: Prices,
): SettingPlan {
  const shape = shapeOf(context.model);
  const tokens = { microBatch: work.largestMicroBatch, step: work.tokensPerStep };
  const possible = holdings
    .filter(
      ({ streamed, activations }) =>
        (precision === 'int8' || !streamed) &&
        ((settings.method === 'lora' && settings.device !== 'webgpu') || activations === 'keep'),
    )
    .map((holding) => {
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

/** Memory that the run may take. */
const budgetOf = (context: Context, settings: RunSettings): number =>
  settings.memory ?? roomOf(context, settings).memoryBytes ?? Number.POSITIVE_INFINITY;

/** What there is for a run: memory beyond what it holds already, and its disks. */
function roomOf(context: Context, settings: RunSettings): Room {
  const { available, total } = memoryBytes();
  const memory = process.platform === 'darwin' ? total * macShare : available + context.held;
  const { copy, run } = diskNeeds(settingOf(context, settings, 'f32'), shapeOf(context.model));
  const [runFree, cacheFree] = [diskFreeBytes(settings.run), diskFreeBytes(parityCache())];
  // Equal to the byte: one disk has to hold both.
  if (runFree === null || cacheFree === null || runFree === cacheFree) {
    return { memoryBytes: memory, diskBytes: runFree };
  }
  return { memoryBytes: memory, diskBytes: Math.min(runFree + copy, cacheFree + run) };
}

/** Throws NomoatError where the run cannot fit. */
function assertFits(plan: SettingPlan, context: Context, settings: RunSettings, rates: Rates | null): void {
  const room = roomOf(context, settings);
  const asked = settings.memory;
  const lacking = lacks(plan, asked === null ? room : { ...room, memoryBytes: asked });
  if (lacking === null) return;
  const has = lacking === 'memory' ? (asked ?? room.memoryBytes!) : room.diskBytes!;
  const needed = lacking === 'memory' ? plan.neededMemoryBytes : plan.diskBytes;
  const longest = Math.max(...context.prepared.train.map(({ tokens }) => tokens.length));
  const setting = settingOf(context, settings, plan.precision, plan.holding);
  const lean = memoryOf(
    shapeOf(context.model),
    setting,
    rates,
    { microBatch: longest, step: longest },
    context.held,
  ).training;
  const leanFits = lean <= has;
  throw new NomoatError({
    part: 'the run',
    fault: `needs about ${sizeText(needed)} of ${lacking}, and there are ${sizeText(has)}`,
    remedy:
      lacking === 'disk'
        ? 'Free some space, or give a --run on another disk.'
        : leanFits && settings.microBatchSize !== 1
          ? `Give --micro-batch-size 1 (${sizeText(lean)}), or close other programs.`
          : 'Give a smaller --model or --sequence-length, or close other programs.',
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
  const { model, threads, prepared } = context;
  const { work, typical } = workOf(prepared, settings);
  const measured = measurable(settings) && !isSmall(model);
  const { expected, rates } = measured
    ? await decide(context, settings, { work, typical })
    : {
        expected: await expectPrecision(settings, model, threads, false),
        rates: assumedRates(shapeOf(model), threads, typical.tokens.length, typical.supervisedTokens),
      };
  const costs = { rates, measured, preparation: elapsed(), work };
  const plan = assemble('as asked', '', context, expected, settings, costs, free);
  assertFits(plan, context, settings, measured ? rates : null);
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

/** Another way to run, and the flags that make it. */
interface Variant {
  readonly name: string;
  readonly changes: Partial<RunSettings>;
  readonly flags: string;
}

const mlp = ['gate_proj', 'up_proj', 'down_proj'] as const;
/** A lean micro-batch holds this share of the usual rows. */
const leanShare = 1 / 4;

/** Faster: half the passes, or only the MLP adapted. Leaner: small micro-batches, int8. Better: one more pass, twice the rank. */
export function variantsOf(settings: RunSettings, work: Work, precision: 'f32' | 'int8', small: boolean): Variant[] {
  const lora = settings.method === 'lora';
  const epochs = Math.max(1, Math.floor(settings.epochs / 2));
  const faster: Variant[] =
    settings.epochs > 1
      ? [{ name: 'faster', changes: { epochs }, flags: `--epochs ${epochs}` }]
      : lora && settings.targetModules.some((name) => !mlp.includes(name as (typeof mlp)[number]))
        ? [{ name: 'faster', changes: { targetModules: mlp }, flags: `--target-modules ${mlp.join(',')}` }]
        : [];
  const usual = settings.batchSize / work.microBatchesPerStep;
  const microBatchSize = Math.max(1, Math.floor(usual * leanShare));
  const int8 =
    lora && precision === 'f32' && !small && settings.device !== 'webgpu' ? ({ precision: 'int8' } as const) : {};
  const leaner: Variant = {
    name: 'leaner',
    changes: { microBatchSize, ...int8 },
    flags: `--micro-batch-size ${microBatchSize}${int8.precision ? ' --precision int8' : ''}`,
  };
  const more = settings.epochs + 1;
  const rank = Math.min(256, settings.rank * 2);
  const better: Variant = lora
    ? { name: 'better', changes: { epochs: more, rank }, flags: `--epochs ${more} --rank ${rank}` }
    : { name: 'better', changes: { epochs: more }, flags: `--epochs ${more}` };
  return [...faster, leaner, better];
}

export interface PlanReport {
  readonly model: string;
  readonly threads: number;
  readonly rows: number;
  readonly tokens: number;
  readonly chosen: string | null;
  readonly probe: {
    /** Operations a second; null where nothing depended on them. */
    readonly float32Rate: number | null;
    readonly int8Rate: number | null;
    /** Bytes a second. */
    readonly diskRate: number;
    /** Seconds of one block, forward and backward, for a micro-batch of so many tokens. */
    readonly blockSeconds: number;
    readonly blockTokens: number;
    readonly seconds: number;
  };
  readonly room: Room;
  readonly prices: Prices;
  readonly plans: readonly SettingPlan[];
  /** Name of the one to take, or null where none fits. */
  readonly recommended: string | null;
  readonly advice: string;
}

function adviceOf(plans: readonly SettingPlan[], recommended: string | null, room: Room): string {
  const asked = plans[0]!;
  const plan = plans.find(({ name }) => name === recommended);
  if (!plan) {
    const least = plans.reduce((a, b) => (a.neededMemoryBytes < b.neededMemoryBytes ? a : b));
    const short = lacks(asked, room) ?? 'memory';
    return short === 'disk'
      ? `Nothing here fits the disk: ${sizeText(least.diskBytes)} are needed.`
      : `Nothing here fits the memory (${sizeText(least.neededMemoryBytes)} at least): take a smaller model.`;
  }
  if (plan === asked) return 'Run it as it is.';
  const lacking = lacks(asked, room);
  const reason = lacking ? `as asked it does not fit the ${lacking}` : 'as asked it takes longer than a night';
  return `Add ${plan.flags}: ${reason}.`;
}

interface Known {
  readonly rates: Rates;
  readonly expected: ExpectedPrecision;
  readonly probing: number;
}

/** Later measurements find memory that earlier ones left behind, so the growth of the first one counts for all of its precision. */
function withGrowth(rates: Rates, { precision }: ExpectedPrecision, known: ReadonlyMap<string, Known>): Rates {
  const first = [...known.values()].find(({ expected }) => expected.precision === precision);
  return first ? { ...rates, grownBytes: first.rates.grownBytes * (rates.tokens / first.rates.tokens) } : rates;
}

/** Everything that `nomoat plan` says: the run as asked for, and other ways to do it. Throws NomoatError. */
export async function planTuning(asked: AskedSettings, prices: Prices): Promise<PlanReport> {
  const started = performance.now();
  const model = openGguf(asked.modelPath);
  try {
    const prepared = await prepareExamples(asked, model);
    const { settings } = prepared;
    const threads = settings.threads ?? physicalCores();
    const held = process.memoryUsage.rss() + parentBytes;
    const context: Context = { model, prepared, threads, held };
    const reading = (performance.now() - started) / 1000 + model.byteLength / digestRate;
    const small = isSmall(model);
    const known = new Map<string, Known>();
    const planOf = async ({ name, changes, flags }: Variant): Promise<SettingPlan> => {
      const changed = { ...settings, ...changes };
      const { work, typical } = workOf(prepared, changed);
      const key = JSON.stringify([changed.rank, changed.targetModules, changed.precision, typical.tokens.length]);
      const measured = measurable(changed);
      let rated = known.get(key);
      if (!rated) {
        const since = performance.now();
        const { expected, rates } = measured
          ? await decide(context, changed, { work, typical })
          : {
              expected: await expectPrecision(changed, model, threads, true),
              rates: assumedRates(shapeOf(model), threads, typical.tokens.length, typical.supervisedTokens),
            };
        rated = { expected, rates: withGrowth(rates, expected, known), probing: (performance.now() - since) / 1000 };
        known.set(key, rated);
      }
      const preparation = reading + (small ? 0 : rated.probing);
      const costs = { rates: rated.rates, measured, preparation, work };
      return assemble(name, flags, context, rated.expected, changed, costs, prices);
    };
    const plans = [await planOf({ name: 'as asked', changes: {}, flags: '' })];
    const first = [...known.values()][0]!;
    const { work } = workOf(prepared, settings);
    for (const variant of variantsOf(settings, work, plans[0]!.precision, small)) plans.push(await planOf(variant));
    const room = roomOf(context, settings);
    const recommended = recommend(plans, room);
    return {
      model: settings.model,
      threads,
      rows: prepared.report.rows,
      tokens: prepared.report.tokens,
      chosen: prepared.chosen,
      probe: {
        float32Rate: first.expected.probe?.float32Rate ?? null,
        int8Rate: first.expected.probe?.int8Rate ?? null,
        diskRate: first.rates.diskRate,
        blockSeconds: first.rates.furtherBlock,
        blockTokens: first.rates.tokens,
        seconds: [...known.values()].reduce((sum, { probing }) => sum + probing, 0),
      },
      room,
      prices,
      plans,
      recommended,
      advice: adviceOf(plans, recommended, room),
    };
  } finally {
    model.close();
  }
}
