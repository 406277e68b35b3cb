/**
 * The contrast: LoRA on a pretrained model, full fine-tuning of it, and training its shape from random weights; same data, same held-out
 * rows, same training time, same trainer.
 * Usage: node bench/compare-scratch.mjs --data TRAIN.jsonl --validation TEST.jsonl --model NAME|FILE.gguf --out DIR
 *   [--minutes 3] [--held-out 100] [--watts 28] [--price-kwh 0.30] [--price-hour 0.10] [--svg FILE] [--markdown FILE]      (after npm run build)
 * Watts: a laptop under load; price per kWh; rental of a 2-core machine per hour. Prices in one currency, whichever it is.
 * The time is that of training steps and their validations; a pilot of 4 steps finds how many steps fit.
 */
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeTrainedModel } from '../dist/adapter/trained-model.js';
import { Random } from '../dist/batches/random.js';
import { exactMatch, wilsonInterval } from '../dist/evaluate/exact-match.js';
import { openGguf } from '../dist/files/gguf/read.js';
import { resolveModel } from '../dist/files/local-models.js';
import { chat, tune } from '../dist/index.js';
import { readModelConfig } from '../dist/models/config.js';
import { readWeights } from '../dist/models/weights.js';

const text = (value) => ({ type: 'string', default: value });
const { values: given } = parseArgs({
  options: {
    data: text(), validation: text(), model: text('smollm2-135m'), out: text(), minutes: text('3'), 'held-out': text('100'), watts: text('28'),
    'price-kwh': text('0.30'), 'price-hour': text('0.10'), svg: text(), markdown: text(),
  },
});
const out = resolve(given.out);
mkdirSync(out, { recursive: true });
const seconds = Number(given.minutes) * 60;
const held = join(out, 'held-out.jsonl');
const heldLines = readFileSync(given.validation, 'utf8').trim().split('\n').slice(0, Number(given['held-out']));
writeFileSync(held, `${heldLines.join('\n')}\n`);
const questions = heldLines.map((line) => {
  const { messages } = JSON.parse(line);
  return { messages: messages.slice(0, -1), expected: messages.at(-1).content };
});
const { path: base } = await resolveModel(given.model);

