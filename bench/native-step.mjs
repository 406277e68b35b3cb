/**
 * Whole training steps of a model in int8 by onnxruntime and by our own kernels, in turns: tokens/s by wall and by processor time (user), and how
 * far apart the two gradients are, relative. On random tokens (--random 4x256), all supervised, and with REFERENCE (bench/README.md) on sixteen
 * of its rows a step, which share their beginning. Both engines stay open, so memory is for `--only`, which takes one of them.
 * node bench/native-step.mjs MODEL.gguf [REFERENCE] [--rounds 5] [--rank 16] [--threads 2] [--random 4x256] [--only native|onnxruntime] [--float32]
 * [--peft PYTHON] [--shape NAME]; wants a built dist. With --float32 also how far each engine's gradients are from exact ones. With --peft PEFT
 * takes its turns on random tokens, in bfloat16, with an adapter of the same rank, on MODEL, or with --shape on random weights of that shape.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packRows, sharedPrefix } from '../dist/batches/pack.js';
import { readExamples } from '../dist/dataset/dataset-files.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { openTokenizer } from '../dist/llama/tokenizer.js';
import { readModelConfig } from '../dist/models/config.js';
import { chatTemplateOf } from '../dist/text/chat-template.js';
import { buildRows } from '../dist/tokens/rows.js';
import { probeKernels, weightLevels } from '../dist/runtime/onnxruntime-node/probe.js';
import { loadKernels } from '../dist/runtime/native/load.js';
import { quantizeModel } from '../dist/train/int8-model.js';
import { createLoraStep } from '../dist/train/open-step.js';
import { freshAdapter } from './fresh-adapter.mjs';
import { openPeft } from './peft/asked.mjs';
import { randomRows } from './random-rows.mjs';
import { relative } from './relative.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    rank: { type: 'string', default: '16' },
    threads: { type: 'string', default: '2' },
    only: { type: 'string' },
    random: { type: 'string', default: '4x256' },
    peft: { type: 'string' },
    shape: { type: 'string' },
    float32: { type: 'boolean', default: false },
  },
});
const [base, reference] = positionals;
const loaded = loadKernels();
if (!loaded.kernels) {
  console.log(`native-step: skipped, since ${loaded.reason}`);
  process.exit(0);
}
const threads = Number(values.threads);
const model = openGguf(base);
const config = readModelConfig(model);
const pack = (rows, prefix = 0) => packRows(rows, { packing: true, microBatchSize: null, maxTokens: 1024, padToken: 0, prefix });

async function referenceRows() {
  const tokenizer = await openTokenizer(base);
  const examples = await readExamples([join(reference, 'train.jsonl')]);
  const options = { template: () => chatTemplateOf(model), tokenizer, sequenceLength: 512, tooLong: 'refuse', supervise: 'answers', specialTokens: 'auto' };
  const { rows } = buildRows(examples.train.slice(0, 96), options);
  await tokenizer.close();
  return rows;
}

function adapter() {
  const fresh = freshAdapter(config, Number(values.rank));
  for (const { b } of fresh.pairs) b.set(b.map((_, i) => Math.sin(i) / 1000));
  return fresh;
}

const levels = weightLevels(await probeKernels(threads));
console.log(JSON.stringify({ levels }));
const ofPeft = ['--random', values.random, '--rank', values.rank, '--threads', values.threads, '--dtype', 'bfloat16'];
/** Loads beside the engines, and then waits. */
const peft = values.peft ? openPeft(values.peft, [...ofPeft, ...(values.shape ? ['--shape', values.shape] : ['--model', base])]) : null;
const steps = {};
for (const engine of ['onnxruntime', 'native']) {
  if (values.only && values.only !== engine) continue;
  const { weights } = await quantizeModel({ model, threads, compared: pack(randomRows(config, values.random).slice(0, 1))[0], levels });
  steps[engine] = await createLoraStep({ model, threads, adapter: adapter(), weights, engine, onEngine: (name) => console.log(JSON.stringify({ engine: name })) });
}

/** Exact gradients, which both engines' are measured by. */
const exact = values.float32 ? await createLoraStep({ model, threads, adapter: adapter() }) : null;

const gradientsOf = ({ parameters }) => parameters.map(({ gradient }) => gradient);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function accumulate(step, batches, supervised) {
  step.clearGradients();
  let loss = 0;
  for (const [i, batch] of batches.entries()) loss += (await step.accumulate([batch], 1 / supervised, [i])).lossSum / supervised;
  return loss;
}

async function measure(name, batches, other = null) {
  const tokens = batches.reduce((sum, { realTokens }) => sum + realTokens, 0);
  const supervised = batches.reduce((sum, { supervisedTokens }) => sum + supervisedTokens, 0);
  const took = {};
  const loss = {};
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [engine, step] of Object.entries(steps)) {
      const [began, used] = [performance.now(), process.cpuUsage()];
      loss[engine] = await accumulate(step, batches, supervised);
      const { user, system } = process.cpuUsage(used);
      // The first warms up.
      if (round > 0) (took[engine] ??= []).push([(performance.now() - began) / 1e3, user / 1e6, system / 1e6]);
    }
    const seconds = await other?.step();
    if (other && round > 0) (took.peft ??= []).push([seconds]);
  }
  for (const [engine, times] of Object.entries(took)) {
    const [wall, user, system] = [0, 1, 2].map((i) => median(times.map((time) => time[i])));
    const memory = engine === 'peft' ? {} : { residentBytes: process.memoryUsage.rss(), peakBytes: process.resourceUsage().maxRSS * 1024 };
    const spread = times.map(([time]) => tokens / time).sort((a, b) => a - b);
    console.log(JSON.stringify({ work: name, engine, tokensPerSecond: tokens / wall, slowest: spread[0], fastest: spread.at(-1), wall, user, system, loss: loss[engine], ...memory }));
  }
  if (exact) {
    loss.float32 = await accumulate(exact, batches, supervised);
    const fromFloat32 = Object.fromEntries(Object.entries(steps).map(([engine, step]) => [engine, distance(step, exact)]));
    console.log(JSON.stringify({ work: name, loss, gradientsFromFloat32: fromFloat32 }));
  }
  if (!steps.native || !steps.onnxruntime) return;
  const ratio = (engine, i) => median(took[engine].map((time, round) => time[i] / took.native[round][i]));
  const overPeft = other ? { peftOverNative: ratio('peft', 0) } : {};
  console.log(JSON.stringify({ work: name, onnxruntimeOverNative: { wall: ratio('onnxruntime', 0), user: ratio('onnxruntime', 1) }, ...overPeft, gradientsApart: distance(steps.native, steps.onnxruntime) }));
}

const distance = (ours, theirs) => relative(gradientsOf(ours), gradientsOf(theirs));

await measure(`packed ${values.random}`, pack(randomRows(config, values.random)), peft);
if (peft) console.log(JSON.stringify(await peft.close()));
if (reference) {
  const rows = await referenceRows();
  const prefix = sharedPrefix(rows);
  await measure(`reference, shared beginning of ${prefix}`, [0, 16, 32].flatMap((first) => pack(rows.slice(first, first + 16), prefix)));
  await measure('reference, rows apart', [0, 16].flatMap((first) => pack(rows.slice(first, first + 16))));
}
process.exit(0);
