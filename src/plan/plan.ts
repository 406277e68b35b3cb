/**
 * What a run will take, said before it begins: from its own rows and a measured micro-batch of its own model on this machine.
 * Promises: the model is never loaded whole; a run that cannot fit is refused with the nearest setting that does.
 */
import { NomoatError } from '../errors.ts';
import type { PlanEvent } from '../events.ts';
import { memoryBytes } from '../machine/machine.ts';
import { probeKernels } from '../runtime/onnxruntime-node/probe.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { withValues } from '../words/program-words.ts';
import { sizeText } from '../words/size-text.ts';
import { type Context, contextOf, heldTokens, type Planned, roomOf, settingOf } from './context.ts';
import {
  assumeRates,
  type Decision,
  decide,
  measurable,
  measureRates,
  type Pace,
  type Rated,
  type SettingPlan,
} from './decide.ts';
import { memoryOf } from './memory.ts';
import type { Prices } from './prices.ts';
import { lacks } from './recommend.ts';
import { workOf } from './work.ts';
import type { Work } from './work-shape.ts';

/** The process that shows a run's progress, before it can be measured. */
export const assumedParentBytes = 80e6;

/** The kernels' rates where the run computes on this processor. Takes about a tenth of a second. */
export const probeFor = async ({ device }: Pick<RunSettings, 'device'>, threads: number): Promise<Planned['probe']> =>
  device === 'webgpu' ? null : probeKernels(threads);

interface Fitting {
  readonly plan: SettingPlan;
  readonly rated: Rated;
  readonly work: Work;
}

/** Throws NomoatError where the run cannot fit. */
function assertFits({ plan, rated, work }: Fitting, context: Context, settings: RunSettings): void {
  const room = roomOf(context, settings);
  const lacking = lacks(plan, room);
  if (lacking === null) return;
  const has = lacking === 'memory' ? room.memoryBytes! : room.diskBytes!;
  const needed = lacking === 'memory' ? plan.neededMemoryBytes : plan.diskBytes;
  const longest = context.prepared.train.reduce(
    (most, row) => Math.max(most, row.tokens.length + (row.rejected?.tokens.length ?? 0)),
    0,
  );
  const lean = memoryOf({
    shape: context.shape,
    setting: settingOf(context, settings, plan.decision.precision, plan.decision),
    rates: rated.measured ? rated.rates : null,
    tokens: { ...heldTokens(work), microBatch: longest, step: longest },
    held: context.held,
  }).training;
  const leanFits = lean <= has;
  throw new NomoatError({
    code: 'too-little-memory',
    part: 'the run',
    fault: `needs about ${sizeText(needed)} of ${lacking}, and there are ${sizeText(has)}`,
    remedy:
      lacking === 'disk'
        ? 'Free some space, or give a `run` on another disk.'
        : `Give ${leanFits && settings.microBatchSize !== 1 ? `\`microBatchSize: 1\` (${sizeText(lean)})` : 'a smaller `model` or `sequenceLength`'}, or ${settings.memory === null ? 'close other programs' : needed > memoryBytes().total ? 'take a machine with more memory' : `${withValues({ memory: sizeText(needed).replace(' ', '') })} or more`}.`,
    fields: { neededBytes: needed, freeBytes: has },
  });
}

/** Costs nothing, so the prices do not matter. */
const free: Prices = { watts: 0, perKilowattHour: 0, perHour: 0 };

export interface RunPlanOptions extends Omit<Planned, 'probe'>, Pace {
  readonly settings: RunSettings;
  /** Seconds since the run was asked for. */
  readonly elapsed: () => number;
}

/** What was decided, and what is said of it. */
export interface RunPlan {
  readonly decision: Decision;
  readonly event: PlanEvent;
}

/** The plan that a run begins with. Small models are not measured: their runs are short. Throws NomoatError where the run cannot fit. */
export async function planRun({ settings, elapsed, step, ...given }: RunPlanOptions): Promise<RunPlan> {
  const context = contextOf({ ...given, probe: await probeFor(settings, given.threads) });
  const laidOut = workOf(context.prepared, settings);
  const { work } = laidOut;
  const rated =
    measurable(settings) && !context.small
      ? await measureRates(context, settings, laidOut, { step })
      : assumeRates(context, settings, laidOut);
  const plan = decide({ context, settings, work, rated, preparation: elapsed(), prices: free });
  assertFits({ plan, rated, work }, context, settings);
  const { decision, diskBytes, firstStepSeconds, peakMemoryBytes, seconds, tokensPerSecond } = plan;
  const { activations, precision, streamed } = decision;
  return {
    decision,
    event: {
      type: 'plan',
      measured: rated.measured,
      precision,
      activations,
      streamed,
      firstStepSeconds,
      seconds,
      tokensPerSecond,
      peakMemoryBytes,
      diskBytes,
    },
  };
}
