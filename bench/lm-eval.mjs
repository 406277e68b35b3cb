/**
 * lm-evaluation-harness, unchanged, against `nomoat serve` and against transformers with the same model dequantized to float32: whether
 * they take the same choices.
 * Usage: node bench/lm-eval.mjs PYTHON MODEL.gguf QUESTIONS.json STORIES.txt OUT [--rows 200] [--tasks questions,stories] [--threads N]
 *   [--served FILE.gguf] (after npm run build; PYTHON has lm_eval, torch, transformers and gguf)
 * QUESTIONS.json: a list of { question, mc1_targets: { choices, labels } }, as TruthfulQA has them, asked as ARC easy's are: at most four
 * choices. STORIES.txt: texts of several sentences, a paragraph or more each, divided by lines of `<|endoftext|>` or by empty lines: their
 * beginning, and of four next sentences the one that comes, as HellaSwag has it; the others are of other stories.
 * --served serves another file, such as the same weights as float32, and takes transformers' results that are in OUT already.
 * OUT receives rows, tasks, the dequantized model, the harness' own results and samples, and result-NAME.json.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { shuffled as order } from '../dist/batches/order.js';
import { serve } from '../dist/index.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '200' },
    tasks: { type: 'string', default: 'questions,stories' },
    threads: { type: 'string' },
    served: { type: 'string' },
  },
});
const [python, model, questionsFile, storiesFile, folder] = positionals;
if (folder === undefined) throw new Error('give PYTHON MODEL.gguf QUESTIONS.json STORIES.txt OUT');
const out = resolve(folder);
const rows = Number(values.rows);
const tasks = values.tasks.split(',');
const mostChoices = 4;
let drawn = 0;
/** In an order that is the same every time, and another one for each call. */
const shuffled = (list) => order(list.length, 17, drawn++).map((i) => list[i]);
mkdirSync(out, { recursive: true });

/** ARC's rows. */
function questionRows() {
  const all = JSON.parse(readFileSync(questionsFile, 'utf8'));
  return shuffled(all).slice(0, rows).map(({ mc1_targets, question }) => {
    const right = mc1_targets.choices[mc1_targets.labels.indexOf(1)];
    const wrong = mc1_targets.choices.filter((choice) => choice !== right).slice(0, mostChoices - 1);
    const choices = shuffled([right, ...wrong]);
    return { query: `Question: ${question}\nAnswer:`, choices, gold: choices.indexOf(right) };
  });
}

