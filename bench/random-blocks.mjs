/**
 * Blocks and heads of random sizes for our own kernels, with everything that their stages read, and what the stages make of it: what the tests and
 * bench/kernel-shapes.mjs compare. Knows the kernels by what they are called with alone (src/runtime/native/kernels.ts).
 */
import { createHash } from 'node:crypto';

const pick = (random, values) => values[Math.floor(random() * values.length)];
const between = (random, least, most) => least + Math.floor(random() * (most - least + 1));

const projections = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
const groups = { pre: [0, 1, 2], o: [3], mlp: [4, 5], down: [6] };

/** Sizes, options and rows of one block, by `random` (seeded-random.mjs). */
export function drawBlock(random) {
  const headDim = pick(random, [16, 32, 48, 64, 80, 128, 256]);
  const keyHeads = between(random, 1, headDim > 64 ? 1 : 3);
  const heads = keyHeads * between(random, 1, headDim > 64 ? 2 : 3);
  const width = () => 16 * between(random, 1, 20);
  const shape = {
    modelWidth: width(), queryWidth: heads * headDim, keyWidth: keyHeads * headDim, feedForward: 16 * between(random, 1, 30), headDim,
    rank: pick(random, [1, 2, 3, 8, 15, 16, 17, 32, between(random, 1, 256)]), vocabulary: 16 * between(random, 1, random() < 0.2 ? 150 : 20), epsilon: 1e-5, threads: 1,
    dropout: Number(random() < 0.3), biases: Number(random() < 0.3), headNorms: Number(random() < 0.3), targets: between(random, 0, 127),
  };
  const { ranges, rows } = drawRanges(random);
  return { shape, rows, ranges, int8: random() < 0.7, inputGradient: random() < 0.8 };
}

/** Segments one after the other, behind a shared beginning, or forked in two answers (src/train/query-ranges.ts). */
function drawRanges(random) {
  const kind = random();
  const prefix = kind < 0.3 ? between(random, 1, 90) : 0;
  const ranges = prefix > 0 ? [0, 0, prefix, 0, 0, 0] : [];
  let rows = prefix;
  const segments = between(random, 1, 12);
  for (let i = 0; i < segments; i++) {
    const length = between(random, 1, pick(random, [3, 20, 70, 150]));
    const segment = prefix > 0 ? i + 1 : i;
    const end = rows + length;
    if (kind > 0.8 && length > 3) {
      const first = between(random, rows + 1, end - 2);
      const second = between(random, first + 1, end - 1);
      ranges.push(segment, rows, second, rows, 0, 0, segment, second, end, second, rows, first);
    } else {
      ranges.push(segment, rows, end, rows, 0, prefix);
    }
    rows = end;
  }
  return { ranges: Int32Array.from(ranges), rows };
}

function drawnArrays({ ranges, rows, shape }, random) {
  const { feedForward: wide, headDim, keyWidth: key, modelWidth: width, queryWidth: query, rank, vocabulary } = shape;
  const drawn = (length, size = 1) => Float32Array.from({ length }, () => (2 * random() - 1) * size);
  const arrays = { ranges };
  const put = (name, length, size) => (arrays[name] = drawn(length, size));
  put('x', rows * width);
  for (const name of ['cos', 'sin']) put(name, (rows * headDim) / 2);
  for (const name of ['attn_norm', 'ffn_norm', 'output_norm']) put(name, width);
  for (const name of ['attn_q_norm', 'attn_k_norm']) put(name, headDim);
  ['q', 'k', 'v'].forEach((name, i) => put(`${name}_proj.bias`, i === 0 ? query : key));
  put('d.logp', rows);
  put('thresholds', vocabulary, 0.5);
  const widths = { pre: width, o: query, mlp: width, down: wide };
  for (const [group, members] of Object.entries(groups)) {
    arrays[`mask.${group}`] = Float32Array.from({ length: rows * widths[group] }, () => (random() < 0.2 ? 0 : 1.25));
    put(`lora_A.${group}`, members.filter((i) => (shape.targets >> i) & 1).length * rank * widths[group], 0.3);
  }
  arrays.target = Int32Array.from({ length: rows }, () => Math.floor(random() * vocabulary));
  return arrays;
}

/** In and out of each projection. */
const sizesOf = ({ feedForward: wide, keyWidth: key, modelWidth: width, queryWidth: query }) => [
  [width, query], [width, key], [width, key], [query, width], [width, wide], [width, wide], [wide, width],
];

