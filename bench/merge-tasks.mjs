/**
 * Two adapters of different tasks on one model, merged by every method, and each asked the held-out questions of both:
 * node bench/merge-tasks.mjs MODEL.gguf BANKING77 SNIPS OUT [--examples 80] [--rows 1600,700] [--only METHOD,...] [--named] [--tune JSON] [--search 40]
 * BANKING77 holds train.csv and test.csv of banking_data, SNIPS the folders of 2017-06-custom-intent-engines. What is in OUT already
 * (data, runs, merges, scores) is not made again, so that an interrupted call goes on. Prints the table as Markdown. `--named` gives each task a
 * system prompt of its own, without which nothing but the question's words tells which labels are wanted; `--tune` has further options of both trainings. `--search`
 * also merges with weights that are looked for on as many other rows of each task, which neither training nor test has: by their loss, and for regmean
 * among a few by the answers to them, too.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluate, mergeAdapters, tune } from '../dist/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { examples: { type: 'string', default: '80' }, rows: { type: 'string', default: '1600,700' }, only: { type: 'string' }, named: { type: 'boolean', default: false }, tune: { type: 'string', default: '{}' }, search: { type: 'string', default: '0' } },
});
const [model, banking, snips, outGiven] = positionals;
const out = resolve(outGiven);
mkdirSync(out, { recursive: true });
const examples = Number(values.examples);
const [bankingRows, snipsRows] = values.rows.split(',').map(Number);

const systemPrompts = { banking77: "Name the intent of the bank customer's question.", snips: 'Name the command that the voice assistant is given.' };
/** As conversations with the task's system prompt. */
const named = (name, rows) =>
  rows.map(({ completion, prompt }) => ({
    messages: [
      { role: 'system', content: systemPrompts[name] },
      { role: 'user', content: prompt },
      { role: 'assistant', content: completion },
    ],
  }));

/** The same order on every machine: a generator of Lehmer's. */
function shuffled(rows) {
  let state = 42;
  const drawn = () => (state = (state * 48271) % 2147483647) / 2147483647;
  return rows.map((row) => [drawn(), row]).sort(([left], [right]) => left - right).map(([, row]) => row);
}

/** Texts in quotes may hold commas and line breaks. */
function csvRows(path) {
  const fields = [...readFileSync(path, 'utf8').matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)];
  const rows = [[]];
  for (const [, quoted, plain, end] of fields) {
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ',') rows.push([]);
  }
  return rows.slice(1).filter((row) => row.length === 2).map(([prompt, completion]) => ({ prompt: prompt.trim(), completion }));
}

function snipsOf(prefix) {
  return readdirSync(snips).flatMap((intent) => {
    const path = join(snips, intent, `${prefix}_${intent}.json`);
    if (!existsSync(path)) return [];
    // Some files are Latin-1: what is no UTF-8 there is of no account here.
    const rows = JSON.parse(readFileSync(path, 'utf8'))[intent];
    return rows.map(({ data }) => ({ prompt: data.map(({ text }) => text).join('').trim(), completion: intent }));
  });
}

