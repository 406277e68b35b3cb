/** Votes on answers as figures: how often each model was preferred to each other, with an interval. Pure. */
import { type Interval, wilsonInterval } from '../src/evaluate/statistics/proportions.ts';
import type { Vote } from '../src/server/studio/chat-form.ts';

/** Of two models that stood side by side. */
export interface Pair {
  readonly model: string;
  readonly beside: string;
  readonly better: number;
  readonly worse: number;
  readonly equal: number;
  /** Of those that chose one of them; null without any. */
  readonly share: number | null;
  /** 95%, Wilson's. */
  readonly interval: Interval;
}

/** The two in one order, whichever stood first. */
const keyOf = (one: string, other: string): string => JSON.stringify([one, other].sort());

type Tally = [first: number, second: number, equal: number];

/** Each pair of a turn counts: the best one is better than each other; of the others nothing is known. */
function count(tallies: Map<string, Tally>, { best, models }: Vote): void {
  for (const [i, one] of models.entries())
    for (const [j, other] of models.entries()) {
      if (j <= i || one === other || one === '' || other === '') continue;
      if (best !== null && best !== i && best !== j) continue;
      const key = keyOf(one, other);
      const tally = tallies.get(key) ?? [0, 0, 0];
      const winner = best === null ? null : models[best];
      const [first] = JSON.parse(key) as [string, string];
      tally[winner === null ? 2 : winner === first ? 0 : 1]++;
      tallies.set(key, tally);
    }
}

/** The pairs that were voted on most, first. */
export function pairsOf(votes: readonly Vote[]): Pair[] {
  const tallies = new Map<string, Tally>();
  for (const vote of votes) count(tallies, vote);
  const pairs = [...tallies].map(([key, [first, second, equal]]): Pair => {
    const [one, other] = JSON.parse(key) as [string, string];
    const [model, beside, better, worse] = second > first ? [other, one, second, first] : [one, other, first, second];
    const decided = better + worse;
    const share = decided === 0 ? null : better / decided;
    return { model, beside, better, worse, equal, share, interval: wilsonInterval(better, decided) };
  });
  return pairs.sort((a, b) => b.better + b.worse + b.equal - (a.better + a.worse + a.equal));
}
