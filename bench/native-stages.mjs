/**
 * The stages of a SmolLM2 block around attention by onnxruntime and by our own kernels, int8, 1,024 rows, rank 16, interleaved.
 * node bench/native-stages.mjs [THREADS, default 2] [ROUNDS, default 8]; wants a built dist. Prints milliseconds and the ratio of medians.
 */
import { projections } from '../dist/lora/adapter.js';
import { projectionGroups } from '../dist/models/block-options.js';
import { projectionDimensions } from '../dist/models/config.js';
import { quantizeMatrix } from '../dist/models/quantize.js';
import { nativeStages } from '../dist/runtime/native/block-stages.js';
import { loadKernels } from '../dist/runtime/native/load.js';
import { bytes, floats } from '../dist/runtime/onnxruntime-node/executor.js';
import { openStages } from '../dist/train/stages.js';

const [threads = 2, rounds = 8] = process.argv.slice(2).map(Number);
const rows = 1024;
const rank = 16;
const config = { modelWidth: 576, heads: 9, kvHeads: 3, headDim: 64, feedForward: 1536, layers: 1, vocabulary: 1024, normEpsilon: 1e-5 };
const options = { trainable: 'adapter', precision: 'int8', targets: projections, rank, dropout: false, biases: false, qkNorms: false };

const loaded = loadKernels();
if (!loaded.kernels) {
  console.log(`native-stages: skipped, since ${loaded.reason}`);
  process.exit(0);
}
const native = nativeStages(loaded.kernels, config, options, threads);
const onnxruntime = await openStages(config, options, { threads });

const drawn = (length, size) => Float32Array.from({ length }, () => (Math.random() * 2 - 1) * size);
const inputs = new Map();
const put = (name, shape, size = 1) => inputs.set(name, floats(drawn(shape.reduce((a, b) => a * b), size), shape));
for (const name of ['x', 'o', 'd.y', 'd.q', 'd.through']) put(name, [rows, 576]);
for (const name of ['d.k', 'd.v']) put(name, [rows, 192]);
for (const name of ['cos', 'sin']) put(name, [rows, 32]);
for (const name of ['attn_norm', 'ffn_norm']) put(name, [576]);
for (const [group, members] of Object.entries(projectionGroups)) {
  put(`lora_A.${group}`, [rank * members.length, projectionDimensions(config, members[0]).inFeatures], 0.1);
  for (const projection of members) {
    const { inFeatures, outFeatures } = projectionDimensions(config, projection);
    put(`${projection}.lora_B`, [outFeatures, rank], 0.1);
    const { scale, values } = quantizeMatrix(drawn(outFeatures * inFeatures, 0.05), inFeatures, 127);
    inputs.set(`${projection}.weight`, bytes(values, [inFeatures, outFeatures]));
    inputs.set(`${projection}.scale`, floats(scale, [outFeatures]));
  }
}
const outputs = new Map();
const widths = { q: 576, k: 192, v: 192, y: 576, 'saved.mid': 576, 'saved.gate': 1536, 'saved.up': 1536, 'd.x': 576, 'd.o': 576 };
for (const [name, width] of Object.entries(widths)) outputs.set(name, floats(new Float32Array(rows * width), [rows, width]));
for (const [name, { data, dims }] of inputs) if (name.includes('lora')) outputs.set(`d.${name}`, floats(new Float32Array(data.length), dims));
for (const name of ['saved.mid', 'saved.gate', 'saved.up']) inputs.set(name, outputs.get(name));

const sorted = (times) => [...times].sort((a, b) => a - b);
for (const stage of ['preForward', 'postForward', 'postBackward', 'preBackward']) {
  const times = { onnxruntime: [], native: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, stages] of Object.entries({ onnxruntime, native })) {
      const began = performance.now();
      await stages[stage].run(inputs, outputs);
      times[name].push(performance.now() - began);
    }
  }
  const [a, b] = [sorted(times.onnxruntime), sorted(times.native)];
  const middle = Math.floor(rounds / 2);
  console.log(`${stage}: onnxruntime best ${a[0].toFixed(1)} median ${a[middle].toFixed(1)} ms, native best ${b[0].toFixed(1)} median ${b[middle].toFixed(1)} ms; medians ${(a[middle] / b[middle]).toFixed(2)}, best ${(a[0] / b[0]).toFixed(2)}`);
}
process.exit(0);
