/**
 * How a step's time and memory grow with context (128 to 4096, the tokens of a step fixed) and with depth (2 to 32 blocks, everything else fixed).
 * Usage: node bench/growth.mjs MODEL.gguf OUT [--tokens 4096] [--repeat 3] [--precision f32|int8] [--contexts 128,256,...] [--depths 2,4,...] [--threads 2]    (after npm run build)
 * MODEL gives the shape; its blocks are random, as many as are asked for. Every point is a process of its own, so that its peak is its own.
 * Writes OUT.md (medians with their spread, beside what docs/plan.md's formula says of memory) and OUT.svg. A line of time = a + b x is laid through
 * the first and the last point: what lies off it is a cliff.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openGguf } from '../dist/formats/gguf/read.js';
import { memoryOf } from '../dist/plan/memory.js';
import { projections } from '../dist/lora/adapter.js';
import { projectionDimensions, readModelConfig } from '../dist/models/config.js';
import { emptyMatrix } from '../dist/models/quantize.js';
import { memoryStore, shapeOf } from '../dist/train/base-weights.js';
import { createLoraStep } from '../dist/train/open-step.js';
import { floats } from '../dist/runtime/onnxruntime-node/executor.js';
import { freshAdapter } from './fresh-adapter.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    tokens: { type: 'string', default: '4096' },
    repeat: { type: 'string', default: '3' },
    precision: { type: 'string', default: 'f32' },
    contexts: { type: 'string', default: '128,256,512,1024,2048,4096' },
    depths: { type: 'string', default: '2,4,8,16,32' },
    threads: { type: 'string', default: '2' },
    point: { type: 'string' },
  },
});
const [path, out] = positionals;
if (!path || (!out && !values.point)) throw new Error('usage: node bench/growth.mjs MODEL.gguf OUT');
const model = openGguf(path);
const full = readModelConfig(model);
const rank = 8;
/** Of a micro-batch, unless a row is longer: what the trainer takes. */
const microBatchTokens = 512;
/** Depth at which the context grows, and context at which the depth grows. */
const [fixedDepth, fixedContext] = [8, 512];

/** Random weights, one block's in all blocks, yet each block with memory of its own. */
function randomWeights(config) {
  const random = (length, factor) => {
    let seed = length;
    return (array) => {
      for (let i = 0; i < length; i++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
        array[i] = (seed >> 24) * factor;
      }
      return array;
    };
  };
  const ones = () => new Float32Array(config.modelWidth).fill(1);
  const sizes = projections.map((name) => [name, projectionDimensions(config, name)]);
  if (values.precision === 'int8') {
    const store = memoryStore();
    const matrix = ({ inFeatures, outFeatures }) => {
      const made = emptyMatrix(inFeatures, outFeatures);
      random(inFeatures * outFeatures, 0.5)(made.values);
      made.scale.fill(0.02 / 30);
      return made;
    };
    for (let layer = 0; layer < config.layers; layer++) {
      const matrices = new Map(sizes.map(([name, size]) => [name, matrix(size)]));
      store.add({ matrices, vectors: new Map([['attn_norm', ones()], ['ffn_norm', ones()]]) });
    }
    const output = matrix({ inFeatures: config.modelWidth, outFeatures: config.vocabulary });
    return store.finish(model, config, { norm: ones(), output });
  }
  const layers = Array.from({ length: config.layers }, () => {
    const named = [['attn_norm', ones()], ['ffn_norm', ones()]];
    for (const [name, { inFeatures, outFeatures }] of sizes) {
      const count = inFeatures * outFeatures;
      named.push([`${name}.weight`, random(count, 0.0003)(new Float32Array(count))]);
    }
    return new Map(named.map(([name, array]) => [name, floats(array, shapeOf(config, name, array))]));
  });
  const width = config.modelWidth;
  const output = random(config.vocabulary * width, 0.0003)(new Float32Array(config.vocabulary * width));
  return {
    precision: 'f32', streamed: false, biases: false, qkNorms: false, ropeFactors: null,
    embed: (tokens, out) => tokens.forEach((token, n) => out.set(output.subarray(token * width, (token + 1) * width), n * width)),
    layer: (layer) => layers[layer],
    head: new Map([['output_norm', floats(ones(), [width])], ['output', floats(output, [config.vocabulary, width])]]),
    close() {},
  };
}

