/** A user's own function as a metric. Promises: what it gives is a score, or an error says at which example it was none. */
import { NomoatError } from '../../errors.ts';
import type { Metric } from './metric.ts';

/**
 * Scores an answer: true or 1 where it is right, false or 0 where it is not, or a number between them. It may be asynchronous. Where every score is
 * 0 or 1, the answers are compared as right or wrong.
 */
export type MetricFunction = (answer: string, expected: string) => boolean | number | Promise<boolean | number>;

/** How much of an answer an error shows. */
const shownText = 60;

const failure = (name: string, fault: string, remedy: string, cause?: unknown): NomoatError =>
  new NomoatError({ code: 'invalid-settings', part: `the metric ${name}`, fault, remedy, cause });

function scoreOf(name: string, given: unknown, answer: string): number {
  if (typeof given === 'boolean') return given ? 1 : 0;
  if (typeof given === 'number' && given >= 0 && given <= 1) return given;
  throw failure(
    name,
    `gave ${String(given)} for the answer ${JSON.stringify(answer.slice(0, shownText))}, which is no score`,
    'It has to give true, false or a number from 0 to 1.',
  );
}

/** The metric of a user's function, which is called with an answer and what is expected. */
export function ownMetric(name: string, score: MetricFunction): Metric {
  return {
    name,
    summary: 'your own function',
    binary: null,
    of: async (answer, expected) => {
      let given: unknown;
      try {
        given = await score(answer, expected);
      } catch (error) {
        throw failure(
          name,
          `failed: ${error instanceof Error ? error.message : String(error)}`,
          `It was called with the answer ${JSON.stringify(answer.slice(0, shownText))}.`,
          error,
        );
      }
      return scoreOf(name, given, answer);
    },
  };
}
