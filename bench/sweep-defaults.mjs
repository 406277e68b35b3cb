/**
 * How held-out loss depends on the settings that docs/defaults.md chooses, around what it chooses: learning rate and batch size.
 * Each run stops at its last validation, without proof and samples. CPU-heavy: a run of the packaged model on the packaged data takes
 * about half a minute, a pass of SmolLM2 over 1,600 rows of banking77 two minutes.
 * Usage: node bench/sweep-defaults.mjs DATA VALIDATION MODEL OUT [--rates 0.25,0.5,1,2] [--batches 1,2] [--seeds 0] [--epochs N] [--method dpo] [--precision f32|int8]
 *   [--validate-every STEPS]    (after npm run build)
 * OUT is a new folder; rates and batches are factors on what the rules choose, which is itself run first unless 1 is in neither. Of preferences, each line has
 * what became of the held-out pairs: how many the right way round, with Wilson's 95% interval, their margin and the chosen side.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { wilsonInterval } from '../dist/evaluate/statistics/proportions.js';
import { resolveSettings } from '../dist/settings/load.js';
import { startRun } from '../dist/run/start-run.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rates: { type: 'string', default: '0.25,0.5,1,2' },
    batches: { type: 'string', default: '1,2' },
    seeds: { type: 'string', default: '0' },
    epochs: { type: 'string' },
    method: { type: 'string' },
    precision: { type: 'string' },
    'validate-every': { type: 'string' },
  },
});
const [data, validation, model, out] = positionals;
if (!out) throw new Error('usage: node bench/sweep-defaults.mjs DATA VALIDATION MODEL OUT');
const factors = (text) => text.split(',').map(Number);

const { epochs: asked, method, precision, 'validate-every': validateEvery } = values;
const common = Object.fromEntries(Object.entries({ epochs: asked, method, precision, validateEvery }).filter(([, value]) => value !== undefined));

/** Settings as chosen and all validations of a run, which ends at the last of them; of the settings alone where `ends` is before the first step. */
async function run(name, given, ends = 'last-validation') {
  const handle = startRun(await resolveSettings([data], { model, validation, run: join(out, name), ...common, ...given }, null));
  let settings = null;
  let steps = Number.POSITIVE_INFINITY;
  const validations = [];
  for await (const event of handle) {
    if (event.type === 'run-start') settings = event.settings;
    if (event.type === 'data-ready') steps = event.steps;
    if (event.type === 'validation') validations.push(event);
    if (event.type === ends || (event.type === 'validation' && event.step === steps)) handle.interrupt();
  }
  return { settings, validations };
}

/** Of preferences, what became of the held-out pairs. */
const pairsOf = (preference) => {
  if (!preference) return {};
  const { accuracy, chosenLogProbability, count, margin } = preference;
  return { accuracy, interval: wilsonInterval(Math.round(accuracy * count), count), margin, chosenLogProbability };
};
const show = (name, { settings, validations }) => {
  const { batchSize, epochs: passes, learningRate, seed } = settings;
  const best = Math.min(...validations.slice(1).map(({ loss }) => loss));
  const { loss: last, preference } = validations.at(-1);
  console.log(JSON.stringify({ name, learningRate, batchSize, epochs: passes, seed, before: validations.find(({ step }) => step === 0)?.loss, best, last, ...pairsOf(preference) }));
};
const [rates, batches] = [factors(values.rates), factors(values.batches)];
for (const seed of factors(values.seeds)) {
  const named = (name) => (values.seeds === '0' ? name : `${name}-seed-${seed}`);
  const isWanted = rates.includes(1) || batches.includes(1);
  const chosen = await run(named('chosen'), { seed }, isWanted ? 'last-validation' : 'data-ready');
  if (isWanted) show('chosen', chosen);
  const { batchSize, epochs: passes, learningRate } = chosen.settings;
  for (const factor of rates) {
    if (factor !== 1) show(`rate x ${factor}`, await run(named(`rate-${factor}`), { seed, learningRate: learningRate * factor }));
  }
  // The same number of passes: twice the batch makes half the updates.
  for (const factor of batches) {
    if (factor !== 1) show(`batch x ${factor}`, await run(named(`batch-${factor}`), { seed, epochs: passes, learningRate, batchSize: batchSize * factor }));
  }
}
process.exit(0);