/** The base's shape and tokenizer with random weights: N(0, 0.02), norms as they are at the start of training (1). */
function randomWeights() {
  const path = join(out, 'random.gguf');
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

const common = { data: given.data, batchSize: 16, shuffle: true, seed: 1, warmupSteps: 5, schedule: 'linear', epochs: 1000 };
const methods = [
  { name: 'LoRA on the pretrained model', options: { model: base, method: 'lora', rank: 8, alpha: 16, learningRate: 1e-3 } },
  { name: 'every weight of the pretrained model', options: { model: base, method: 'full', learningRate: 5e-5 } },
  { name: 'the same shape from random weights', options: { model: randomWeights(), method: 'full', learningRate: 6e-4, weightDecay: 0.1, beta2: 0.95 } },
];

async function events(options) {
  const list = [];
  for await (const event of await tune(options)) {
    list.push({ ...event, at: performance.now() });
    appendFileSync(join(out, 'events.jsonl'), `${JSON.stringify({ run: options.run, ...event })}\n`);
  }
  return list;
}
const stepSeconds = ({ tokens, tokensPerSecond }) => tokens / tokensPerSecond;

const results = [];
for (const [i, { name, options }] of methods.entries()) {
  const run = (kind) => {
    const path = join(out, `${kind}-${i}`);
    rmSync(path, { recursive: true, force: true });
    return path;
  };
  const pilot = (await events({ ...common, ...options, maxSteps: 4, run: run('pilot') })).filter(({ type }) => type === 'step-end');
  const one = pilot.slice(1).reduce((sum, event) => sum + stepSeconds(event), 0) / (pilot.length - 1);
  const steps = Math.max(4, Math.round(seconds / one));
  process.stderr.write(`${name}: ${one.toFixed(2)} s a step, ${steps} steps\n`);
  rmSync(join(out, `pilot-${i}`), { recursive: true, force: true });
  const path = run('run');
  const list = await events({ ...common, ...options, maxSteps: steps, validation: held, validateEvery: Math.ceil(steps / 5), checkpointEvery: steps, run: path });
  let time = 0;
  let tokens = 0;
  const points = [];
  for (const event of list) {
    if (event.type === 'step-end') {
      time += stepSeconds(event);
      tokens += event.tokens;
    } else if (event.type === 'validation') points.push([event.step === 0 ? 0 : time, event.loss]);
  }
  const start = list.find(({ type }) => type === 'run-start');
  const end = list.find(({ type }) => type === 'run-end');
  const model = await chat({ model: path });
  const { right, total } = await exactMatch(model, questions);
  await model.close();
  const result = i === 0 ? join(path, 'adapter', 'adapter_model.safetensors') : join(path, 'model', 'model.gguf');
  results.push({ name, trained: start.trainableParameters, steps, tokens, seconds: time, points, right, total, bytes: statSync(result).size, peak: end.peakMemoryBytes });
  writeFileSync(join(out, 'results.json'), JSON.stringify(results, null, 1));
  process.stderr.write(`${name}: held-out loss ${points.at(-1)[1].toFixed(3)}, ${right} of ${total} right\n`);
}

const percent = (share) => (100 * share).toFixed(0);
const table = [
  '| | parameters trained | steps | tokens | training time | held-out loss | exact answers (95% interval) | file of the result | peak memory | electricity | rental |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
  ...results.map(({ name, trained, steps, tokens, seconds: time, points, right, total, bytes, peak }) => {
    const [low, high] = wilsonInterval(right, total);
    const energy = (time / 3.6e6) * Number(given.watts) * Number(given['price-kwh']);
    return `| ${name} | ${(trained / 1e6).toFixed(1)} M | ${steps} | ${tokens.toLocaleString('en')} | ${(time / 60).toFixed(1)} min | ${points[0][1].toFixed(2)} → ${points.at(-1)[1].toFixed(2)} | ${right} of ${total} (${percent(low)}-${percent(high)}%) | ${(bytes / 1e6).toFixed(0)} MB | ${(peak / 1e9).toFixed(1)} GB | ${energy.toFixed(5)} | ${((time / 3600) * Number(given['price-hour'])).toFixed(4)} |`;
  }),
].join('\n');
console.log(table);
if (given.markdown) writeFileSync(given.markdown, `${table}\n`);

const [width, height, margin] = [720, 340, 46];
const top = Math.max(...results.flatMap(({ points }) => points.map(([, loss]) => loss)));
const right = Math.max(...results.map(({ points }) => points.at(-1)[0]));
const at = ([x, y]) => `${(margin + (x / right) * (width - margin - 16)).toFixed(1)},${(height - 70 - (y / top) * (height - 96)).toFixed(1)}`;
const colours = ['#2a7de1', '#d9480f', '#2b8a3e'];
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui,sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>
<text x="${margin}" y="18">held-out loss (nats per supervised token) against training time (minutes)</text>
<path d="M${margin},26V${height - 70}H${width - 16}" fill="none" stroke="#888"/><text x="4" y="${Number(at([0, top]).split(',')[1]) + 4}">${top.toFixed(1)}</text><text x="24" y="${height - 66}">0</text><text x="${width - 60}" y="${height - 54}">${(right / 60).toFixed(1)} min</text>
${results.map(({ name, points }, i) => `<polyline points="${points.map(at).join(' ')}" fill="none" stroke="${colours[i]}" stroke-width="2.5"/>${points.map((point) => `<circle cx="${at(point).split(',')[0]}" cy="${at(point).split(',')[1]}" r="3.5" fill="${colours[i]}"/>`).join('')}<text x="${margin + i * 225}" y="${height - 24}" fill="${colours[i]}">${name}</text>`).join('\n')}
</svg>
`;
if (given.svg) writeFileSync(given.svg, svg);
