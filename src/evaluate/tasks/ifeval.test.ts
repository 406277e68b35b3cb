/** IFEval's checks beside lm-evaluation-harness': bench/oracles/make_ifeval_cases.py wrote the fixture. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ifeval } from './ifeval.ts';
import { checks, countSentences } from './ifeval-checks.ts';
import type { TextQuestion } from './task.ts';

interface Cases {
  readonly answers: readonly string[];
  readonly cases: readonly {
    readonly record: { readonly instruction_id_list: readonly string[] };
    readonly strict: readonly (readonly number[])[];
    readonly loose: readonly (readonly number[])[];
  }[];
}
const { answers, cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../test/fixtures/tasks/ifeval.json'), 'utf8'),
) as Cases;
/** The first answers are sentences of one language; of single words and mixtures, eld and langdetect say one thing or another. */
const clear = 5;
const questionOf = (record: unknown): TextQuestion => ifeval.read(record, '')!.question as TextQuestion;

test.each(cases.map((each) => [each.record.instruction_id_list.join(', '), each] as const))(
  '%s',
  async (_, { loose, record, strict }) => {
    const question = questionOf(record);
    const isOfLanguages = record.instruction_id_list.some((name) => /^language|english/.test(name));
    for (const [i, answer] of answers.slice(0, isOfLanguages ? clear : answers.length).entries()) {
      const scores = await question.score(answer);
      expect(scores, JSON.stringify(answer)).toEqual({
        prompt_level_strict_acc: Number(strict[i]!.every(Boolean)),
        inst_level_strict_acc: strict[i],
        prompt_level_loose_acc: Number(loose[i]!.every(Boolean)),
        inst_level_loose_acc: loose[i],
      });
    }
  },
);

describe('what the harness has NLTK for', () => {
  test('sentences end at punctuation, and not behind abbreviations and initials', () => {
    expect(
      [
        'One. Two! Three? four',
        'Dr. Smith met J. Doe at 5 p.m. there. "Yes." He left.',
        'e.g. this',
        '',
        'No end\n\nhere',
      ].map(countSentences),
    ).toEqual([4, 3, 1, 0, 1]);
  });

  test('words in capitals', () => {
    const count = (answer: string) =>
      [0, 1, 2, 3, 4, 5].findLast((n) =>
        checks['change_case:capital_word_frequency']!(answer, { capital_frequency: n, capital_relation: 'at least' }),
      );
    expect(['I AM HERE, really.', 'WELL-KNOWN and A', "DON'T", 'none 123'].map(count)).toEqual([3, 2, 2, 0]);
  });
});

test('a record of an instruction that nobody knows is none of the task', () => {
  expect(ifeval.read({ prompt: 'p', instruction_id_list: ['new:one'], kwargs: [{}] }, '')).toBeNull();
  expect(ifeval.read({ prompt: 'p', instruction_id_list: ['punctuation:no_comma'], kwargs: [{}] }, '')).not.toBeNull();
});