async function measurePoint({ context, depth }) {
  const config = { ...full, layers: depth };
  const held = process.memoryUsage.rss();
  const weights = randomWeights(config);
  const dimensions = (projection) => projectionDimensions(config, projection);
  const adapter = freshAdapter(config, rank);
  // A step of a model with as many blocks as were made: the file's own number is overruled, and each is declared like the first.
  const tensors = new Map([...model.tensors].flatMap(([name, tensor]) => {
    if (!name.startsWith('blk.')) return [[name, tensor]];
    return name.startsWith('blk.0.') ? Array.from({ length: depth }, (_, i) => [name.replace('blk.0.', `blk.${i}.`), tensor]) : [];
  }));
  const shaped = { ...model, tensors, number: (key) => (key.endsWith('.block_count') ? depth : model.number(key)), string: (key) => model.string(key), boolean: (key) => model.boolean(key) };
  const step = await createLoraStep({ model: shaped, adapter, threads: Number(values.threads), weights });
  const total = Number(values.tokens);
  const rows = Math.max(1, Math.floor(microBatchTokens / context));
  const length = rows * context;
  const batch = {
    tokens: Int32Array.from({ length }, (_, i) => (i * 97) % Math.min(2000, full.vocabulary)),
    positions: Int32Array.from({ length }, (_, i) => i % context),
    supervised: Uint8Array.from({ length }, (_, i) => Number(i % context > 0 && i % 8 === 0)),
    segmentStarts: Int32Array.from({ length: rows + 1 }, (_, i) => i * context),
    realTokens: length,
    supervisedTokens: 0,
  };
  const seconds = [];
  for (let round = 0; round <= Number(values.repeat); round++) {
    const start = performance.now();
    for (let done = 0; done < total; done += length) await step.accumulate([batch], 1 / total, [0]);
    if (round > 0) seconds.push((performance.now() - start) / 1000);
  }
  const trained = step.parameters.reduce((sum, { value }) => sum + value.length, 0);
  const setting = { method: 'lora', precision: values.precision, activations: 'keep', streamed: false, keepEpochs: 0, trained, parameters: 0, fileBytes: 0, measuredBlocks: 0, copyBytes: 0, copyIsThere: true };
  const parameters = depth * projections.reduce((sum, name) => sum + dimensions(name).inFeatures * dimensions(name).outFeatures, 0) + config.vocabulary * config.modelWidth;
  const planned = memoryOf({ shape: { ...config, qkNorms: false }, setting: { ...setting, parameters }, rates: null, tokens: { microBatch: length, step: total, validation: 0 }, held });
  // Neither an optimizer nor a proof runs here: moments and starting values are not held.
  const plannedBytes = planned.training - 3 * 4 * trained;
  console.log(JSON.stringify({ context, depth, seconds, peakBytes: process.resourceUsage().maxRSS * 1024, plannedBytes }));
  process.exit(0);
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
function series(name, points, of) {
  const results = points.map((point) => {
    const args = [fileURLToPath(import.meta.url), path, '--point', JSON.stringify(point), ...['tokens', 'repeat', 'precision', 'threads'].flatMap((key) => [`--${key}`, values[key]])];
    const result = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
    process.stderr.write(`${JSON.stringify(result)}\n`);
    return { ...result, x: of(point), time: median(result.seconds) };
  });
  const [first, last] = [results[0], results.at(-1)];
  const slope = (last.time - first.time) / (last.x - first.x);
  const rows = results.map(({ peakBytes, plannedBytes, seconds, time, x }) => {
    const line = first.time + slope * (x - first.x);
    const spread = ((Math.max(...seconds) - Math.min(...seconds)) / time / 2) * 100;
    const memory = `${(peakBytes / 1e9).toFixed(2)} GB | ${(plannedBytes / 1e9).toFixed(2)} GB (${((100 * (plannedBytes - peakBytes)) / peakBytes).toFixed(0)}%)`;
    return `| ${x} | ${(Number(values.tokens) / time).toFixed(0)} | ${time.toFixed(2)} s ± ${spread.toFixed(0)}% | ${line.toFixed(2)} s (${((100 * (line - time)) / time).toFixed(0)}%) | ${memory} |`;
  });
  return { name, results, table: [`| ${name} | tokens/s | a step | line a + b x | peak memory | planned |\n|---|---|---|---|---|---|`, ...rows].join('\n') };
}

/** Time and memory over x, both as shares of the largest, on a logarithmic x. */
function chart({ name, results }, left) {
  const [width, height] = [330, 200];
  const log = (x) => Math.log2(x);
  const [low, high] = [log(results[0].x), log(results.at(-1).x)];
  const place = (x, share) => `${(left + ((log(x) - low) / (high - low)) * width).toFixed(1)},${(40 + height * (1 - share)).toFixed(1)}`;
  const line = (of, colour) => {
    const top = Math.max(...results.map(of));
    const points = results.map((result) => place(result.x, of(result) / top));
    const dots = points.map((point) => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3" fill="${colour}"/>`);
    return `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.join(' ')}"/>${dots.join('')}`;
  };
  const labels = results.map(({ x }) => `<text x="${place(x, 0).split(',')[0]}" y="${40 + height + 18}" text-anchor="middle">${x}</text>`);
  const ends = results.at(-1);
  return `<text x="${left}" y="24" font-weight="600">${name}</text><path d="M${left} 40v${height}h${width}" fill="none" stroke="#888"/>${line(({ time }) => time, '#c2410c')}${line(({ peakBytes }) => peakBytes, '#1d4ed8')}${labels.join('')}<text x="${left + 8}" y="56" fill="#c2410c">time of a step, up to ${Math.max(...results.map(({ time }) => time)).toFixed(1)} s</text><text x="${left + 8}" y="74" fill="#1d4ed8">peak memory, up to ${(ends.peakBytes / 1e9).toFixed(1)} GB</text>`;
}

if (values.point) await measurePoint(JSON.parse(values.point));
else {
  const numbers = (text) => text.split(',').map(Number);
  const contexts = series(`context, ${values.tokens} tokens a step, ${fixedDepth} blocks`, numbers(values.contexts).map((context) => ({ context, depth: fixedDepth })), ({ context }) => context);
  const depths = series(`blocks, context ${fixedContext}, ${values.tokens} tokens a step`, numbers(values.depths).map((depth) => ({ context: fixedContext, depth })), ({ depth }) => depth);
  writeFileSync(`${out}.md`, `${contexts.table}\n\n${depths.table}\n`);
  writeFileSync(`${out}.svg`, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 275" font-family="system-ui,sans-serif" font-size="13" fill="#222"><rect width="100%" height="100%" fill="#fff"/>${chart(contexts, 25)}${chart(depths, 405)}</svg>\n`);
  console.log(`${contexts.table}\n\n${depths.table}`);
  process.exit(0);
}
