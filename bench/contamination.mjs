/**
 * Whether test examples that were nearly trained on are found: planted copies of training texts, a word or two changed, among real test texts.
 * Usage: node bench/contamination.mjs [TRAIN TEST] [--prompt-column NAME --completion-column NAME] [--rows 10000] [--examples 1000] [--planted 50] [--seed 1]   (after npm run build)
 * TRAIN and TEST hold prompts with completions. Without them the texts are made of random words, so that all that is found beside the planted ones is
 * false. Of real ones it is printed (the first 20): test sets have copies of their own.
 */
import { parseArgs } from 'node:util';
import { contaminationOf } from '../dist/evaluate/contamination.js';
import { testSetOf } from '../dist/evaluate/test-set.js';
import { randomNumbers } from '../dist/evaluate/statistics/resampling.js';
import { readExamples } from '../dist/dataset/dataset-files.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string', default: '10000' }, examples: { type: 'string', default: '1000' }, planted: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' }, 'prompt-column': { type: 'string' }, 'completion-column': { type: 'string' } },
});
const [rows, examples, planted, seed] = ['rows', 'examples', 'planted', 'seed'].map((name) => Number(values[name]));
const random = randomNumbers(seed);
const below = (most) => Math.floor(random() * most);
const question = (prompt) => ({ ask: { prompt }, expected: 'an answer' });

/** Words of a made language, of which some are far more frequent than others, as in any. */
const madeText = () => Array.from({ length: 8 + below(12) }, () => `w${Math.floor(4000 * random() ** 3)}`).join(' ');
const made = (count) => Array.from({ length: count }, madeText);

/** The prompts of a data file. */
async function read(path, count) {
  const { train } = await readExamples([path], { promptColumn: values['prompt-column'] ?? null, completionColumn: values['completion-column'] ?? null });
  return train.filter(({ kind }) => kind === 'completion').slice(0, count).map(({ prompt }) => prompt);
}

/** How somebody copies a text: a word left out, added, misspelled or in another place, other case and punctuation. */
const changes = [
  (words) => words.toSpliced(below(words.length), 1),
  (words) => words.toSpliced(below(words.length + 1), 0, 'please'),
  (words) => words.with(below(words.length), 'something'),
  (words) => [...words.slice(1), words[0]],
  (words) => words.map((word) => word.toUpperCase()),
  (words) => words.map((word, i) => (i % 3 === 2 ? `${word},` : word)),
];
/** Short texts are another question when a word of them changes. */
const leastWords = 9;
function nearCopy(text) {
  const words = text.split(/\s+/);
  return changes[below(changes.length)](words).join(' ');
}

const shown = 20;

const [trainPath, testPath] = positionals;
const learnt = trainPath ? await read(trainPath, rows) : made(rows);
const others = testPath ? await read(testPath, examples - planted) : made(examples - planted);
const long = learnt.filter((text) => text.split(/\s+/).length >= leastWords);
const copies = Array.from({ length: planted }, () => nearCopy(long[below(long.length)]));
const test = testSetOf([...copies, ...others].map(question));

const began = performance.now();
const { nearlyTrainedOn, trainedOn } = await contaminationOf(test, learnt.map(question));
const seconds = (performance.now() - began) / 1000;
const found = nearlyTrainedOn.filter(({ example }) => example < planted).length;
const further = nearlyTrainedOn.filter(({ example }) => example >= planted);
console.log(JSON.stringify({ rows: learnt.length, examples: test.questions.length, planted, found, further: further.length, wordForWord: trainedOn, seconds: Number(seconds.toFixed(2)) }));
for (const { example, similar, similarity } of further.slice(0, shown)) console.log(`  ${similarity.toFixed(2)}  ${test.questions[example].ask.prompt}\n        ${similar}`);
