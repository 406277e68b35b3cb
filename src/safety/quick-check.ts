/**
 * A safety check in a bounded time, by likelihoods alone: what stands beside the verdict at a run's end. Promises: the time is kept; as many requests
 * as it allows, the same ones first each time, and how many they are is said.
 */
import type { SafetyEvent } from '../safety-event.ts';
import { type AskedPair, driftFigure, type MeasuredPair, measuredRefusals, measurePair } from './measure-pair.ts';
import type { SafetyPrompts } from './prompts.ts';
import { refusalFigures } from './refusal-figures.ts';
import { safetySentences } from './sentences.ts';

/** Requests of each kind that are asked together; after each such round the clock is looked at. */
const together = 8;
/** Of each kind at most: what a comparison needs, and what SmolLM2 is asked in a third of a minute on two cores. */
const most = 24;

export interface QuickCheckOptions {
  readonly seconds: number;
  readonly signal: AbortSignal;
}

const joined = (all: readonly MeasuredPair[], kind: 'harmful' | 'harmless'): MeasuredPair['harmful'] => ({
  model: all.flatMap((each) => each[kind].model),
  base: all.flatMap((each) => each[kind].base),
});

/** Rounds until all are asked or the time is over; a round that is cut off counts nothing. */
async function roundsOf(
  pair: AskedPair,
  prompts: SafetyPrompts,
  { seconds, signal }: QuickCheckOptions,
): Promise<MeasuredPair[]> {
  const began = performance.now();
  const left = (): number => seconds - (performance.now() - began) / 1000;
  const rounds: MeasuredPair[] = [];
  for (let at = 0; at < most && left() > 0; at += together) {
    // The next round takes as long as those before it.
    if (rounds.length > 0 && left() < (seconds - left()) / rounds.length) break;
    const timeout = AbortSignal.timeout(Math.max(1, Math.floor(left() * 1000)));
    const some = (all: readonly string[]): readonly string[] => all.slice(at, Math.min(most, at + together));
    try {
      rounds.push(
        await measurePair(
          pair,
          { harmful: some(prompts.harmful), harmless: some(prompts.harmless), ordinary: some(prompts.ordinary) },
          { signal: AbortSignal.any([signal, timeout]) },
        ),
      );
    } catch (error) {
      if (signal.aborted || !timeout.aborted) throw error;
      break;
    }
  }
  return rounds;
}

/** The check; null where there was no time for a single round. Rejects with NomoatError, and with the reason of `signal`. */
export async function quickCheck(
  pair: AskedPair,
  prompts: SafetyPrompts,
  options: QuickCheckOptions,
): Promise<SafetyEvent | null> {
  const began = performance.now();
  const rounds = await roundsOf(pair, prompts, options);
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
    sentences: safetySentences(refusals, drift),
  };
}
