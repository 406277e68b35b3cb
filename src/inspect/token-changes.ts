/** Which tokens of answers a model holds likelier than another does. Pure. */

/** A token of an expected answer, and how likely each model holds it after all before it. */
export interface TokenChange {
  /** May be part of a character. */
  readonly text: string;
  /** ln p, nats, by the base. */
  readonly before: number;
  /** The same by the tuned model. */
  readonly after: number;
}

/** A token wherever it stands in the answers. */
export interface TokenTotal {
  readonly text: string;
  readonly count: number;
  /** Mean of after - before, nats. */
  readonly change: number;
}

/** The tokens of all answers by their texts, those that became likelier most first, by change times count. */
export function totalsOf(answers: Iterable<readonly TokenChange[]>): TokenTotal[] {
  const found = new Map<string, { count: number; sum: number }>();
  for (const tokens of answers)
    for (const { after, before, text } of tokens) {
      const { count, sum } = found.get(text) ?? { count: 0, sum: 0 };
      found.set(text, { count: count + 1, sum: sum + after - before });
    }
  return [...found]
    .sort(([, a], [, b]) => b.sum - a.sum)
    .map(([text, { count, sum }]) => ({ text, count, change: sum / count }));
}
