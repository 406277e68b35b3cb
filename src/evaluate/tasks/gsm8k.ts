/** Sums in words (arXiv 2110.14168): the number at the end of an answer decides, found strictly or leniently. */
import { z } from 'zod';
import { reading, type Task } from './task.ts';

const notFound = '[invalid]';
/** The number behind the mark that the examples end with. */
const strict = (answer: string): string => /#### (-?[0-9.,]+)/.exec(answer)?.[1]?.trim() ?? notFound;
/** The last thing that looks like a number. */
const flexible = (answer: string): string =>
  [...answer.matchAll(/(-?[$0-9.,]{2,})|(-?[0-9]+)/g)].at(-1)?.[0].trim() ?? notFound;

/** What the harness leaves out before it compares. */
const bare = (text: string): string =>
  [/,/g, /\$/g, /[\s\S]*#### /g, /\.(?=\n?$)/g]
    .reduce((rest, ignored) => rest.replace(ignored, ''), text)
    .toLowerCase();

const isEqual = (found: string, expected: string): number => Number(bare(found) === bare(expected));

export const gsm8k: Task = {
  name: 'gsm8k',
  files: 'openai/grade-school-math: test.jsonl beside train.jsonl, or main/*.parquet of openai/gsm8k',
  metrics: [
    { name: 'strict-match', summary: 'the number behind #### is the right one', binary: true },
    { name: 'flexible-extract', summary: 'the last number is the right one', binary: true },
  ],
  asked: ['test'],
  shots: { count: 5, from: ['train'], choose: 'at-random' },
  read: reading(z.object({ question: z.string(), answer: z.string() }), ({ answer: expected, question }) => {
    const prompt = `Question: ${question}\nAnswer:`;
    return {
      question: {
        kind: 'text',
        prompt,
        expected,
        until: ['Question:', '</s>', '<|im_end|>'],
        maxTokens: 256,
        score: (answer) => ({
          'strict-match': isEqual(strict(answer), expected),
          'flexible-extract': isEqual(flexible(answer), expected),
        }),
      },
      shot: `${prompt} ${expected}`,
    };
  }),
};
