/**
 * Plans beside what the runs then took: six short runs of one model on one data set, in both precisions and several micro-batches.
 * Usage: node bench/plan-against-actual.mjs DATA MODEL OUT [--steps N] [--few] [--engine auto]    (after npm run build; OUT is a new folder; --few: two of the six)
 * Wants a quiet machine: a plan says what the machine can do while the plan is made, a run what it did later.
 */
import { parseArgs } from 'node:util';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveSettings } from '../dist/settings/load.js';
import { startRun } from '../dist/run/start-run.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { steps: { type: 'string', default: '20' }, few: { type: 'boolean' }, engine: { type: 'string', default: 'auto' } } });
const [data, model, out] = positionals;
if (!out) throw new Error('usage: node bench/plan-against-actual.mjs DATA MODEL OUT [--steps N]');

const cases = {
  'int8': { precision: 'int8' },
  'int8, 4 rows at once': { precision: 'int8', microBatchSize: 4 },
  'int8, batches of 64': { precision: 'int8', batchSize: 64 },
  'int8, rank 32, every token': { precision: 'int8', rank: 32, supervise: 'all' },
  'float32': { precision: 'f32' },
  'float32, q and v only, 4 rows at once': { precision: 'f32', targetModules: 'q_proj,v_proj', microBatchSize: 4 },
};
const tokens = (x) => x.toFixed(0);
const texts = { firstStepSeconds: (x) => `${x.toFixed(1)} s`, seconds: (x) => `${x.toFixed(0)} s`, tokensPerSecond: tokens, peakMemoryBytes: (x) => `${(x / 1e9).toFixed(2)} GB` };

console.log('| run | first step | whole run | tokens/s | peak memory |\n|---|---|---|---|---|');
for (const [name, given] of Object.entries(cases).slice(values.few ? -2 : 0)) {
  const run = join(out, name.replace(/\W+/g, '-'));
  const settings = await resolveSettings([data], { model, validation: '0.05', maxSteps: values.steps, engine: values.engine, ...given, run }, null);
  for await (const event of startRun(settings)) if (event.type === 'notice') process.stderr.write(`${event.message}\n`);
  const { plannedAndActual } = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8'));
  const cell = ({ actual, planned, what }) => `${texts[what](planned)} / ${texts[what](actual)} (${((100 * (planned - actual)) / actual).toFixed(0)}%)`;
  const { engine } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
  console.log(`| ${name}, ${engine} | ${plannedAndActual.map(cell).join(' | ')} |`);
}
process.exit(0);