const sentencesOf = (text) => text.replace(/\s+/g, ' ').trim().match(/[^.!?]+[.!?]+["']?/g)?.map((sentence) => sentence.trim()) ?? [];

/** HellaSwag's rows. */
function storyRows() {
  const stories = readFileSync(storiesFile, 'utf8').split(/<\|endoftext\|>|\n\s*\n/).map(sentencesOf).filter((sentences) => sentences.length > 5);
  const mixed = shuffled(stories);
  return mixed.slice(0, rows).map((story, i) => {
    const others = [1, 2, 3].map((step) => mixed[(i + step * 7) % mixed.length][4]);
    const choices = shuffled([story[4], ...others]);
    return { query: story.slice(0, 4).join(' '), choices, gold: choices.indexOf(story[4]) };
  });
}

const made = { questions: questionRows, stories: storyRows };

/** As arc_easy.yaml and hellaswag.yaml of the harness, on local rows. */
function writeTask(name) {
  const data = join(out, `${name}.jsonl`);
  writeFileSync(data, `${made[name]().map((row) => JSON.stringify(row)).join('\n')}\n`);
  const task = {
    task: name,
    dataset_path: 'json',
    dataset_kwargs: { data_files: { test: data } },
    test_split: 'test',
    output_type: 'multiple_choice',
    doc_to_text: '{{query}}',
    doc_to_target: '{{gold}}',
    doc_to_choice: 'choices',
    metric_list: ['acc', 'acc_norm'].map((metric) => ({ metric, aggregation: 'mean', higher_is_better: true })),
    metadata: { version: 1 },
  };
  // YAML reads JSON.
  writeFileSync(join(out, `${name}.yaml`), JSON.stringify(task, null, 2));
}

/** Seconds until it ends; the server lives in this process, and answers meanwhile. */
async function run(args, told) {
  const began = performance.now();
  // The harness asks the hub for nothing here.
  const env = { ...process.env, HF_HUB_OFFLINE: '1', HF_DATASETS_CACHE: join(out, 'cache'), TOKENIZERS_PARALLELISM: 'false' };
  const child = spawn(python, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
  const status = await new Promise((done, failed) => child.once('error', failed).once('close', done));
  if (status !== 0) throw new Error(`${told} failed with status ${status}`);
  return (performance.now() - began) / 1000;
}

function harness(name, args) {
  return run(['-m', 'lm_eval', 'run', ...args, '--tasks', ...tasks, '--include_path', out, '--log_samples', '--output_path', join(out, name)], `lm_eval on ${name}`);
}

/** The harness' samples of a task by document: the log-probability of each choice. */
function samples(name, task) {
  const inside = join(out, name);
  const found = readdirSync(inside, { recursive: true }).map(String).filter((file) => basename(file).startsWith(`samples_${task}_`)).sort().at(-1);
  const lines = readFileSync(join(inside, found), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  return lines.sort((a, b) => a.doc_id - b.doc_id).map(({ doc, filtered_resps }) => ({ doc, scores: filtered_resps.map(([value]) => Number(value)) }));
}

const best = (scores) => scores.indexOf(Math.max(...scores));

function compared(task) {
  // With the harness' own --limit there may be fewer of one.
  const [all, theirs] = [samples(servedFolder, task), samples('transformers', task)];
  const ours = all.slice(0, theirs.length);
  const normal = ({ doc, scores }) => scores.map((score, i) => score / doc.choices[i].length);
  const share = (holds) => ours.filter((_, i) => holds(i)).length / ours.length;
  const margins = theirs.map(({ scores }) => { const sorted = [...scores].sort((a, b) => b - a); return sorted[0] - sorted[1]; });
  const differences = ours.flatMap(({ scores }, i) => scores.map((score, k) => Math.abs(score - theirs[i].scores[k])));
  const differing = ours.flatMap((each, i) => (best(each.scores) === best(theirs[i].scores) ? [] : [margins[i]]));
  return {
    rows: ours.length,
    sameChoice: share((i) => best(ours[i].scores) === best(theirs[i].scores)),
    sameChoiceByLength: share((i) => best(normal(ours[i])) === best(normal(theirs[i]))),
    accuracy: { served: share((i) => best(ours[i].scores) === ours[i].doc.gold), transformers: share((i) => best(theirs[i].scores) === theirs[i].doc.gold) },
    // Nats, of the sums over a choice's tokens; and by how much transformers preferred what the server did not choose.
    meanDifference: differences.reduce((a, b) => a + b, 0) / differences.length,
    largestDifference: Math.max(...differences),
    marginsWhereDifferent: differing.map((margin) => Number(margin.toFixed(3))),
  };
}

for (const task of tasks) writeTask(task);
const dequantized = join(out, 'dequantized');
if (!existsSync(dequantized)) await run([join(import.meta.dirname, 'lm-eval', 'dequantize.py'), resolve(model), dequantized], 'dequantizing');
const file = resolve(values.served ?? model);
const server = await serve({ models: [dirname(file)], port: 0, runs: join(out, 'runs'), ...(values.threads ? { threads: Number(values.threads) } : {}) });
const name = basename(file).replace(/\.gguf$/i, '');
/** Each served file has its own folder: results of another one lie beside. */
const servedFolder = `served-${name}`;
const served = `model=${name},base_url=${server.url}/v1/completions,tokenizer=${dequantized},tokenizer_backend=huggingface`;
const servedSeconds = await harness(servedFolder, ['--model', 'local-completions', '--model_args', served]);
await server.close();
const transformersSeconds = values.served ? null : await harness('transformers', ['--model', 'hf', '--model_args', `pretrained=${dequantized},dtype=float32`, '--device', 'cpu', '--batch_size', '8']);
const result = { model: basename(file), served: { seconds: servedSeconds }, transformers: { seconds: transformersSeconds }, ...Object.fromEntries(tasks.map((task) => [task, compared(task)])) };
writeFileSync(join(out, `result-${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
