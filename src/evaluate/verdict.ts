/** What an evaluation comes to, in sentences, the most important first. Pure. */
import { type Comparison, comparisonText, tiedText } from './compare.ts';
import type { Doubt, Measured } from './evaluation.ts';
import { judgementText } from './judge.ts';
import { lossText } from './likelihood/loss.ts';

/** What a fine-tune is not better than comes before what it is better than. */
const byOutcome: Readonly<Record<Comparison['verdict'], number>> = {
  'too-few-examples': 0,
  worse: 1,
  'no-difference-shown': 2,
  better: 3,
};

/**
 * First the baselines that beat the model, then what makes the scores doubtful, then the comparisons, by the first metric before the others, then
 * what else is to be said.
 */
export function verdictOf(
  { clusters, comparisons, examples, judgements, losses, metrics, ties }: Measured,
  doubts: readonly Doubt[],
): string[] {
  const place = new Map(metrics.map(({ name }, i) => [name, i]));
  const severalMetrics = metrics.length > 1;
  const test = clusters ? `${examples} examples in ${clusters.count} clusters` : `${examples} examples`;
  const sorted = [...comparisons].sort(
    (a, b) => place.get(a.metric)! - place.get(b.metric)! || byOutcome[a.verdict] - byOutcome[b.verdict],
  );
  const isBeaten = ({ verdict, with: other }: Comparison): boolean => other === 'baseline' && verdict === 'worse';
  const sentences = (some: readonly Comparison[]): string[] =>
    some.map((each) => comparisonText(each, { test, examples, severalMetrics }));
  const doubtful = (isSevere: boolean): string[] =>
    doubts.filter(({ severity }) => (severity === 'severe') === isSevere).map(({ sentence }) => sentence);
  return [
    ...sentences(sorted.filter(isBeaten)),
    ...doubtful(true),
    ...sentences(sorted.filter((each) => !isBeaten(each))),
    ...(losses?.comparisons.map(lossText) ?? []),
    ...judgements.map(judgementText),
    ...ties.flatMap((each) => tiedText(each, severalMetrics) ?? []),
    ...doubtful(false),
  ];
}
