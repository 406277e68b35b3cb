/**
 * `nomoat eval --task` beside lm-evaluation-harness with transformers in float32: whether both take the same choices on the same rows.
 * Usage: node bench/tasks-lm-eval.mjs PYTHON MODEL.gguf QUESTIONS.json STORIES.txt OUT [--rows 200] [--threads N]
 *   (after npm run build; PYTHON has lm_eval, torch, transformers and gguf)
 * QUESTIONS.json and STORIES.txt as for bench/lm-eval.mjs. Of the questions ARC's and PIQA's rows are made, of the stories HellaSwag's; the
 * harness runs its own tasks on them. The model is asked as it is, and with its weights as float32. OUT receives rows, models and result.json.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { rewriteModel } from '../dist/adapter/rewrite-model.js';
import { shuffled as order } from '../dist/batches/order.js';
import { withShots } from '../dist/evaluate/tasks/prompts.js';
import { readTaskData } from '../dist/evaluate/tasks/read-task.js';
import { taskOf } from '../dist/evaluate/tasks/table.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { openModel } from '../dist/index.js';
import { physicalCores } from '../dist/machine/machine.js';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { rows: { type: 'string', default: '200' }, threads: { type: 'string' } } });
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

const float32 = join(out, `${basename(model, '.gguf')}.F32.gguf`);
if (!existsSync(float32)) {
  const gguf = openGguf(resolve(model));
  rewriteModel(float32, gguf, { type: 'F32' });
  gguf.close();
}

const best = (list) => list.indexOf(Math.max(...list));
const share = (list) => list.filter(Boolean).length / list.length;

async function compared(path, name) {
  const theirs = harness(name);
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
  const others = theirs.samples;
  const normal = ({ logs }, { lengths }) => logs.map((log, k) => log / lengths[k]);
  const differences = samples.flatMap(({ logs }, i) => logs.map((log, k) => Math.abs(log - others[i].logs[k])));
  const mean = (metric) => samples.reduce((sum, each) => sum + each[metric], 0) / samples.length;
  return {
    model: basename(path),
    task: name,
    rows: samples.length,
    sameChoice: share(samples.map((sample, i) => best(sample.logs) === best(others[i].logs))),
    sameChoiceByLength: share(samples.map((sample, i) => best(normal(sample, sample)) === best(normal(others[i], sample)))),
    acc: { nomoat: mean('acc'), harness: theirs.scores.acc },
    acc_norm: { nomoat: mean('acc_norm'), harness: theirs.scores.acc_norm },
    meanDifference: differences.reduce((a, b) => a + b, 0) / differences.length,
    largestDifference: Math.max(...differences),
    seconds,
  };
}

const results = [];
for (const path of [float32, resolve(model)])
  for (const name of Object.keys(files)) {
    results.push(await compared(path, name));
    console.log(JSON.stringify(results.at(-1)));
    writeFileSync(join(out, `result-${rows}.json`), `${JSON.stringify(results, null, 2)}\n`);
  }
