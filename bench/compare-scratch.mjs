/**
 * The contrast: LoRA on a pretrained model, full fine-tuning of it, and training its shape from random weights; same data, same held-out
 * rows, same training time, same trainer.
 * Usage: node bench/compare-scratch.mjs --data TRAIN --validation TEST --model NAME|FILE.gguf --out DIR      (after npm run build)
 *   [--prompt-column NAME --completion-column NAME] [--method lora|full|scratch|none] [--minutes 5] [--held-out 200] [--threads N]
 *   [--watts 28] [--price-kwh 0.30] [--price-hour 0.10] [--svg FILE]
 * Without --method all three run, one after the other; single ones add to DIR/results.json, and the table and the picture are made of
 * what stands there (`none` only makes these). TEST's rows are drawn with a seed.
 * Watts: a laptop under load; price per kWh; rental of a 2-core machine per hour. Prices in one currency, whichever it is.
 * The time is that of training steps alone: a pilot of some steps finds how many fit. Validation, checkpoints and proofs come on top.
 * Score: answers that greedy decoding gives exactly, by llama.cpp with the exported result. Learning rates are usual ones, not swept.
 */
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { llamaLogProbabilities } from '../dist/llama/log-probabilities.js';
import { writeTrainedModel } from '../dist/adapter/trained-model.js';
import { shuffled } from '../dist/batches/order.js';
import { Random } from '../dist/batches/random.js';
import { wilsonInterval } from '../dist/evaluate/statistics/proportions.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { resolveModel } from '../dist/store/local-models.js';
import { tune } from '../dist/index.js';
import { readExamples } from '../dist/dataset/dataset-files.js';
import { physicalCores } from '../dist/machine/machine.js';
import { openMethod } from '../dist/run/methods.js';
import { RunFolder } from '../dist/run/run-folder.js';
import { readModelConfig } from '../dist/models/config.js';
import { readWeights } from '../dist/models/weights.js';
import { chatTemplateOf } from '../dist/text/chat-template.js';
import { openTokenizer } from '../dist/llama/tokenizer.js';
import { buildRows } from '../dist/tokens/rows.js';
import { loadParameters } from '../dist/train/checkpoint.js';

const text = (value) => ({ type: 'string', default: value });
const { values: given } = parseArgs({
  options: {
    data: text(), validation: text(), model: text('smollm2-135m'), out: text(), minutes: text('5'), 'held-out': text('200'), threads: text(),
    'prompt-column': text(), 'completion-column': text(), method: text(), watts: text('28'), 'price-kwh': text('0.30'), 'price-hour': text('0.10'), svg: text(),
  },
});
const out = resolve(given.out);
mkdirSync(out, { recursive: true });
const budget = Number(given.minutes) * 60;
const threads = given.threads ? Number(given.threads) : physicalCores();
const columns = { promptColumn: given['prompt-column'] ?? null, completionColumn: given['completion-column'] ?? null };
/** Where on the way the loss and the score are taken. */
const measurements = 4;
const pilotSteps = 4;

