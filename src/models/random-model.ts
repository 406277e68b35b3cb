/**
 * A Llama model with random weights, as the content of a GGUF file. Pure: equal seeds give equal files.
 */
import { Random } from '../batches/random.ts';
import type { GgufValue } from '../formats/gguf/types.ts';
import type { GgufContent } from '../formats/gguf/write.ts';
import type { PretrainSize } from './sizes.ts';

/**
 * Standard deviations of the initial weights.
 * `gpt2`: 0.02, and 0.02 / sqrt(2 L) for the projections that write into the residual stream (Radford et al. 2019, section 2.3).
 * `neox`: sqrt(2 / (5 d)) (Nguyen and Salazar, https://arxiv.org/abs/1910.05895), and 2 / (L sqrt(d)) for those projections, as
 * GPT-NeoX-20B does (https://arxiv.org/abs/2204.06745, section 2.3).
 */
export const initSchemes = {
  gpt2: ({ layers }: PretrainSize) => ({ inner: 0.02, residual: 0.02 / Math.sqrt(2 * layers) }),
  neox: ({ layers, modelWidth }: PretrainSize) => ({
    inner: Math.sqrt(2 / (5 * modelWidth)),
    residual: 2 / (layers * Math.sqrt(modelWidth)),
  }),
} as const;
/** By what rule random weights are scaled: gpt2 or neox. */
export type InitScheme = keyof typeof initSchemes;

/** Llama's own epsilon and rotary base. */
const normEpsilon = 1e-5;
const ropeBase = 10000;

/** Normally distributed numbers (Box and Muller). */
function normals(count: number, deviation: number, random: Random): Float32Array {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

export interface RandomModelOptions {
  readonly name: string;
  readonly size: PretrainSize;
  /** `tokenizer.*` keys. */
  readonly tokenizer: ReadonlyMap<string, GgufValue>;
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly init: InitScheme;
  readonly seed: number;
}

function metadataOf({ contextLength, name, size, tokenizer, vocabulary }: RandomModelOptions): Map<string, GgufValue> {
  const { feedForward, heads, layers, modelWidth } = size;
  const whole = (value: number): GgufValue => ({ type: 'uint32', value });
  return new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.name', { type: 'string', value: name }],
    ['general.file_type', whole(0)],
    ['llama.context_length', whole(contextLength)],
    ['llama.embedding_length', whole(modelWidth)],
    ['llama.block_count', whole(layers)],
    ['llama.feed_forward_length', whole(feedForward)],
    ['llama.attention.head_count', whole(heads)],
    ['llama.attention.head_count_kv', whole(heads)],
    ['llama.rope.dimension_count', whole(modelWidth / heads)],
    ['llama.rope.freq_base', { type: 'float32', value: ropeBase }],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'float32', value: normEpsilon }],
    ['llama.vocab_size', whole(vocabulary)],
    ...tokenizer,
  ]);
}

/** All tensors F32. The head is the embedding. */
export function randomModel(options: RandomModelOptions): GgufContent {
  const { init, seed, size, vocabulary } = options;
  const { feedForward: ff, layers, modelWidth: d } = size;
  const { inner, residual } = initSchemes[init](size);
  let stream = 0;
  const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer);
  const matrix = (tensor: string, rows: number, columns: number, deviation: number) => {
    // A stream for each tensor: their order and number may change without changing the others.
    const random = new Random(seed, ++stream);
    return {
      name: tensor,
      shape: [rows, columns],
      type: 'F32' as const,
      bytes: () => bytesOf(normals(rows * columns, deviation, random)),
    };
  };
  const norm = (tensor: string) => ({
    name: tensor,
    shape: [d],
    type: 'F32' as const,
    bytes: () => bytesOf(new Float32Array(d).fill(1)),
  });
  const block = (i: number) => [
    norm(`blk.${i}.attn_norm.weight`),
    matrix(`blk.${i}.attn_q.weight`, d, d, inner),
    matrix(`blk.${i}.attn_k.weight`, d, d, inner),
    matrix(`blk.${i}.attn_v.weight`, d, d, inner),
    matrix(`blk.${i}.attn_output.weight`, d, d, residual),
    norm(`blk.${i}.ffn_norm.weight`),
    matrix(`blk.${i}.ffn_gate.weight`, ff, d, inner),
    matrix(`blk.${i}.ffn_up.weight`, ff, d, inner),
    matrix(`blk.${i}.ffn_down.weight`, d, ff, residual),
  ];
  const tensors = [
    matrix('token_embd.weight', vocabulary, d, inner),
    ...Array.from({ length: layers }, (_, i) => block(i)).flat(),
    norm('output_norm.weight'),
  ];
  return { metadata: metadataOf(options), tensors };
}
