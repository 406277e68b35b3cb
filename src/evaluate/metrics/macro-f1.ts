/** Macro F1 of some of the answers, fast enough to be computed on thousands of drawn sets. Pure. */
import type { Statistic } from '../statistics/resample-rows.ts';

/**
 * Mean of the labels' F1 over the examples named: as scikit-learn's `average="macro"`, of labels that are expected or answered among them. White
 * space at the ends is ignored.
 */
export function macroF1(answers: readonly string[], expected: readonly string[]): Statistic {
  const index = new Map<string, number>();
  const numberOf = (text: string): number => {
    const label = text.trim();
    const known = index.get(label) ?? index.size;
    index.set(label, known);
    return known;
  };
  const [given, wanted] = [answers.map(numberOf), expected.map(numberOf)];
  return (rows) => {
    const [right, either] = [new Float64Array(index.size), new Float64Array(index.size)];
    for (const row of rows) {
      const [answer, label] = [given[row]!, wanted[row]!];
      either[answer]!++;
      either[label]!++;
      if (answer === label) right[label]!++;
    }
    let [sum, labels] = [0, 0];
    either.forEach((count, i) => {
      if (count === 0) return;
      sum += (2 * right[i]!) / count;
      labels++;
    });
    return labels === 0 ? 0 : sum / labels;
  };
}
