/** Attention on our own kernels: of whole micro-batches, whatever the lengths of their segments, in memory that does not grow with the square of these. */
import type { ModelConfig } from '../../models/config.ts';
import type { Tensors } from '../onnxruntime-node/executor.ts';
import { lanes } from './block-stages.ts';
import type { BlockShape, Kernels } from './kernels.ts';

/** What the kernels turn of a key at once (native/src/attention.cpp). */
const maxHeadDim = 256;

/** Both ways; `ranges` is of `queryRanges`. Results are equal for any number of threads. */
export interface NativeAttention {
  /** From `q` [N, heads * headDim], `k` and `v` [N, kvHeads * headDim] to `o`, in place; returns for `backward` what is written to `lse` [N, heads]. */
  forward(arrays: Tensors, ranges: Int32Array, lse: Float32Array): void;
  /** From `q`, `k`, `v`, `o`, `d.o` and `lse` to `d.q`, `d.k` and `d.v`, which are overwritten. */
  backward(arrays: Tensors, ranges: Int32Array, lse: Float32Array): void;
}

/** null where the kernels do not know such heads. */
export function nativeAttention(kernels: Kernels, config: ModelConfig, shape: BlockShape): NativeAttention | null {
  if (config.headDim % lanes !== 0 || config.headDim > maxHeadDim) return null;
  const call =
    (stage: 'attention.forward' | 'attention.backward') =>
    (tensors: Tensors, ranges: Int32Array, lse: Float32Array): void => {
      const arrays = Object.fromEntries([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
      kernels.run(stage, false, shape, tensors.get('q')!.dims[0]!, { ...arrays, lse, ranges });
    };
  return { forward: call('attention.forward'), backward: call('attention.backward') };
}
