/**
 * Learning from real pairs: accuracy on held-out ones before and after with its interval, what became of both sides, and tokens/s.
 * Usage: node bench/preferences.mjs PAIRS.jsonl[.gz] MODEL.gguf OUT [--pairs 600] [--held-out 200] [--longest CHARACTERS] [--method dpo] [--precision auto] [--learning-rate X] [--seed 0]
 *   (after npm run build)
 * PAIRS: rows of `chosen` and `rejected`, such as HH-RLHF's harmless-base/test.jsonl.gz. The first rows are learnt in one pass, the next held
 * out; `--longest` passes over pairs of which a side is longer. OUT receives train.jsonl, test.jsonl, which other trainers can take, and the run.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { wilsonInterval } from '../dist/evaluate/statistics/proportions.js';
import { tune } from '../dist/index.js';

const text = (value) => ({ type: 'string', ...(value === undefined ? {} : { default: value }) });
const options = { pairs: text('600'), 'held-out': text('200'), longest: text(), method: text('dpo'), precision: text('auto'), 'learning-rate': text(), seed: text('0') };
const { positionals, values } = parseArgs({ allowPositionals: true, options });
const [pairs, model, folder] = positionals;
if (folder === undefined) throw new Error('give PAIRS.jsonl MODEL.gguf OUT');
const out = resolve(folder);
mkdirSync(out, { recursive: true });

const bytes = readFileSync(pairs);
const lines = String(pairs.endsWith('.gz') ? gunzipSync(bytes) : bytes).trim().split('\n');
const longest = Number(values.longest ?? Number.POSITIVE_INFINITY);
const fits = (line) => {
  const { chosen, rejected } = JSON.parse(line);
  return Math.max(chosen.length, rejected.length) <= longest;
};
const [count, heldOut] = [Number(values.pairs), Number(values['held-out'])];
const kept = lines.filter(fits).slice(0, count + heldOut);
if (kept.length < count + heldOut) throw new Error(`${kept.length} pairs are too few for ${count} and ${heldOut}`);
const [data, validation] = [join(out, 'train.jsonl'), join(out, 'test.jsonl')];
writeFileSync(data, `${kept.slice(0, count).join('\n')}\n`);
writeFileSync(validation, `${kept.slice(count).join('\n')}\n`);

const began = performance.now();
const settings = { data, validation, model, method: values.method, precision: values.precision, epochs: 1, seed: Number(values.seed), validateEvery: 1_000_000, safetyShare: 0, ...(values['learning-rate'] === undefined ? {} : { learningRate: Number(values['learning-rate']) }) };
const run = tune({ ...settings, run: join(out, `${values.method}-run`) });
let [tokens, training, learningRate, untilFirst, drift] = [0, 0, 0, 0, null];
const measured = [];
for await (const event of run) {
  if (event.type === 'run-start') learningRate = event.settings.learningRate;
  if (event.type === 'validation') measured.push(event.preference);
  if (event.type === 'answer-drift') drift = event;
  if (event.type !== 'step-end') continue;
  if (event.step === 0) untilFirst = (performance.now() - began) / 1000;
  tokens += event.tokens;
  training += event.tokens / event.tokensPerSecond;
}
const { peakMemoryBytes, state } = await run.result;
const [before, after] = [measured[0], measured.at(-1)];
const interval = after.accuracy === null ? null : wilsonInterval(Math.round(after.accuracy * after.count), after.count);

console.log(JSON.stringify({ method: values.method, state, seed: Number(values.seed), learningRate, pairs: count, accuracy: after.accuracy, interval, before, after, drift, tokensPerSecond: tokens / training, peakMemoryBytes, untilFirstStepSeconds: untilFirst, seconds: (performance.now() - began) / 1000 }));