/** Everything that the stages read, but for packed matrices; a function, so that 1,000 blocks need no memory. */
export function inputsOf(block, random) {
  const { int8, shape } = block;
  const arrays = drawnArrays(block, random);
  const matrices = {};
  const matrix = (name, [inFeatures, outFeatures]) => {
    const length = inFeatures * outFeatures;
    // Now and then all weights are the largest there are, in one direction: where sums of 16 bits would overflow.
    const largest = random() < 0.1;
    const values = int8
      ? Int8Array.from({ length }, () => (largest ? 127 : Math.floor(random() * 255) - 127))
      : Float32Array.from({ length }, () => (2 * random() - 1) / Math.sqrt(inFeatures));
    const scale = Float32Array.from({ length: outFeatures }, () => ((0.5 + random()) * 0.02) / Math.sqrt(inFeatures));
    matrices[name] = { values, scale, inFeatures, outFeatures };
  };
  sizesOf(shape).forEach((size, i) => {
    matrix(projections[i], size);
    arrays[`${projections[i]}.lora_B`] = Float32Array.from({ length: size[1] * shape.rank }, () => (2 * random() - 1) * 0.3);
  });
  matrix('output', [shape.modelWidth, shape.vocabulary]);
  return { arrays, matrices };
}

/** Packed matrices, beside the copies of the values that they lie in: those must last as long. What fails must leave the values as they came. */
export function pack(kernels, { matrices }, int8) {
  const packed = {};
  for (const [name, { inFeatures, outFeatures, scale, values }] of Object.entries(matrices)) {
    if (!int8) {
      packed[`${name}.packed`] = kernels.packExact(values, inFeatures, outFeatures);
      continue;
    }
    const own = values.slice();
    const transposed = Int8Array.from(values, (_, i) => values[(i % inFeatures) * outFeatures + Math.floor(i / inFeatures)]);
    const other = name === 'output' ? transposed : null;
    try {
      packed[`${name}.packed`] = kernels.packInt8(own, inFeatures, outFeatures, scale, other);
    } catch (error) {
      if (!Buffer.from(own.buffer).equals(Buffer.from(values.buffer))) throw new Error(`${name} was written over, and not packed`);
      throw error;
    }
    packed[`${name}.values`] = own;
    packed[`${name}.transposed`] = other;
  }
  return packed;
}

/** All results of a step through the block and the head, forward and backward, by name. */
export function compute(kernels, block, { arrays, packed }, threads) {
  const { inputGradient, int8, rows, shape: drawn } = block;
  const shape = { ...drawn, threads };
  const { feedForward: wide, keyWidth: key, modelWidth: width, queryWidth: query, rank } = shape;
  const made = {};
  // What a kernel leaves unwritten differs from run to run no less than what it writes wrong.
  const room = (name, length) => (made[name] = new Float32Array(length).fill(Number.NaN));
  for (const [name, columns] of Object.entries({ q: query, k: key, v: key, o: query, y: width, lse: query / shape.headDim, logp: 1, 'saved.mid': width, 'saved.gate': wide, 'saved.up': wide, 'd.o': query, 'd.q': query, 'd.k': key, 'd.v': key }))
    room(name, rows * columns);
  if (shape.headNorms) room('saved.attn_q_raw', rows * query), room('saved.attn_k_raw', rows * key);
  sizesOf(shape).forEach(([, out], i) => (shape.targets >> i) & 1 && room(`d.${projections[i]}.lora_B`, out * rank));
  for (const group of Object.keys(groups)) room(`d.lora_A.${group}`, arrays[`lora_A.${group}`].length);
  const [end, middle, start] = ['end', 'middle', 'start'].map((name) => room(name, rows * width));
  const run = (stage, others = {}) => kernels.run(stage, int8 && !stage.startsWith('attention'), shape, rows, { ...arrays, ...packed, ...made, ...others });
  run('before.forward');
  run('attention.forward');
  run('after.forward');
  run('head', { x: made.y, 'd.x': end });
  const { logp } = made;
  const alone = new Float32Array(rows);
  run('head', { x: made.y, logp: alone, 'd.x': null });
  if (!Buffer.from(alone.buffer).equals(Buffer.from(logp.buffer))) throw new Error('the head without gradients gives other log-probabilities');
  run('after.backward', { 'd.y': end, 'd.x': middle });
  run('attention.backward');
  run('before.backward', { 'd.through': middle, 'd.x': inputGradient ? start : null });
  if (!inputGradient) delete made.start;
  return made;
}

/** Of all results, names and bits. */
export function digestOf(results) {
  const digest = createHash('sha256');
  for (const [name, { buffer, byteLength, byteOffset }] of Object.entries(results)) digest.update(`\0${name}\0`).update(Buffer.from(buffer, byteOffset, byteLength));
  return digest.digest('hex');
}
