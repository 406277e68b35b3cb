/**
 * `nomoat eval --task` beside lm-evaluation-harness with transformers in float32: whether both take the same choices on the same rows.
 * Usage: node bench/tasks-lm-eval.mjs PYTHON MODEL.gguf QUESTIONS.json STORIES.txt OUT [--rows 200] [--threads N] [--types F32,F16]
 *   [--tasks piqa,arc_easy,hellaswag] (after npm run build; PYTHON has lm_eval, torch, transformers and gguf)
 * QUESTIONS.json and STORIES.txt as for bench/lm-eval.mjs. Of the questions ARC's and PIQA's rows are made, of the stories HellaSwag's; the
 * harness runs its own tasks on them. The model is asked with its weights as each of --types, and as it is. OUT receives rows, models, what
 * each side scored (taken from there when the script is called again) and result-ROWS.json.
 * On a busy machine OMP_NUM_THREADS=1 is four times faster: PyTorch's threads wait for each other without sleeping.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { rewriteModel } from '../dist/adapter/rewrite-model.js';
import { shuffled as order } from '../dist/batches/order.js';
import { mcnemarExact, pairedInterval, wilsonInterval } from '../dist/evaluate/statistics/proportions.js';
import { withShots } from '../dist/evaluate/tasks/prompts.js';
import { readTaskData } from '../dist/evaluate/tasks/read-task.js';
import { taskOf } from '../dist/evaluate/tasks/table.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { openModel } from '../dist/index.js';
import { physicalCores } from '../dist/machine/machine.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string', default: '200' }, threads: { type: 'string' }, types: { type: 'string', default: 'F32' }, tasks: { type: 'string', default: 'piqa,arc_easy,hellaswag' } },
});
const [python, model, questionsFile, storiesFile, folder] = positionals;
if (folder === undefined) throw new Error('give PYTHON MODEL.gguf QUESTIONS.json STORIES.txt OUT');
const out = resolve(folder);
const rows = Number(values.rows);
let drawn = 0;
/** In an order that is the same every time, and another one for each call. */
const shuffled = (list) => order(list.length, 17, drawn++).map((i) => list[i]);
mkdirSync(out, { recursive: true });

const questions = JSON.parse(readFileSync(questionsFile, 'utf8'));
const sentencesOf = (text) => text.replace(/\s+/g, ' ').trim().match(/[^.!?]+[.!?]+["']?/g)?.map((sentence) => sentence.trim()) ?? [];
const options = ({ mc1_targets: { choices, labels } }, count) => {
  const right = choices[labels.indexOf(1)];
  const mixed = shuffled([right, ...choices.filter((choice) => choice !== right).slice(0, count - 1)]);
  return { mixed, right: mixed.indexOf(right) };
};
const made = {
  arc_easy: () => shuffled(questions).slice(0, rows).map((row) => {
    const { mixed, right } = options(row, 4);
    const label = mixed.map((_, i) => 'ABCD'[i]);
    return { question: row.question, choices: { text: mixed, label }, answerKey: label[right] };
  }),
  piqa: () => shuffled(questions.filter(({ mc1_targets }) => mc1_targets.choices.length > 1)).slice(0, rows).map((row) => {
    const { mixed, right } = options(row, 2);
    return { goal: row.question, sol1: mixed[0], sol2: mixed[1], label: right };
  }),
  hellaswag: () => {
    const stories = shuffled(readFileSync(storiesFile, 'utf8').split(/<\|endoftext\|>|\n\s*\n/).map(sentencesOf).filter((sentences) => sentences.length > 5));
    return stories.slice(0, rows).map((story, i) => {
      const endings = shuffled([story[4], ...[1, 2, 3].map((step) => stories[(i + step * 7) % stories.length][4])]);
      return { activity_label: 'Story', ctx_a: story.slice(0, 3).join(' '), ctx_b: story[3], endings, label: String(endings.indexOf(story[4])) };
    });
  },
};
const files = { piqa: 'piqa-validation.jsonl', arc_easy: 'arc-test.jsonl', hellaswag: 'hellaswag-validation.jsonl' };
for (const [name, make] of Object.entries(made)) writeFileSync(join(out, files[name]), make().map((row) => `${JSON.stringify(row)}\n`).join(''));

const run = (...args) => {
  const { status } = spawnSync(python, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, TOKENIZERS_PARALLELISM: 'false' } });
  if (status !== 0) throw new Error(`${args[0]} ended with status ${status}`);
};
const dequantized = join(out, 'dequantized');
if (!existsSync(dequantized)) run(join(import.meta.dirname, 'lm-eval', 'dequantize.py'), resolve(model), dequantized);
/** The harness' results of a task, from before where they are there. */
function harness(name) {
  const file = join(out, `transformers-${name}-${rows}.json`);
  if (!existsSync(file)) run(join(import.meta.dirname, 'lm-eval', 'run_task.py'), dequantized, file, `${name}=${join(out, files[name])}`);
  return JSON.parse(readFileSync(file, 'utf8'))[name];
}

