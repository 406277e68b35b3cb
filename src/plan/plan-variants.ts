/** What `nomoat plan` says: the run as asked for beside faster, leaner and better ones, and which of them to take. */

import { stepsOf } from '../batches/order.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { prepareExamples } from '../dataset/prepare.ts';
import type { Prepared } from '../dataset/prepared.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { threadsOf } from '../machine/machine.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { RequestedSettings, RunSettings } from '../settings/run-settings.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import { withValues } from '../words/program-words.ts';
import { sizeText } from '../words/size-text.ts';
import { type Context, contextOf, roomOf } from './context.ts';
import { assumeRates, decide, type LaidOut, measurable, measureRates, type Rated, type SettingPlan } from './decide.ts';
import { assumedParentBytes, probeFor } from './plan.ts';
import type { Prices } from './prices.ts';
import { lacks, type Room, recommend } from './recommend.ts';
import { settingWarnings } from './setting-warnings.ts';
import { workOf } from './work.ts';
import type { Rates, Work } from './work-shape.ts';

/** SHA-256 of the model's file, bytes a second. */
const digestRate = 1e9;

/** Another way to run. */
interface Variant {
  readonly name: string;
  readonly changes: Partial<RunSettings>;
}

const mlp = ['gate_proj', 'up_proj', 'down_proj'] as const;
/** A lean micro-batch holds this share of the usual rows. */
const leanShare = 1 / 4;

/** Faster: half the passes, or only the MLP adapted. Leaner: small micro-batches, int8. Better: one more pass (twice the steps where their number is given), twice the rank. */
export function variantsOf(settings: RunSettings, work: Work, precision: 'f32' | 'int8', small: boolean): Variant[] {
  const lora = trainsAdapter(settings.method);
  const epochs = Math.max(1, Math.floor(settings.epochs / 2));
  // With maxSteps reached, passes decide nothing.
  const bound = work.steps === settings.maxSteps;
  const faster: Variant[] =
    settings.epochs > 1 && !bound
      ? [{ name: 'faster', changes: { epochs } }]
      : lora && settings.targetModules.some((name) => !mlp.includes(name as (typeof mlp)[number]))
        ? [{ name: 'faster', changes: { targetModules: mlp } }]
        : [];
  const usual = settings.batchSize / work.microBatchesPerStep;
  const microBatchSize = Math.max(1, Math.floor(usual * leanShare));
  const int8 =
    lora && precision === 'f32' && !small && settings.device !== 'webgpu' ? ({ precision: 'int8' } as const) : {};
  const leaner: Variant = {
    name: 'leaner',
    changes: { microBatchSize, ...int8 },
  };
  const more = settings.epochs + 1;
  const rank = Math.min(256, settings.rank * 2);
  const further = bound ? { maxSteps: 2 * work.steps, epochs: 2 * settings.epochs } : { epochs: more };
  const better: Variant = lora
    ? { name: 'better', changes: { ...further, rank } }
    : { name: 'better', changes: further };
  return [...faster, leaner, better];
}

/** A run as asked for, beside other ways to do it. */
export interface PlanReport {
  /** The base model's name or file. */
  readonly model: string;
  /** That it would compute with. */
  readonly threads: number;
  /** Training rows. */
  readonly rows: number;
  /** Of those rows. */
  readonly tokens: number;
  /** Which settings the data decided, in a sentence; null where it decided none. */
  readonly chosen: string | null;
  /** What is to be known of the data, the model and the settings, in sentences. */
  readonly notes: readonly string[];
  /** What was measured of this machine. */
  readonly probe: {
    /** Operations a second; null where nothing depended on them. */
    readonly float32Rate: number | null;
    /** As `float32Rate`, of int8 products. */
    readonly int8Rate: number | null;
    /** Bytes a second. */
    readonly diskRate: number;
    /** Seconds of one block, forward and backward, for a micro-batch of so many tokens. */
    readonly blockSeconds: number;
    /** Of that micro-batch. */
    readonly blockTokens: number;
    readonly seconds: number;
  };
  /** What the run may take. */
  readonly room: Room;
  /** That its costs were counted with. */
  readonly prices: Prices;
  /** The first is as asked. */
  readonly plans: readonly SettingPlan[];
  /** Name of the one to take, or null where none fits. */
  readonly recommended: string | null;
  /** In a sentence. */
  readonly advice: string;
}

function adviceOf(plans: readonly SettingPlan[], recommended: string | null, room: Room): string {
  const requested = plans[0]!;
  const plan = plans.find(({ name }) => name === recommended);
  if (!plan) {
    const least = plans.reduce((a, b) => (a.neededMemoryBytes < b.neededMemoryBytes ? a : b));
    const short = lacks(requested, room) ?? 'memory';
    return short === 'disk'
      ? `Nothing here fits the disk: ${sizeText(least.diskBytes)} are needed.`
      : `Nothing here fits the memory (${sizeText(least.neededMemoryBytes)} at least): take a smaller model.`;
  }
  if (plan === requested) return 'Run it as it is.';
  const lacking = lacks(requested, room);
  const reason = lacking ? `as asked it does not fit the ${lacking}` : 'as asked it takes longer than a night';
  return `Add ${withValues(plan.changes)}: ${reason}.`;
}

