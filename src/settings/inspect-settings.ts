/** The settings of `inspect`, of adapters and of data. */
import { notNegative, number, openText, openWords, texts, toggle, wholeFrom } from './fields.ts';
import { tuneSettings } from './options.ts';

export const inspectOptions = {
  model: openText(
    'MODEL',
    'the base of an adapter that is no run, or of a whole model; default: the model of this machine that an adapter names by its digest, for a model none',
  ),
  intruders: toggle(
    true,
    'look for intruder dimensions',
    'do not look for intruder dimensions, which takes most of the time',
  ),
  clean: texts(
    'RUN|ADAPTER...',
    'adapters on the same base that are held to be clean, to compare the spectrum with; default: finished runs in ./runs on that base',
  ),
  with: openText('RUN|ADAPTER', 'compare the two adapters, and nothing else'),
  data: texts(
    'FILE|DIR...',
    'examples with answers, held out: show which tokens of them became likelier, and nothing else; default: none',
  ),
  limit: wholeFrom(null, 1, 'examples at most, the first of the data; default: 20', { unit: 'examples' }),
  answer: openWords(
    'TEXT',
    'of a run: training rows that this answer may come from, by text and by gradient, and nothing else',
  ),
  prompt: openWords('TEXT', 'with `answer`: what was asked; default: nothing'),
  seconds: notNegative(120, 'with `answer`: longest time for gradients; 0 leaves them out', { unit: 's' }),
  soften: openText(
    'DIR',
    'write a copy with less of its intruder dimensions to this new folder, with the loss on `data` before and after',
  ),
  factor: number(0.5, [0, 1], 'with `soften`: what is left of the update along each intruder dimension'),
  lens: openWords(
    'PROMPT',
    'show what the model would answer to this after each block, before and after, and nothing else',
  ),
};

export const inspectDataOptions = {
  model: openText('MODEL', 'the model that shall learn it: rows are tokenised as training would, too; default: none'),
  writeClean: openText(
    'FILE.jsonl',
    'write the rows that are left to a new file, and list the others; default: nothing is written',
  ),
  leaveOut: texts(
    'KIND...',
    'kinds of findings whose rows that file lacks; default: exact duplicates, empty rows, secrets, personal data, hidden characters',
  ),
  ...tuneSettings.pick({
    format: true,
    promptColumn: true,
    completionColumn: true,
    textColumn: true,
    chatTemplate: true,
  }).shape,
};
