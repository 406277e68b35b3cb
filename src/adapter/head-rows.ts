/**
 * The row orders of q and k. llama.cpp's llama architecture rotates neighbouring rows of a head (2i, 2i+1), transformers rows
 * half a head apart (i, i + D/2); GGUF files of that architecture therefore hold these rows reordered, and adapters with them.
 * Pure. https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py (permute)
 */
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../files/gguf/types.ts';
import type { Projection } from '../lora/adapter.ts';

/** Architectures that adapters are converted for, and whether GGUF reorders their q and k rows. */
const reordersHeads: Readonly<Record<string, boolean>> = { llama: true, qwen2: false, qwen3: false };

/** A GGUF row index for each transformers row: `order[transformers row] = GGUF row`. */
export function headRowOrder(rows: number, heads: number): Int32Array {
  const headDim = rows / heads; // D
  const order = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const within = row % headDim;
    const half = within < headDim / 2 ? 0 : 1;
    order[row] = row - within + 2 * (within - half * (headDim / 2)) + half;
  }
  return order;
}

/** `values` [rows, width] with its rows moved from transformers' order to GGUF's, or back with `inverse`; a fresh array. */
export function reorderRows(values: Float32Array, width: number, order: Int32Array, inverse = false): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < order.length; row++) {
    const [from, to] = inverse ? [order[row]!, row] : [row, order[row]!];
    out.set(values.subarray(from * width, (from + 1) * width), to * width);
  }
  return out;
}

function headCount(model: GgufFile, architecture: string, key: string): number | undefined {
  return model.number(`${architecture}.attention.${key}`);
}

/** The model's architecture name. Throws NomoatError for one that adapters cannot be converted for. */
export function adapterArchitecture(model: GgufFile): string {
  const architecture = model.string('general.architecture') ?? '(none)';
  if (!Object.hasOwn(reordersHeads, architecture)) {
    throw new NomoatError({
      part: model.path,
      fault: `has the architecture ${architecture}`,
      remedy: `Supported are ${Object.keys(reordersHeads).join(', ')}.`,
    });
  }
  return architecture;
}

/**
 * The row order of `projection` with `rows` rows in this model's file, or null where GGUF keeps transformers' order.
 */
export function rowOrderOf(model: GgufFile, projection: Projection, rows: number): Int32Array | null {
  const architecture = adapterArchitecture(model);
  if (!reordersHeads[architecture] || (projection !== 'q_proj' && projection !== 'k_proj')) return null;
  const queryHeads = headCount(model, architecture, 'head_count');
  const heads = projection === 'q_proj' ? queryHeads : (headCount(model, architecture, 'head_count_kv') ?? queryHeads);
  if (!heads || rows % (2 * heads) !== 0) {
    throw new NomoatError({
      part: model.path,
      fault: `states ${heads ?? 'no'} heads for ${projection} with ${rows} rows`,
      remedy: 'Use a complete model file; the numbers of heads may not vary between layers.',
    });
  }
  return headRowOrder(rows, heads);
}