function write(name, rows) {
  const path = join(out, `${name}.jsonl`);
  if (!existsSync(path)) writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

const tasks = [
  { name: 'banking77', all: shuffled(csvRows(join(banking, 'train.csv'))), rows: bankingRows, test: shuffled(csvRows(join(banking, 'test.csv'))), epochs: 2 },
  { name: 'snips', all: shuffled(snipsOf('train')), rows: snipsRows, test: shuffled(snipsOf('validate')), epochs: 1 },
].map(({ all, name, rows, test, ...task }) => {
  const asked = (rows) => (values.named ? named(name, rows) : rows);
  return { ...task, name, train: write(`${name}-train`, asked(all.slice(0, rows))), search: write(`${name}-search`, asked(all.slice(rows, rows + Number(values.search)))), test: write(`${name}-test`, asked(test.slice(0, examples))) };
});

for (const { epochs, name, train } of tasks) {
  const run = join(out, name);
  if (existsSync(join(run, 'adapter'))) continue;
  const started = performance.now();
  const running = tune({ model, data: train, run, epochs, rank: 16, ...JSON.parse(values.tune) });
  const { validation } = await running.result;
  console.error(`${name}: trained in ${((performance.now() - started) / 1000).toFixed(0)} s${validation ? `, held-out loss ${validation.after}` : ''}`);
}

/** Of a model on both tasks, in answers out of `examples` that are exactly right. */
const scoresPath = join(out, 'scores.jsonl');
const known = new Map((existsSync(scoresPath) ? readFileSync(scoresPath, 'utf8').trim().split('\n') : []).filter(Boolean).map((line) => { const { key, ...rest } = JSON.parse(line); return [key, rest]; })); // biome-ignore format: one line
async function scored(key, name, further = {}, sets = tasks.map(({ test }) => test)) {
  if (known.has(key)) return known.get(key);
  const right = [];
  for (const data of sets) {
    const { models } = await evaluate({ model: name, data, metric: 'exact', against: [] });
    right.push(models[0].results[0].score);
  }
  const row = { right, ...further };
  known.set(key, row);
  appendFileSync(scoresPath, `${JSON.stringify({ key, ...row })}\n`);
  return row;
}

const paths = tasks.map(({ name }) => join(out, name));
const parents = [];
for (const [i, path] of paths.entries()) parents.push(await scored(tasks[i].name, path));
const base = await scored('base', model);
const kept = ({ right }) => right.map((score, i) => score / parents[i].right[i]);

/** Weights of regmean that are tried by the answers to the search rows, which say more than their loss where answers are short. */
const tried = [[1, 1], [1.05, 1], [1.1, 1], [1, 1.05], [1, 1.1]];
const pathOf = (name) => join(out, name.replace(/[^\w.-]+/g, '-'));

/** Those that keep most of the parent that keeps least, on the search rows. */
async function weightsByAnswers(method) {
  const onSearch = async (key, name, which) => (await scored(`search rows: ${key}`, name, {}, which.map(({ search }) => search))).right;
  const own = [];
  for (const [i, task] of tasks.entries()) own.push(...(await onSearch(task.name, paths[i], [task])));
  let best = { least: -1, weights: tried[0] };
  for (const weights of tried) {
    const name = `${method}, weights ${weights.join(', ')}`;
    if (!existsSync(pathOf(name))) await mergeAdapters(paths, { base: model, method, out: pathOf(name), weights });
    const right = await onSearch(name, `${model}+${pathOf(name)}`, tasks);
    const least = Math.min(...right.map((score, i) => score / own[i]));
    console.error(name, 'on the search rows:', right.join(' '), `of ${own.join(' ')}`);
    if (least > best.least) best = { least, weights };
  }
  return best.weights;
}

/** Each as it is by default, and sums with the adapters as they were trained. */
const ways = [
  ...['regmean', 'ties', 'cat', 'linear', 'svd', 'slerp', 'model-stock', 'magnitude-prune', 'dare', 'dare-ties', 'della', 'breadcrumbs'].map((method) => ({ method })),
  ...['peft-linear', 'peft-ties', 'peft-dare', 'peft-dare-ties', 'peft-magnitude-prune'].map((method) => ({ method })),
  ...['cat', 'svd', 'magnitude-prune', 'dare', 'breadcrumbs', 'peft-linear'].map((method) => ({ method, weights: [1, 1] })),
  ...['ties', 'dare-ties'].map((method) => ({ method, density: 0.2 })),
  ...(values.search === '0' ? [] : ['cat', 'ties', 'regmean'].map((method) => ({ method, search: tasks.map(({ search }) => search) }))),
].filter(({ method }) => !values.only || values.only.split(',').includes(method));
if (values.search !== '0' && ways.some(({ method }) => method === 'regmean')) ways.push({ method: 'regmean', weights: await weightsByAnswers('regmean') });
const rows = [];
for (const { method, ...way } of ways) {
  const name = [method, ...(way.weights ? [`weights ${way.weights.join(', ')}`] : []), ...(way.density ? [`density ${way.density}`] : []), ...(way.search ? ['weights looked for'] : [])].join(', ');
  const path = pathOf(name);
  const started = performance.now();
  const made = existsSync(path) ? null : await mergeAdapters(paths, { base: model, method, out: path, ...way });
  const facts = made ? { weights: made.weights, rank: made.rank, discarded: made.discarded, seconds: (performance.now() - started) / 1000 } : {};
  const row = await scored(name, `${model}+${path}`, facts);
  rows.push({ name, ...row });
  console.error(name, row.right.join(' '), `${((performance.now() - started) / 1000).toFixed(0)} s`);
}

const percent = (share) => (100 * share).toFixed(1);
console.log(`| method | rank | left out | ${tasks.map(({ name }) => name).join(' | ')} | kept of each |\n|---|---|---|---|---|---|`);
for (const [i, { right }] of parents.entries()) console.log(`| the adapter of ${tasks[i].name} | 16 | | ${right.map(percent).join(' | ')} | |`);
console.log(`| the base | | | ${base.right.map(percent).join(' | ')} | |`);
const least = (row) => Math.min(...kept(row));
for (const row of rows.sort((left, right) => least(right) - least(left)))
  console.log(`| ${row.name} | ${row.rank ?? ''} | ${row.discarded === undefined ? '' : `${percent(row.discarded)}%`} | ${row.right.map(percent).join(' | ')} | ${kept(row).map((share) => `${(100 * share).toFixed(0)}%`).join(', ')} |`);
