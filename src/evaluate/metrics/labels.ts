/** Answers that are one of a few labels: which was taken for which, and F1 of each. Pure. */

/** How well one label was recognised. */
export interface LabelScore {
  readonly label: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Examples of this label. */
  readonly support: number;
}

/** How well labels were recognised, and what was taken for what. */
export interface LabelReport {
  readonly accuracy: number;
  /** Mean of the labels' F1, each counted once, as scikit-learn's `average="macro"`. */
  readonly macroF1: number;
  readonly labels: readonly LabelScore[];
  /** Rows: what was expected; columns: what was answered; in the order of `labels`. */
  readonly confusion: readonly (readonly number[])[];
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Compares answers with the expected labels, as they are. Labels that only answers have are among them, with a support of 0. */
export function labelReport(answers: readonly string[], expected: readonly string[]): LabelReport {
  const names = [...new Set([...expected, ...answers])].sort();
  const index = new Map(names.map((name, i) => [name, i]));
  const confusion = names.map(() => new Array<number>(names.length).fill(0));
  expected.forEach((label, i) => {
    confusion[index.get(label)!]![index.get(answers[i]!)!]!++;
  });
  const labels = names.map((label, i): LabelScore => {
    const [right, support] = [confusion[i]![i]!, confusion[i]!.reduce((sum, count) => sum + count, 0)];
    const answered = confusion.reduce((sum, row) => sum + row[i]!, 0);
    return {
      label,
      precision: share(right, answered),
      recall: share(right, support),
      f1: share(2 * right, support + answered),
      support,
    };
  });
  const right = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  return {
    accuracy: share(right, expected.length),
    macroF1: share(
      labels.reduce((sum, each) => sum + each.f1, 0),
      labels.length,
    ),
    labels,
    confusion,
  };
}
