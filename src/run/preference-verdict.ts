/** What a run that learns from preferences came to, in sentences: whether the held-out pairs are told apart, and whether good answers became less likely. Pure. */
import { confidence, wilsonInterval } from '../evaluate/statistics/proportions.ts';
import type { RunEvent, ValidationEvent } from '../events.ts';

/** A mean log-probability that falls by less, nats per token, is what answers differ by anyway. */
const sinking = 0.1;

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** Pairs of two answers: a model that guesses has half of them right. */
function verdictOf({ accuracy, count }: NonNullable<ValidationEvent['preference']>): string | null {
  if (accuracy === null) return null;
  const [low, high] = wilsonInterval(Math.round(accuracy * count), count);
  const judged =
    low > 0.5
      ? 'better than guessing'
      : high < 0.5
        ? 'worse than guessing: are the pairs the right way round?'
        : 'which is not yet told from guessing';
  return `${percent(accuracy)} of ${count} held-out pairs are the right way round (${Math.round(100 * confidence)}% interval ${percent(low)} to ${percent(high)}): ${judged}.`;
}

/** Of the step whose weights are the result: the best one, or the last where none is known. */
export function preferenceNotices(
  events: readonly RunEvent[],
  bestStep: number | null,
): { code: string; message: string }[] {
  const measured = events.filter(
    (event) => event.type === 'validation' && event.preference !== undefined,
  ) as ValidationEvent[];
  const before = measured.find(({ step }) => step === 0)?.preference;
  const after = (measured.findLast(({ step }) => step === bestStep) ?? measured.at(-1))?.preference;
  if (!after) return [];
  const verdict = verdictOf(after);
  const [was, is] = [before?.chosenLogProbability ?? null, after.chosenLogProbability];
  const sank = was !== null && is !== null && was - is > sinking;
  return [
    ...(verdict === null ? [] : [{ code: 'preferences', message: verdict }]),
    ...(sank
      ? [
          {
            code: 'chosen-sank',
            message: `The preferred answers themselves became less likely: ${is.toFixed(3)} nats per token, ${was.toFixed(3)} before. The model may say neither; \`sftShare\`, a higher \`beta\` or a lower \`learningRate\` hold against it.`,
          },
        ]
      : []),
  ];
}
