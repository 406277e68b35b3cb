/**
 * What the base's own answers among the training rows keep, and what they cost: drift of the first answer tokens on ordinary requests and refusals
 * kept, against the score on the task, on the same rows with and without.
 * Usage: node bench/keep-alignment.mjs BANKING_DATA OUT [--model FILE.gguf] [--rows 400] [--test 300] [--epochs 1] [--seed 0] [--system TEXT] [VARIANT...]
 *   (after npm run build)
 * BANKING_DATA: the folder with banking77's train.csv and test.csv. Variants: none, mix:SHARE, keep, keep+mix:SHARE; by default none, mix:10%, keep.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shuffled } from '../dist/batches/order.js';
import { check, evaluate, tune } from '../dist/index.js';

const text = (value) => ({ type: 'string', ...(value === undefined ? {} : { default: value }) });
const options = { model: text('nomoat-mini'), rows: text('400'), test: text('300'), epochs: text('1'), seed: text('0'), system: text() };
const { positionals, values } = parseArgs({ allowPositionals: true, options });
const [folder, out, ...given] = positionals;
if (!out) throw new Error('give BANKING_DATA OUT');
const variants = given.length > 0 ? given : ['none', 'mix:10%', 'keep'];
mkdirSync(out, { recursive: true });

/** A text, quoted where it holds commas, and a category. */
function examplesOf(name, count) {
  const lines = readFileSync(join(folder, name), 'utf8').trim().split('\n').slice(1);
  const rows = lines.map((line) => /^(?:"((?:[^"]|"")*)"|([^,]*)),(\w+)\s*$/.exec(line)).filter((row) => row !== null);
  const system = values.system === undefined ? [] : [{ role: 'system', content: values.system }];
  const made = shuffled(rows.length, 0).slice(0, count).map((i) => {
    const [, quoted, plain, category] = rows[i];
    const content = (quoted?.replaceAll('""', '"') ?? plain).trim();
    return { messages: [...system, { role: 'user', content }, { role: 'assistant', content: category }] };
  });
  const path = join(out, name.replace('.csv', '.jsonl'));
  writeFileSync(path, made.map((row) => JSON.stringify(row)).join('\n'));
  return path;
}
const data = examplesOf('train.csv', Number(values.rows));
const test = examplesOf('test.csv', Number(values.test));
const settingsOf = (variant) => Object.fromEntries(variant.split('+').flatMap((part) => (part === 'keep' ? [['keepAlignment', true]] : part === 'none' ? [] : [['mixBase', part.slice('mix:'.length)]])));

for (const variant of variants) {
  const run = join(out, variant.replace(/[^\w]+/g, '-'));
  const began = performance.now();
  let ready = null;
  const running = tune({ data, model: values.model, run, epochs: Number(values.epochs), seed: Number(values.seed), verdictShare: 0, safetyShare: 0, ...settingsOf(variant) });
  for await (const event of running) if (event.type === 'data-ready') ready = event;
  const { state } = await running.result;
  const seconds = (performance.now() - began) / 1000;
  const { drift, refusals } = await check({ model: run, answers: false, limit: 50 });
  const { models } = await evaluate({ model: run, data: test });
  console.log(JSON.stringify({ variant, state, seconds, rows: ready.rows, supervisedTokens: ready.supervisedTokens, drift, scores: models.map(({ name, results: [{ interval, metric, score }] }) => ({ name, metric, score, interval })), refusals: refusals.map(({ against: { difference, interval, outcome }, kind }) => ({ kind, difference, interval, outcome })) }));
}