/** Examples as JSONL, whatever format they came in. */
function writeRows(name, examples) {
  const path = join(out, name);
  const lines = examples.map((e) => JSON.stringify(e.kind === 'chat' ? { messages: e.messages } : { prompt: e.prompt, completion: e.completion }));
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

async function drawHeldOut() {
  const examples = (await readExamples([given.validation], columns)).train;
  return writeRows('held-out.jsonl', shuffled(examples.length, 1).slice(0, Number(given['held-out'])).map((i) => examples[i]));
}

async function heldOutRows(path, modelPath) {
  const model = openGguf(modelPath);
  const tokenizer = await openTokenizer(modelPath);
  const options = { template: () => chatTemplateOf(model), tokenizer, sequenceLength: 512, tooLong: 'refuse', supervise: 'answers', specialTokens: 'auto' };
  const { rows } = buildRows((await readExamples([path])).train, options);
  await tokenizer.close();
  model.close();
  return rows;
}

/** The base's shape and tokenizer with random weights: N(0, 0.02), norms as they are at the start of training (1). */
function randomWeights(base) {
  const path = join(out, 'random.gguf');
  if (existsSync(path)) return path;
  const model = openGguf(base);
  const weights = readWeights(model, readModelConfig(model));
  const random = new Random(0);
  const fill = (values, isNorm) => {
    for (let i = 0; i < values.length; i++) values[i] = isNorm ? 1 : 0.02 * Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  };
  fill(weights.embedding, false);
  if (weights.output !== weights.embedding) fill(weights.output, false);
  fill(weights.outputNorm, true);
  for (const layer of weights.layers) for (const [name, values] of layer) fill(values, /norm/.test(name));
  writeTrainedModel({ path, model, weights, type: 'F16', overwrite: true });
  model.close();
  return path;
}

const common = { batchSize: 16, shuffle: true, seed: 1, warmupSteps: 5, schedule: 'linear', epochs: 1000, threads };
const methods = {
  lora: { name: 'LoRA', options: (base) => ({ model: base, method: 'lora', rank: 8, alpha: 16, learningRate: 1e-3 }) },
  full: { name: 'every weight', options: (base) => ({ model: base, method: 'full', learningRate: 5e-5 }) },
  scratch: {
    name: 'from random weights',
    options: (base) => ({ model: randomWeights(base), method: 'full', learningRate: 6e-4, weightDecay: 0.1, beta2: 0.95 }),
  },
};

const freshRun = (name) => {
  const path = join(out, name);
  rmSync(path, { recursive: true, force: true });
  return path;
};
const stepSeconds = ({ tokens, tokensPerSecond }) => tokens / tokensPerSecond;

/** Seconds of a step, from a run that is interrupted. */
async function pilot(options) {
  const abort = new AbortController();
  const steps = [];
  const run = freshRun('pilot');
  for await (const event of await tune({ ...options, maxSteps: 1000, checkpointEvery: 1000, run, signal: abort.signal })) {
    if (event.type === 'step-end') steps.push(stepSeconds(event));
    if (steps.length === pilotSteps) abort.abort();
  }
  rmSync(run, { recursive: true });
  return steps.slice(1).reduce((sum, seconds) => sum + seconds, 0) / (steps.length - 1);
}

/** Trains for the budget; the parameters at each validation are kept in `kept`. */
async function train(options, run, kept, held) {
  const steps = Math.max(measurements, Math.round(budget / (await pilot(options))));
  process.stderr.write(`${steps} steps\n`);
  const points = [];
  let [seconds, tokens, start, end] = [0, 0, null, null];
  for await (const event of await tune({ ...options, maxSteps: steps, validation: held, validateEvery: Math.ceil(steps / measurements), checkpointEvery: steps, run })) {
    appendFileSync(join(out, 'events.jsonl'), `${JSON.stringify({ run: basename(run), ...event })}\n`);
    if (event.type === 'run-start') start = event;
    if (event.type === 'run-end') end = event;
    if (event.type === 'step-end') [seconds, tokens] = [seconds + stepSeconds(event), tokens + event.tokens];
    if (event.type === 'validation') points.push({ step: event.step, seconds: event.step === 0 ? 0 : seconds, loss: event.loss });
    if (event.type === 'checkpoint-saved') cpSync(join(event.path, 'parameters.safetensors'), join(kept, basename(event.path), 'parameters.safetensors'));
  }
  return { trained: start.trainableParameters, steps, seconds, tokens, points, peak: end.peakMemoryBytes, wholeSeconds: end.seconds };
}

/** Exact answers at each point, by llama.cpp with what the run would have exported there. */
async function score(run, kept, points, rows) {
  const folder = new RunFolder(run);
  const { settings } = folder.read();
  const model = openGguf(settings.modelPath);
  const exact = async (runnable) =>
    (await llamaLogProbabilities({ ...runnable, rows, threads })).filter(({ mostLikely }) => mostLikely.every(Boolean)).length;
  const method = await openMethod({ settings, folder, model, frozen: null, threads });
  const state = { step: 0, validationBefore: null, bestLoss: null, bestStep: null, withoutImprovement: 0, seconds: 0 };
  for (const point of points) {
    if (point.step > 0) {
      loadParameters(kept, point.step, method.step.parameters);
      method.write({ ...state, step: point.step });
    }
    point.right = await exact(point.step > 0 ? method.after : method.before);
    process.stderr.write(`step ${point.step}, ${(point.seconds / 60).toFixed(1)} min: held-out loss ${point.loss.toFixed(3)}, ${point.right} of ${rows.length} right\n`);
  }
  await method.step.close();
  model.close();
  return statSync(settings.method === 'lora' ? join(folder.adapter, 'adapter_model.safetensors') : method.after.modelPath).size;
}

const resultsPath = join(out, 'results.json');
const results = existsSync(resultsPath) ? JSON.parse(readFileSync(resultsPath, 'utf8')) : {};
for (const key of given.method ? [given.method].filter((name) => name !== 'none') : Object.keys(methods)) {
  const { path: base } = await resolveModel(given.model);
  const data = writeRows('train.jsonl', (await readExamples([given.data], columns)).train);
  const held = await drawHeldOut();
  const { name, options } = methods[key];
  process.stderr.write(`${name}: `);
  const run = freshRun(`run-${key}`);
  const kept = freshRun(`kept-${key}`);
  const trained = await train({ ...common, ...options(base), data }, run, kept, held);
  const rows = await heldOutRows(held, base);
  const bytes = await score(run, kept, trained.points, rows);
  rmSync(kept, { recursive: true });
  results[key] = { name, ...trained, total: rows.length, bytes };
  writeFileSync(resultsPath, `${JSON.stringify(results, null, 1)}\n`);
}

const list = Object.keys(methods).flatMap((key) => (results[key] ? { ...results[key], name: methods[key].name } : []));
const percent = (share) => (100 * share).toFixed(0);
console.log('| | trained | steps | tokens | training time | held-out loss | exact answers (95% interval) | result | peak memory | electricity | rental |');
console.log('|---|---|---|---|---|---|---|---|---|---|---|');
for (const { name, trained, steps, tokens, seconds, points, total, bytes, peak } of list) {
  const last = points.at(-1);
  const [low, high] = wilsonInterval(last.right, total);
  const energy = (seconds / 3.6e6) * Number(given.watts) * Number(given['price-kwh']);
  const rental = (seconds / 3600) * Number(given['price-hour']);
  console.log(
    `| ${name} | ${(trained / 1e6).toFixed(1)} M | ${steps} | ${tokens.toLocaleString('en')} | ${(seconds / 60).toFixed(1)} min | ${points[0].loss.toFixed(2)} → ${last.loss.toFixed(2)} | ${points[0].right} → ${last.right} of ${total} (${percent(low)}-${percent(high)}%) | ${(bytes / 1e6).toFixed(0)} MB | ${(peak / 1e9).toFixed(1)} GB | ${energy.toFixed(4)} | ${rental.toFixed(4)} |`,
  );
}

/** Two panels beside each other, on a light card: readable wherever it is shown. */
function picture() {
  const [width, height, left, top, bottom] = [380, 230, 44, 40, 26];
  const minutes = Math.max(...list.map(({ points }) => points.at(-1).seconds)) / 60;
  const colours = ['#1c6dd0', '#c2410c', '#2b7a3d'];
  const panel = (title, x0, most, valueOf, label) => {
    const at = (point, result) => [
      x0 + left + (point.seconds / 60 / minutes) * (width - left - 14),
      height - bottom - (valueOf(point, result) / most) * (height - top - bottom),
    ].map((value) => value.toFixed(1));
    const lines = list.map((result, i) => {
      const places = result.points.map((point) => at(point, result));
      const dots = places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${colours[i]}"/>`).join('');
      return `<polyline points="${places.map((place) => place.join()).join(' ')}" fill="none" stroke="${colours[i]}" stroke-width="2.5"/>${dots}`;
    });
    return `<text x="${x0 + left}" y="24" font-weight="600">${title}</text><path d="M${x0 + left},${top - 6}V${height - bottom}H${x0 + width - 8}" fill="none" stroke="#999"/>
<text x="${x0 + left - 6}" y="${top + 4}" text-anchor="end">${label(most)}</text><text x="${x0 + left - 6}" y="${height - bottom + 4}" text-anchor="end">0</text><text x="${x0 + width - 8}" y="${height - 9}" text-anchor="end">${minutes.toFixed(1)} min</text>
${lines.join('\n')}`;
  };
  const highest = Math.ceil(Math.max(...list.flatMap(({ points }) => points.map(({ loss }) => loss))));
  const best = Math.max(0.1, ...list.flatMap(({ points, total }) => points.map(({ right }) => right / total)));
  const share = Math.ceil(best * 10) / 10;
  const legend = list.map(({ name }, i) => `<circle cx="${50 + i * 200}" cy="248" r="5" fill="${colours[i]}"/><text x="${62 + i * 200}" y="252">${name}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * width} 268" font-family="system-ui,sans-serif" font-size="13" fill="#222"><rect width="100%" height="100%" rx="8" fill="#fff"/>
${panel('held-out loss, nats per answer token', 0, highest, ({ loss }) => loss, String)}
${panel('exact answers, held out', width, share, ({ right }, { total }) => right / total, (value) => `${percent(value)}%`)}
${legend.join('\n')}
</svg>
`;
}
if (given.svg && list.length > 0) {
  mkdirSync(dirname(resolve(given.svg)), { recursive: true });
  writeFileSync(given.svg, picture());
}
process.exit(0);
