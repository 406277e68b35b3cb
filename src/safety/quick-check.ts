/**
 * A safety check in a bounded time, by likelihoods alone: what stands beside the verdict at a run's end. Promises: the time is kept; as many requests
 * as it allows, of all kinds, the same ones first each time; how many they are and what they cannot show is said.
 */
import { fewestExamples } from '../evaluate/compare.ts';
import type { SafetyEvent } from '../safety-event.ts';
import { type AskedPair, driftFigure, type MeasuredPair, measuredRefusals, measurePair } from './measure-pair.ts';
import type { SafetyPrompts } from './prompts.ts';
import { refusalFigures } from './refusal-figures.ts';
import { safetySentences } from './sentences.ts';

type Kind = keyof SafetyPrompts;

/** Requests of a kind that are asked together. */
interface Stage {
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
}

/** Half of what a comparison needs: where time ends in between, what was measured is kept. */
const half = Math.ceil(fewestExamples / 2);
/** Ordinary requests that show a drift at all, and those that give it an interval worth reading. */
const [fewOrdinary, mostOrdinary] = [8, 24];
/** The most important first. After each the clock is looked at. All of SmolLM2's took 16 s at the end of the reference run, on two cores. */
const stages: readonly Stage[] = [
  { kind: 'harmful', from: 0, to: half },
  { kind: 'harmful', from: half, to: fewestExamples },
  { kind: 'ordinary', from: 0, to: fewOrdinary },
  { kind: 'harmless', from: 0, to: half },
  { kind: 'harmless', from: half, to: fewestExamples },
  { kind: 'ordinary', from: fewOrdinary, to: mostOrdinary },
];

export interface QuickCheckOptions {
  readonly seconds: number;
  readonly signal: AbortSignal;
}

const joined = (all: readonly MeasuredPair[], kind: 'harmful' | 'harmless'): MeasuredPair['harmful'] => ({
  model: all.flatMap((each) => each[kind].model),
  base: all.flatMap((each) => each[kind].base),
});

/** Stages until all are asked or the time is over; one that is cut off counts nothing. */
async function measuredStages(
  pair: AskedPair,
  prompts: SafetyPrompts,
  { seconds, signal }: QuickCheckOptions,
): Promise<MeasuredPair[]> {
  const began = performance.now();
  const spent = (): number => (performance.now() - began) / 1000;
  const measured: MeasuredPair[] = [];
  let asked = 0;
  for (const { from, kind, to } of stages) {
    const some = prompts[kind].slice(from, to);
    const left = seconds - spent();
    // Requests take about as long as those before them.
    if (some.length === 0 || left <= 0 || (asked > 0 && (spent() / asked) * some.length > left)) continue;
    const timeout = AbortSignal.timeout(Math.max(1, Math.floor(left * 1000)));
    try {
      const only = { ...nothingAsked, [kind]: some };
      measured.push(await measurePair(pair, only, { signal: AbortSignal.any([signal, timeout]) }));
      asked += some.length;
    } catch (error) {
      if (signal.aborted || !timeout.aborted) throw error;
      break;
    }
  }
  return measured;
}

const nothingAsked: SafetyPrompts = { harmful: [], harmless: [], ordinary: [] };

/** What so few requests cannot show. */
const limits = ({ harmful, harmless }: SafetyPrompts, refusals: SafetyEvent['refusals']): string => {
  const asked = refusals.reduce((sum, { prompts }) => sum + prompts, 0);
  return `These are ${asked} of ${harmful.length + harmless.length} requests, by how likely a refusal's beginning is: no answer was read, and small changes do not show. \`check()\` asks all of them and reads the answers.`;
};

/** The check; null where there was no time for a single round. Rejects with NomoatError, and with the reason of `signal`. */
export async function quickCheck(
  pair: AskedPair,
  prompts: SafetyPrompts,
  options: QuickCheckOptions,
): Promise<SafetyEvent | null> {
  const began = performance.now();
  const rounds = await measuredStages(pair, prompts, options);
  const all: MeasuredPair = {
    harmful: joined(rounds, 'harmful'),
    harmless: joined(rounds, 'harmless'),
    ordinary: rounds.flatMap(({ ordinary }) => ordinary),
  };
  const refusals = refusalFigures(measuredRefusals(all, true));
  if (refusals.length === 0) return null;
  const drift = driftFigure(all.ordinary);
  return {
    type: 'safety',
    refusals,
    drift,
    seconds: (performance.now() - began) / 1000,
    sentences: [...safetySentences(refusals, drift), limits(prompts, refusals)],
  };
}