/** The model with its weights as `type`. */
function rewritten(type) {
  const path = join(out, `${basename(model, '.gguf')}.${type}.gguf`);
  if (existsSync(path)) return path;
  const gguf = openGguf(resolve(model));
  rewriteModel(path, gguf, { type });
  gguf.close();
  return path;
}

const best = (list) => list.indexOf(Math.max(...list));

/** Log-probabilities of each row's choices by nomoat, from before where they are there. */
async function scored(path, name) {
  const file = join(out, `nomoat-${basename(path, '.gguf')}-${name}-${rows}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const opened = await openModel({ model: path, threads: Number(values.threads ?? physicalCores()), sequences: 8, contextSize: 512 });
  const task = taskOf(name);
  const documents = withShots(task, await readTaskData([join(out, files[name])], task, 0), 0);
  const start = performance.now();
  const scores = await opened.scoreRows(documents.flatMap(({ question }) => question.options.map(({ continuation, prompt }) => ({ prompt, continuation }))));
  const seconds = (performance.now() - start) / 1000;
  await opened.close();
  const samples = documents.map(({ question }) => {
    const logs = scores.splice(0, question.options.length).map(({ logProbability }) => logProbability);
    return { logs, lengths: question.options.map(({ text }) => [...text].length), ...question.score(logs) };
  });
  writeFileSync(file, JSON.stringify({ seconds, samples }));
  return { seconds, samples };
}

/** A score on both sides: the difference in points with its interval, and McNemar's exact test. */
function sideBySide(samples, others, metric) {
  const only = (one, other) => one.filter((sample, i) => sample[metric] > other[i][metric]).length;
  const [nomoat, harness] = [only(samples, others), only(others, samples)];
  const points = (each) => Number((100 * each).toFixed(2));
  return {
    nomoat: samples.reduce((sum, each) => sum + each[metric], 0) / samples.length,
    harness: others.reduce((sum, each) => sum + each[metric], 0) / others.length,
    rightOnlyHere: nomoat,
    rightOnlyThere: harness,
    interval: pairedInterval(nomoat, harness, samples.length).map(points),
    mcnemar: mcnemarExact(nomoat, harness),
  };
}

async function compared(path, name) {
  const { samples: others } = harness(name);
  const { samples, seconds } = await scored(path, name);
  const normal = ({ logs }, { lengths }) => logs.map((log, k) => log / lengths[k]);
  const differences = samples.flatMap(({ logs }, i) => logs.map((log, k) => Math.abs(log - others[i].logs[k])));
  const same = samples.map((sample, i) => best(sample.logs) === best(others[i].logs));
  const byLength = samples.map((sample, i) => best(normal(sample, sample)) === best(normal(others[i], sample)));
  const count = (list) => list.filter(Boolean).length;
  // By how many nats the harness preferred what it chose to what was chosen here.
  const margins = same.flatMap((each, i) => (each ? [] : [others[i].logs[best(others[i].logs)] - others[i].logs[best(samples[i].logs)]]));
  return {
    model: basename(path),
    task: name,
    rows: samples.length,
    sameChoice: { rows: count(same), interval: wilsonInterval(count(same), same.length) },
    sameChoiceByLength: { rows: count(byLength), interval: wilsonInterval(count(byLength), byLength.length) },
    acc: sideBySide(samples, others, 'acc'),
    acc_norm: sideBySide(samples, others, 'acc_norm'),
    meanDifference: differences.reduce((a, b) => a + b, 0) / differences.length,
    largestDifference: Math.max(...differences),
    marginsWhereDifferent: margins.map((margin) => Number(margin.toFixed(3))),
    seconds,
  };
}

const results = [];
for (const path of [...values.types.split(',').filter(Boolean).map(rewritten), resolve(model)])
  for (const name of values.tasks.split(',')) {
    results.push(await compared(path, name));
    console.log(JSON.stringify(results.at(-1)));
    writeFileSync(join(out, `result-${rows}.json`), `${JSON.stringify(results, null, 2)}\n`);
  }
