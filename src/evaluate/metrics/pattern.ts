/** Answers that have to match a pattern. Pure. */
import { NomoatError } from '../../errors.ts';
import type { Metric } from './metric.ts';

/**
 * `regex`: whether the answer matches, or, where the pattern has a group, whether what its first group took of the answer is what is expected. Throws
 * NomoatError where the pattern is none.
 */
export function patternMetric(pattern: string | null): Metric {
  if (pattern === null || pattern === '')
    throw new NomoatError({
      code: 'invalid-settings',
      part: 'the metric regex',
      fault: 'has no pattern',
      remedy: "Give one: `pattern: '^Answer: (.*)$'`.",
    });
  const expression = compiled(pattern);
  const hasGroup = new RegExp(`${expression.source}|`, expression.flags).exec('')!.length > 1;
  return {
    name: 'regex',
    summary: hasGroup ? `what /${pattern}/ takes of the answer is what is expected` : `the answer matches /${pattern}/`,
    binary: true,
    of: (answer, expected) => {
      const found = expression.exec(answer);
      return found !== null && (!hasGroup || found[1]?.trim() === expected.trim()) ? 1 : 0;
    },
  };
}

function compiled(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'mu');
  } catch (cause) {
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`pattern`',
      fault: `is no regular expression (${(cause as Error).message})`,
      remedy: 'Give one as JavaScript writes it, without slashes.',
      cause,
    });
  }
}
