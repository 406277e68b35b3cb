/**
 * One optimizer step's forward and backward on a model of any size with random int8 blocks: tokens per second and peak memory, with the blocks
 * in memory or streamed from the disk. Only the speed and the memory of the shape are real: the blocks are copies of one random block.
 * Usage: node bench/large-step.mjs MODEL.gguf keep|float16|recompute|stream [ROWS] [TOKENS] [RANK] [THREADS] [ROUNDS] [ENGINE]    (after npm run build)
 * Rows are packed into micro-batches as in a run. MODEL.gguf gives configuration and embeddings (bench/synthetic-model.mjs). stream writes the blocks to a temporary file, 6.5 GB for 7B.
 * ENGINE is that of `tune`: auto (the default), onnxruntime or native.
 * Prints a JSON line with the quickest of ROUNDS (default 2) steps; the first one warms up. `limit` is the best rate of the engine's int8 product alone, before and after
 * the steps, on 512 rows through the model's gate projection, in operations (two a multiplication) per second; `share` is what the step's int8 products reach of it,
 * `shareWithRecomputed` the same with those that are computed again counted twice.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packRows } from '../dist/batches/pack.js';
import { int8Limit } from './int8-limit.mjs';
import { openGguf } from '../dist/formats/gguf/read.js';
import { projections } from '../dist/lora/adapter.js';
import { projectionGroups } from '../dist/models/block-options.js';
import { projectionDimensions, projectionWeights, readModelConfig } from '../dist/models/config.js';
import { emptyMatrix } from '../dist/models/quantize.js';
import { memoryStore } from '../dist/train/base-weights.js';
import { diskStore } from '../dist/train/disk-store.js';
import { createLoraStep } from '../dist/train/open-step.js';
import { microBatchTokens } from '../dist/train/pack-options.js';
import { freshAdapter } from './fresh-adapter.mjs';

const [path, holding, count = 1, length = 512, rank = 16, threads = 2, rounds = 2, engine = 'auto'] = process.argv.slice(2);
const model = openGguf(path);
const config = readModelConfig(model);
/** Values of a normal distribution at these levels have weights of about N(0, 0.02) with this scale. */
const scale = 0.02 / 30;
function randomMatrix(inFeatures, outFeatures) {
  const matrix = emptyMatrix(inFeatures, outFeatures);
  let seed = inFeatures * 31 + outFeatures;
  for (let i = 0; i < matrix.values.length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    matrix.values[i] = (seed >> 24) >> 1;
  }
  matrix.scale.fill(scale);
  return matrix;
}
const folder = mkdtempSync(join(tmpdir(), 'nomoat-large-'));
const store = holding === 'stream' ? diskStore(join(folder, 'layers')) : memoryStore();
const block = projections.map((name) => {
  const { inFeatures, outFeatures } = projectionDimensions(config, name);
  return [name, randomMatrix(inFeatures, outFeatures)];
});
const ones = () => new Float32Array(config.modelWidth).fill(1);
for (let layer = 0; layer < config.layers; layer++) {
  const copied = holding === 'stream' ? block : block.map(([name, m]) => [name, { ...m, values: m.values.slice() }]);
  store.add({ matrices: new Map(copied), vectors: new Map([['attn_norm', ones()], ['ffn_norm', ones()]]) });
}
const weights = store.finish(model, config, { norm: ones(), output: randomMatrix(config.modelWidth, config.vocabulary) });
const adapter = freshAdapter(config, Number(rank));
const activations = holding === 'stream' ? 'recompute' : holding;
const step = await createLoraStep({ model, adapter, threads: Number(threads), weights, activations, engine, onEngine: (name, message) => message && console.error(message) });
const tokens = Number(length);
const row = { tokens: Int32Array.from({ length: tokens }, (_, i) => (i * 97) % Math.min(2000, config.vocabulary)), supervised: new Uint8Array(tokens).fill(1) };
const batches = packRows(Array.from({ length: Number(count) }, () => row), { packing: true, microBatchSize: null, maxTokens: microBatchTokens, padToken: 0 });
const limitNow = () => int8Limit(512, config.modelWidth, config.feedForward, Number(threads));
const limitBefore = await limitNow();
const seconds = [];
for (let round = 0; round < Number(rounds); round++) {
  const start = performance.now();
  if (step.together) await step.accumulate(batches, 1 / tokens, batches.map((_, i) => i));
  else for (const batch of batches) await step.accumulate([batch], 1 / tokens, [0]);
  seconds.push((performance.now() - start) / 1000);
}
/** Operations of the step's int8 products: both directions of every projection (but into the first block's input) and of the head. */
const blocks = projectionWeights(config);
const sizes = projectionGroups.pre.map((name) => projectionDimensions(config, name));
const entry = sizes.reduce((sum, { inFeatures, outFeatures }) => sum + inFeatures * outFeatures, 0);
const products = tokens * (2 * blocks - entry) + (tokens - 1) * 2 * config.modelWidth * config.vocabulary;
const operations = 2 * Number(count) * products;
const again = activations !== 'recompute' ? 0 : 2 * Number(count) * tokens * blocks;
const quickest = Math.min(...seconds);
const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
const result = { holding, engine, rows: Number(count), tokens, rank: Number(rank), seconds, tokensPerSecond: (tokens * Number(count)) / quickest, peakMemoryBytes, residentBytes: process.memoryUsage.rss() };
await step.close();
const limit = Math.max(limitBefore, await limitNow());
console.log(JSON.stringify({ ...result, operations, limit, share: operations / quickest / limit, shareWithRecomputed: (operations + again) / quickest / limit }));
rmSync(folder, { recursive: true, force: true });
process.exit(0);
