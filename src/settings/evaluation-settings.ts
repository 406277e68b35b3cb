/** The settings of the commands that evaluate and say what was found, as zod schemas: of `eval` and `card`. */
import { z } from 'zod';
import { number, openChoice, openText, openWords, texts, toggle, whole, wholeFrom } from './fields.ts';
import { metricNames } from './metric-names.ts';
import { taskNames } from './task-names.ts';

export const evalOptions = {
  data: texts('FILE|DIR...', 'test data with answers, which has to be given; default: none'),
  against: texts('MODEL|RUN...', 'models to compare with; default: the base of a run'),
  metric: texts(
    'METRIC|FILE...',
    `${metricNames.join(', ')}, or a .mjs or .ts file whose default export scores an answer; default: what the data suggests`,
  ),
  pattern: openWords(
    'REGEX',
    'of the metric regex: what answers have to match; with a group, what it takes has to be the expected answer',
  ),
  cluster: openWords(
    'COLUMN',
    'column of what belongs together and counts as one; or conversation, template, none; default: by conversation where several begin alike',
  ),
  task: openChoice(taskNames, `${taskNames.join(', ')}, of files as their authors publish them; default: none`, 'TASK'),
  shots: wholeFrom(
    null,
    0,
    "of a task: examples before each question; default: as lm-evaluation-harness; else training examples in the prompt of a run's base, as one more baseline; default: none",
    { unit: 'examples' },
  ),
  evals: texts(
    'FILE...',
    "a definition of OpenAI's evals, and the run that has its prompts, instead of a metric; its items are the data; default: none",
  ),
  runCode: toggle(false, 'of humaneval: run the programs that the model writes, in a sandbox'),
  loss: toggle(false, 'measure the loss of the expected answers too: perplexity, bits per byte'),
  limit: wholeFrom(null, 1, 'examples at most, the first of the data; default: all', { unit: 'examples' }),
  maxTokens: wholeFrom(
    null,
    1,
    'longest answer; default: twice the characters of the longest expected one, 16 to 512',
    { unit: 'tokens' },
  ),
  judge: openText(
    'URL/MODEL',
    "a model of a server like OpenAI's that compares answers, asked over the network; its key: NOMOAT_JUDGE_API_KEY; default: none",
  ),
  samples: wholeFrom(1, 1, 'answers that are drawn to each question, for pass@k and pass^k', { unit: 'answers' }),
  temperature: number(
    null,
    [0, 100],
    '0 always takes the likeliest token; default: that, and 0.7 where several answers are drawn',
  ),
  seed: whole(0, [0, 2 ** 32 - 1], 'of drawn answers: with the same one, the same answers'),
  reworded: toggle(false, 'ask up to 100 questions in five other wordings too, to see how the scores move'),
  forgetting: toggle(false, 'ask general text and questions of a run and its base too, to see what it has forgotten'),
  memorisation: toggle(
    false,
    'compare answers that a run has learnt with held-out ones, to see what it knows by heart',
  ),
  canaries: openText('FILE', 'texts that should not be known, one on each line: how exposed they are; default: none'),
  promptColumn: openText('NAME', 'CSV column of the prompts'),
  completionColumn: openText('NAME', 'CSV column of the expected answers'),
  threads: wholeFrom(null, 1, 'threads to compute with, at most: small models use one; default: physical cores', {
    unit: 'threads',
  }),
  report: openText('FILE.html', 'a new file for the report as a page, with answers side by side'),
  saveSamples: openText('DIR', 'a new folder for results and samples as lm-evaluation-harness writes them'),
  inspectLog: openText('DIR', 'a new folder for logs that inspect_ai and its viewer open'),
};
export const evalSettings = z.object(evalOptions);

export const cardOptions = {
  evaluation: openText(
    'FILE.json',
    'what an evaluation found, as JSON; default: the one at the end of the run, where there is one',
  ),
  out: openText('DIR', 'where README.md and .eval_results are written; default: the card is printed'),
  title: openWords('TEXT', "the card's heading"),
  intendedUse: openWords(
    'TEXT',
    'what the adapter is meant for, in a sentence; default: the card says that nobody has said it',
  ),
  baseModel: openText('ORG/NAME', 'the base by its id on the hub'),
  license: openWords('SPDX', "the base's license, such as apache-2.0"),
  language: texts('CODE...', 'languages of the answers, such as en'),
  trainingData: texts('ORG/NAME...', 'the training data by its ids on the hub'),
  testData: openText('ORG/NAME', 'the test data by its id on the hub, for .eval_results'),
  task: openWords('ID', "which of that benchmark's tasks it is; default: default"),
  split: openWords('NAME', 'which split of the test data it is'),
};
export const cardSettings = z.object(cardOptions);