interface Known extends Rated {
  readonly probing: number;
}

/** What a measurement depends on. */
const keyOf = ({ precision, rank, targetModules }: RunSettings, { tokens }: PackedBatch): string =>
  JSON.stringify([rank, targetModules, precision, tokens.length]);

/** What was measured already is not measured again. */
class KnownRates {
  private readonly context: Context;
  private readonly known = new Map<string, Known>();

  constructor(context: Context) {
    this.context = context;
  }

  async of(settings: RunSettings, laidOut: LaidOut): Promise<Rated> {
    const key = keyOf(settings, laidOut.typical);
    const before = this.known.get(key);
    if (before) return before;
    const since = performance.now();
    const found = measurable(settings)
      ? await measureRates(this.context, settings, laidOut)
      : assumeRates(this.context, settings, laidOut);
    const rated = { ...found, rates: this.withGrowth(found), probing: (performance.now() - since) / 1000 };
    this.known.set(key, rated);
    return rated;
  }

  /** The first ones hold for these settings, too. */
  same(settings: RunSettings, { typical }: LaidOut): void {
    this.known.set(keyOf(settings, typical), this.first);
  }

  /** What was asked for first. */
  get first(): Known {
    return [...this.known.values()][0]!;
  }

  /** Of all measurements. */
  get seconds(): number {
    return [...new Set(this.known.values())].reduce((sum, { probing }) => sum + probing, 0);
  }

  /** Later measurements find memory that earlier ones left behind, so the growth of the first one counts for all of its precision. */
  private withGrowth({ arithmetic, rates }: Rated): Rates {
    const first = [...this.known.values()].find((rated) => rated.arithmetic.precision === arithmetic.precision);
    return first ? { ...rates, grownBytes: first.rates.grownBytes * (rates.tokens / first.rates.tokens) } : rates;
  }
}

/** Whether a plan is what it is called, beside the run as asked for. */
const keepsItsName = ({ name, neededMemoryBytes, seconds }: SettingPlan, requested: SettingPlan): boolean =>
  (name !== 'faster' || seconds < requested.seconds) &&
  (name !== 'leaner' || neededMemoryBytes < requested.neededMemoryBytes);

interface Costs {
  readonly prices: Prices;
  /** Seconds until the data is read and the model is known. */
  readonly reading: number;
}

/** The run as asked for, and the other ways that are what they are called. */
async function allPlans(
  context: Context,
  prepared: Prepared,
  known: KnownRates,
  { prices, reading }: Costs,
): Promise<SettingPlan[]> {
  const { settings } = prepared;
  const { small } = context;
  const usual = workOf(prepared, settings);
  // What is measured first comes out slower than what follows: on a small model by more than the settings differ.
  if (small && measurable(settings)) await measureRates(context, settings, usual);
  const planOf = async ({ name, changes }: Variant): Promise<SettingPlan> => {
    const changed = { ...settings, ...changes };
    const laidOut = workOf(prepared, changed);
    const rated = await known.of(changed, laidOut);
    const preparation = reading + (small ? 0 : known.first.probing);
    return decide({ context, settings: changed, work: laidOut.work, rated, preparation, prices, name, changes });
  };
  const requested = await planOf({ name: 'as asked', changes: {} });
  // The other ways are planned in the arithmetic that was decided on: measurements differ, and are not to decide anew each time.
  const { precision } = requested.decision;
  known.same({ ...settings, precision }, usual);
  const plans = [requested];
  for (const variant of variantsOf(settings, usual.work, precision, small)) {
    const plan = await planOf({ ...variant, changes: { precision, ...variant.changes } });
    if (keepsItsName(plan, requested)) plans.push(plan);
  }
  return plans;
}

/** Everything that `nomoat plan` says: the run as asked for, and other ways to do it. Throws NomoatError. */
export async function planTuning(requested: RequestedSettings, prices: Prices): Promise<PlanReport> {
  const started = performance.now();
  const model = withChatTemplate(openGguf(requested.modelPath), requested.chatTemplate);
  try {
    const prepared = await prepareExamples(requested, model);
    const { settings } = prepared;
    const threads = threadsOf(settings.threads);
    const held = process.memoryUsage.rss() + assumedParentBytes;
    const context = contextOf({ model, prepared, threads, held, probe: await probeFor(settings, threads) });
    const reading = (performance.now() - started) / 1000 + model.byteLength / digestRate;
    const known = new KnownRates(context);
    const plans = await allPlans(context, prepared, known, { prices, reading });
    const room = roomOf(context, settings);
    const { steps } = stepsOf(prepared.train.length, settings);
    const recommended = recommend(plans, room);
    const { rates } = known.first;
    return {
      model: settings.model,
      threads,
      rows: prepared.report.rows,
      tokens: prepared.report.tokens,
      chosen: prepared.chosen,
      notes: [...prepared.notes, ...prepared.overruled, ...settingWarnings(settings, steps, threads)],
      probe: {
        float32Rate: context.probe?.float32Rate ?? null,
        int8Rate: context.probe?.int8Rate ?? null,
        diskRate: rates.diskRate,
        blockSeconds: rates.furtherBlock,
        blockTokens: rates.tokens,
        seconds: known.seconds,
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
