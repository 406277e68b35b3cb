/**
 * Writes a GGUF of a named shape with random weights of about N(0, 0.02), for benchmarks whose figure depends on the shape alone.
 * The tokenizer and chat template come from another GGUF, padded with unused tokens, so that `nomoat tune` and llama.cpp take the file.
 * Streams tensor by tensor: a 3.8 GB file needs the memory of its largest tensor. Equal arguments give equal files.
 * Usage: node bench/synthetic-model.mjs SHAPE OUT.gguf [--layers N] [--type TYPE] [--tokenizer FILE.gguf] [--seed N]    (after npm run build)
 * Knows nothing of trained weights: outlier channels, which make int8 hard, are not imitated.
 */
import { parseArgs } from 'node:util';
import { Random } from '../dist/batches/random.js';
import { ggmlLayouts } from '../dist/formats/gguf/dequantize.js';
import { toFloat16 } from '../dist/formats/gguf/float16.js';
import { quantize } from '../dist/formats/gguf/quantize.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { writeGguf } from '../dist/formats/gguf/write.js';

/** Published configurations: Qwen/Qwen3-0.6B, meta-llama/Llama-2-7b, TinyLlama/TinyLlama-1.1B. `type` is that of all matrices. */
const shapes = {
  'qwen3-0.6b': {
    architecture: 'qwen3', type: 'Q8_0', layers: 28, width: 1024, heads: 16, kvHeads: 8, headDim: 128, ff: 3072,
    vocabulary: 151936, tied: true, context: 40960, ropeBase: 1e6, epsilon: 1e-6,
  },
  'llama-7b': {
    architecture: 'llama', type: 'Q4_0', layers: 32, width: 4096, heads: 32, kvHeads: 32, headDim: 128, ff: 11008,
    vocabulary: 32000, tied: false, context: 4096, ropeBase: 1e4, epsilon: 1e-5,
  },
  'tinyllama-1.1b': {
    architecture: 'llama', type: 'Q8_0', layers: 22, width: 2048, heads: 32, kvHeads: 4, headDim: 64, ff: 5632,
    vocabulary: 32000, tied: false, context: 2048, ropeBase: 1e4, epsilon: 1e-5,
  },
};
/** llama.cpp's number of a file whose matrices are mostly of one type (llama_ftype in include/llama.h). */
const fileTypes = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7, BF16: 32 };
const deviation = 0.02;
/** Normal numbers drawn once; every tensor is laid out of pieces of them, since drawing 7 billion would take an hour. */
const poolWeights = 2 ** 22;
/** Weights copied at once from a random place of the pool: short, so that few rows share a piece. */
const pieceWeights = 512;
/** token_type of llama.cpp's vocabulary: a token that text never gives. */
const unusedToken = 5;

