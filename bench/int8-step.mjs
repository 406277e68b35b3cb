/**
 * The int8 step beside the float32 step on the same rows: tokens per second, divergence of the base, and how far the gradients are apart.
 * Usage: node bench/int8-step.mjs BASE.gguf ROWS.jsonl ADAPTER|- [THREADS] [MICRO_BATCH_TOKENS]     (after npm run build)
 * ROWS.jsonl: `nomoat preview DATA --model BASE.gguf --rows 200 --json`. ADAPTER: where the gradients are compared, a PEFT folder or file; best one
 * that was trained a little, because at the start every second gradient is zero; with - a fresh one whose B is not zero. Prints JSON lines. Each
 * speed is the median of three passes after one that warms up; `spread` is half the distance of the slowest from the quickest, as a share.
 * Rows share their common beginning, as in a run, unless the name says otherwise; tokens are those of the rows, computed or shared.
 */
import { readFileSync } from 'node:fs';
import { readEvenAdapter } from '../dist/adapter/read-adapter.js';
import { readModelConfig } from '../dist/models/config.js';
import { packRows, sharedPrefix } from '../dist/batches/pack.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { probeKernels, weightLevels } from '../dist/runtime/onnxruntime-node/probe.js';
import { quantizeModel } from '../dist/train/int8-model.js';
import { createLoraStep } from '../dist/train/open-step.js';
import { freshAdapter } from './fresh-adapter.mjs';
import { relative } from './relative.mjs';

const [base, rowsPath, adapterPath, threads = 2, tokens = 512] = process.argv.slice(2);
const model = openGguf(base);
const rows = readFileSync(rowsPath, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter(({ type }) => type === 'row')
  .map((row) => ({ tokens: Int32Array.from(row.tokens), supervised: Uint8Array.from(row.supervised) }));
const pack = (some, { maxTokens = Number(tokens), prefix = 0 }) => packRows(some, { packing: true, microBatchSize: null, maxTokens, padToken: 0, prefix });
const options = { model, threads: Number(threads) };
function adapter() {
  if (adapterPath !== '-') return { ...readEvenAdapter(adapterPath, model, { alpha: 16, rslora: false, baseModel: 'bench' }), dropout: 0 };
  const fresh = freshAdapter(readModelConfig(model), 8);
  for (const { b } of fresh.pairs) b.set(b.map((_, i) => Math.sin(i) / 100));
  return fresh;
}

const kernels = await probeKernels(options.threads);
const started = performance.now();
const compared = pack(rows.slice(6, 12), { maxTokens: 1e9 })[0];
const { weights, divergence } = await quantizeModel({ ...options, compared, levels: weightLevels(kernels) });
console.log(JSON.stringify({ kernels, divergence, quantizeSeconds: (performance.now() - started) / 1000 }));

async function measure(name, more, prefix = sharedPrefix(rows)) {
  const step = await createLoraStep({ ...options, adapter: adapter(), ...more });
  const batches = pack(rows.slice(12, 60), { prefix });
  const supervised = batches.reduce((sum, batch) => sum + batch.supervisedTokens, 0);
  const times = [];
  let loss = 0;
  for (let round = 0; round <= 3; round++) {
    step.clearGradients();
    loss = 0;
    const start = performance.now();
    for (const [i, batch] of batches.entries()) loss += (await step.accumulate([batch], 1 / supervised, [i])).lossSum;
    if (round > 0) times.push((performance.now() - start) / 1000);
  }
  const gradients = step.parameters.map(({ gradient }) => gradient.slice());
  const [quickest, median, slowest] = times.sort((a, b) => a - b);
  const tokensPerSecond = batches.reduce((sum, batch) => sum + batch.realTokens, 0) / median;
  console.log(JSON.stringify({ name, prefix, tokensPerSecond, spread: (slowest - quickest) / median / 2, loss: loss / supervised, residentBytes: process.memoryUsage.rss() }));
  if (!more.weights) await step.close();
  return gradients;
}
const int8 = await measure('int8', { weights });
await measure('int8, activations as float16', { weights, activations: 'float16' });
await measure('int8, activations recomputed', { weights, activations: 'recompute' });
await measure('int8, rows by themselves', { weights }, 0);
await measure('float32, rows by themselves', {}, 0);
const float32 = await measure('float32', {});
console.log(JSON.stringify({ gradientDifference: relative(int8, float32) }));
process.exit(0);
