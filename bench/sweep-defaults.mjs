/**
 * How held-out loss depends on the settings that docs/defaults.md chooses, around what it chooses: learning rate and batch size.
 * Each run stops at its last validation, without proof and samples. CPU-heavy: a run of the packaged model on the packaged data takes
 * about half a minute, a pass of SmolLM2 over 1,600 rows of banking77 two minutes.
 * Usage: node bench/sweep-defaults.mjs DATA VALIDATION MODEL OUT [--rates 0.25,0.5,1,2] [--batches 1,2] [--epochs N] [--precision f32|int8]    (after npm run build)
 * OUT is a new folder; rates and batches are factors on what the rules choose.
 */
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { resolveSettings } from '../dist/settings/load.js';
import { startRun } from '../dist/run/start-run.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rates: { type: 'string', default: '0.25,0.5,1,2' },
    batches: { type: 'string', default: '1,2' },
    epochs: { type: 'string' },
    precision: { type: 'string' },
  },
});
const [data, validation, model, out] = positionals;
if (!out) throw new Error('usage: node bench/sweep-defaults.mjs DATA VALIDATION MODEL OUT');
const factors = (text) => text.split(',').map(Number);

/** Settings as chosen, losses of all validations. */
async function run(name, given) {
  const asked = await resolveSettings([data], { model, validation, run: join(out, name), ...given }, null);
  const handle = startRun(asked);
  let settings = null;
  let steps = Number.POSITIVE_INFINITY;
  const losses = [];
  for await (const event of handle) {
    if (event.type === 'run-start') settings = event.settings;
    if (event.type === 'data-ready') steps = event.steps;
    if (event.type === 'validation') losses.push([event.step, event.loss]);
    if (event.type === 'validation' && event.step === steps) handle.interrupt();
  }
  return { settings, losses };
}

const { epochs: asked, precision } = values;
const common = { ...(asked === undefined ? {} : { epochs: asked }), ...(precision === undefined ? {} : { precision }) };
const show = (name, { settings, losses }) => {
  const { batchSize, epochs: passes, learningRate } = settings;
  const best = Math.min(...losses.slice(1).map(([, loss]) => loss));
  console.log(JSON.stringify({ name, learningRate, batchSize, epochs: passes, before: losses.find(([step]) => step === 0)?.[1], best, last: losses.at(-1)[1] }));
};
const chosen = await run('chosen', common);
show('chosen', chosen);
const { batchSize, epochs: passes, learningRate } = chosen.settings;
for (const factor of factors(values.rates)) {
  if (factor !== 1) show(`rate x ${factor}`, await run(`rate-${factor}`, { ...common, learningRate: learningRate * factor }));
}
// The same number of passes: twice the batch makes half the updates.
for (const factor of factors(values.batches)) {
  if (factor !== 1) show(`batch x ${factor}`, await run(`batch-${factor}`, { ...common, epochs: passes, learningRate, batchSize: batchSize * factor }));
}
process.exit(0);