function normals(count, random) {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    out[i] = radius * Math.cos(angle);
    out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

/** ggml's quantize_row_q4_0_ref: the weight of the largest magnitude becomes -8. */
function quantizeQ4(values) {
  const out = new Uint8Array((values.length / 32) * 18);
  for (let block = 0, at = 0; block < values.length; block += 32, at += 18) {
    let top = 0;
    for (let i = 0; i < 32; i++) if (Math.abs(values[block + i]) > Math.abs(top)) top = values[block + i];
    const scale = top / -8;
    const half = toFloat16(scale);
    out[at] = half & 255;
    out[at + 1] = half >> 8;
    const digit = (i) => Math.min(15, Math.trunc(values[block + i] / scale + 8.5));
    for (let i = 0; i < 16; i++) out[at + 2 + i] = digit(i) | (digit(i + 16) << 4);
  }
  return out;
}

/** Gives the bytes of a tensor of `count` weights; `stream` names its random numbers. */
function weightSource(type, seed) {
  const { blockSize, blockBytes } = ggmlLayouts[type];
  const values = normals(poolWeights, new Random(seed, 0));
  const pool = type === 'Q4_0' ? quantizeQ4(values) : quantize(type, values);
  const bytesOf = (weights) => (weights / blockSize) * blockBytes;
  return (count, stream) => {
    const random = new Random(seed, stream);
    const out = new Uint8Array(bytesOf(count));
    const places = (poolWeights - pieceWeights) / blockSize;
    for (let at = 0; at < out.length; ) {
      const start = random.below(places) * blockBytes;
      const length = Math.min(bytesOf(pieceWeights), out.length - at);
      out.set(pool.subarray(start, start + length), at);
      at += length;
    }
    return out;
  };
}

/** The `tokenizer.*` keys of `path` with unused tokens up to `vocabulary`. */
function paddedTokenizer(path, vocabulary) {
  const file = openGguf(path);
  const keys = new Map([...file.metadata].filter(([key]) => key.startsWith('tokenizer.')));
  file.close();
  const size = keys.get('tokenizer.ggml.tokens').value.length;
  if (size > vocabulary) throw new Error(`${path} has ${size} tokens, more than the shape's ${vocabulary}: give a smaller --tokenizer`);
  const padding = {
    'tokenizer.ggml.tokens': (i) => `<|unused_${i}|>`,
    'tokenizer.ggml.token_type': () => unusedToken,
    'tokenizer.ggml.scores': () => 0,
  };
  for (const [key, element] of Object.entries(padding)) {
    const array = keys.get(key);
    if (!array) continue;
    const more = Array.from({ length: vocabulary - size }, (_, i) => element(size + i));
    keys.set(key, { ...array, value: [...array.value, ...more] });
  }
  return keys;
}

function metadataOf(name, shape, tokenizer) {
  const whole = (value) => ({ type: 'uint32', value });
  const real = (value) => ({ type: 'float32', value });
  const text = (value) => ({ type: 'string', value });
  const of = Object.entries({
    context_length: whole(shape.context),
    embedding_length: whole(shape.width),
    block_count: whole(shape.layers),
    feed_forward_length: whole(shape.ff),
    'attention.head_count': whole(shape.heads),
    'attention.head_count_kv': whole(shape.kvHeads),
    'attention.key_length': whole(shape.headDim),
    'attention.value_length': whole(shape.headDim),
    'rope.dimension_count': whole(shape.headDim),
    'rope.freq_base': real(shape.ropeBase),
    'attention.layer_norm_rms_epsilon': real(shape.epsilon),
    vocab_size: whole(shape.vocabulary),
  }).map(([key, value]) => [`${shape.architecture}.${key}`, value]);
  return new Map([
    ['general.architecture', text(shape.architecture)],
    ['general.name', text(`random weights, shape of ${name}, ${shape.layers} layers`)],
    ['general.file_type', whole(fileTypes[shape.type])],
    ['general.quantization_version', whole(2)],
    ...of,
    ...tokenizer,
  ]);
}

function tensorsOf(shape, seed) {
  const weights = weightSource(shape.type, seed);
  let stream = 0;
  const matrix = (name, rows, columns) => {
    const own = ++stream;
    return { name: `${name}.weight`, shape: [rows, columns], type: shape.type, bytes: () => weights(rows * columns, own) };
  };
  const norm = (name, width) => ({
    name: `${name}.weight`, shape: [width], type: 'F32', bytes: () => new Uint8Array(new Float32Array(width).fill(1).buffer),
  });
  const { width: d, ff, headDim } = shape;
  const [q, kv] = [shape.heads * headDim, shape.kvHeads * headDim];
  const block = (i) => [
    norm(`blk.${i}.attn_norm`, d),
    matrix(`blk.${i}.attn_q`, q, d),
    matrix(`blk.${i}.attn_k`, kv, d),
    matrix(`blk.${i}.attn_v`, kv, d),
    ...(shape.architecture === 'qwen3' ? [norm(`blk.${i}.attn_q_norm`, headDim), norm(`blk.${i}.attn_k_norm`, headDim)] : []),
    matrix(`blk.${i}.attn_output`, d, q),
    norm(`blk.${i}.ffn_norm`, d),
    matrix(`blk.${i}.ffn_gate`, ff, d),
    matrix(`blk.${i}.ffn_up`, ff, d),
    matrix(`blk.${i}.ffn_down`, d, ff),
  ];
  return [
    matrix('token_embd', shape.vocabulary, d),
    ...Array.from({ length: shape.layers }, (_, i) => block(i)).flat(),
    norm('output_norm', d),
    ...(shape.tied ? [] : [matrix('output', shape.vocabulary, d)]),
  ];
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    layers: { type: 'string' },
    type: { type: 'string' },
    tokenizer: { type: 'string', default: new URL('../models/nomoat-mini/nomoat-mini.gguf', import.meta.url).pathname },
    seed: { type: 'string', default: '0' },
  },
});
const [name, out] = positionals;
if (!shapes[name] || !out) {
  console.error(`Usage: node bench/synthetic-model.mjs ${Object.keys(shapes).join('|')} OUT.gguf [--layers N] [--type TYPE] [--tokenizer FILE.gguf] [--seed N]`);
  process.exit(2);
}
const type = values.type ?? shapes[name].type;
if (fileTypes[type] === undefined) throw new Error(`--type ${type}: give one of ${Object.keys(fileTypes).join(', ')}`);
const layers = Number(values.layers ?? shapes[name].layers);
if (!Number.isInteger(layers) || layers < 1) throw new Error(`--layers ${values.layers}: give a whole number from 1`);
const shape = { ...shapes[name], type, layers };
const tensors = tensorsOf(shape, Number(values.seed));
writeGguf(out, { metadata: metadataOf(name, shape, paddedTokenizer(values.tokenizer, shape.vocabulary)), tensors }, { overwrite: true });
const count = tensors.reduce((sum, tensor) => sum + tensor.shape.reduce((a, b) => a * b, 1), 0);
console.log(JSON.stringify({ shape: name, layers, type, parameters: count, file: out }));
