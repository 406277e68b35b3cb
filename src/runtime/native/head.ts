/** The head on our own kernels, with the names, shapes and results of the graphs of models/head.ts where the head itself is not trained. */
import type { ModelConfig } from '../../models/config.ts';
import type { Executor, Tensors } from '../onnxruntime-node/executor.ts';
import { lanes } from './block-stages.ts';
import type { BlockShape, Kernels, PackedMatrix } from './kernels.ts';

/** A compiled head, whichever engine computes it. */
export type HeadStage = Pick<Executor, 'inputs' | 'run' | 'close'>;

/** A float32 head is held three times, as it came and arranged for both directions: beyond so many bytes onnxruntime computes it. */
const maxFloat32Bytes = 64e6;

/** `head` with gradients, `headForward` without; null where the kernels do not know the vocabulary. */
export function nativeHead(
  kernels: Kernels,
  { modelWidth, vocabulary }: ModelConfig,
  { int8, shape }: { readonly int8: boolean; readonly shape: BlockShape },
): { head: HeadStage; headForward: HeadStage } | null {
  const bytes = vocabulary * modelWidth * Float32Array.BYTES_PER_ELEMENT;
  if (vocabulary % lanes !== 0 || (!int8 && bytes > maxFloat32Bytes)) return null;
  let packed: { readonly of: object; readonly matrix: PackedMatrix } | null = null;
  const pack = (weights: Tensors): PackedMatrix => {
    const values = weights.get('output')!.data as Int8Array | Float32Array;
    if (packed?.of === values) return packed.matrix;
    const matrix = int8
      ? kernels.packInt8(
          values as Int8Array,
          modelWidth,
          vocabulary,
          weights.get('output.scale')!.data as Float32Array,
          weights.get('output.transposed')!.data as Int8Array,
        )
      : kernels.packExact(values as Float32Array, modelWidth, vocabulary);
    packed = { of: values, matrix };
    return matrix;
  };
  const stage = (gradient: readonly string[]): HeadStage => ({
    inputs: ['x', 'target', 'output_norm', ...gradient],
    async run(inputs, outputs) {
      const arrays: Record<string, Float32Array | Int32Array | PackedMatrix> = { 'output.packed': pack(inputs) };
      for (const name of ['x', 'output_norm', ...gradient]) arrays[name] = inputs.get(name)!.data as Float32Array;
      arrays.target = Int32Array.from(inputs.get('target')!.data as BigInt64Array, Number);
      for (const [name, { data }] of outputs) arrays[name] = data as Float32Array;
      kernels.run('head', int8, shape, inputs.get('x')!.dims[0]!, arrays);
    },
    async close() {
      packed = null;
    },
  });
  return { head: stage(['d.logp', ...(int8 ? ['thresholds'] : [])]), headForward: stage([]) };
}
