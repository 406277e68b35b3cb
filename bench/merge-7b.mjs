/**
 * Two synthetic rank-16 adapters of a 7B model's shape (32 layers, width 4096, feed-forward 11008), merged:
 * node bench/merge-7b.mjs [METHOD] [RANK] [LAYERS]
 * Seconds of reading, merging and writing, and the peak of the process. The base is a GGUF header alone, with no weights.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPeft, writePeft } from '../dist/adapter/peft.js';
import { projections } from '../dist/lora/adapter.js';
import { merged } from '../dist/merge/merge.js';

const [method = 'svd', rank = 'none'] = process.argv.slice(2);
const [layers, width, forward, adapterRank] = [Number(process.argv[4] ?? 32), 4096, 11008, 16];
const dimensions = (projection) =>
  projection === 'down_proj' ? [forward, width] : /^[qkvo]/.test(projection) ? [width, width] : [width, forward];

function synthetic(seed) {
  let state = seed;
  const drawn = (length) =>
    Float32Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state / 2 ** 32 - 0.5) * 0.02;
    });
  const pairs = Array.from({ length: layers }, (_, layer) =>
    projections.map((projection) => {
      const [inFeatures, outFeatures] = dimensions(projection);
      return { layer, projection, rank: adapterRank, alpha: 32, a: drawn(adapterRank * inFeatures), b: drawn(outFeatures * adapterRank), inFeatures, outFeatures };
    }),
  ).flat();
  return { rslora: false, dropout: 0, baseModel: 'synthetic', pairs };
}

const folder = mkdtempSync(join(tmpdir(), 'nomoat-merge-7b-'));
try {
  const paths = ['a', 'b'].map((name) => join(folder, name));
  paths.forEach((path, i) => writePeft(path, synthetic(i + 1)));
  const start = performance.now();
  const before = process.cpuUsage();
  const adapters = paths.map((path) => readPeft(path));
  const read = performance.now();
  const { adapter, energy } = await merged(adapters, {
    method,
    weights: [0.5, 0.5],
    density: 0.5,
    rank: rank === 'none' ? null : Number(rank),
    seed: 0,
  });
  const done = performance.now();
  writePeft(join(folder, 'out'), adapter);
  const end = performance.now();
  const { user, system } = process.cpuUsage(before);
  const seconds = (from, to) => ((to - from) / 1000).toFixed(1);
  const bytes = statSync(join(folder, 'out/adapter_model.safetensors')).size;
  console.log(`${method}, rank ${adapter.pairs[0].rank}: read ${seconds(start, read)} s, merged ${seconds(read, done)} s, written ${seconds(done, end)} s (${(bytes / 1e6).toFixed(0)} MB), together ${seconds(start, end)} s, of processors ${((user + system) / 1e6).toFixed(1)} s; peak ${(process.resourceUsage().maxRSS / 1e6).toFixed(2)} GB; discarded ${((100 * energy.discarded) / energy.total).toFixed(2)}%`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
