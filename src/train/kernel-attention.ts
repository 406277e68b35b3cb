/** Attention of a block on our own kernels, in the place of attention-pass.ts. */
import type { NativeAttention } from '../runtime/native/attention.ts';
import type { Tensors } from '../runtime/onnxruntime-node/executor.ts';
import type { Attention, AttentionLayout, BackwardArrays, Keep } from './attention-pass.ts';

/** Of each query and head, the logarithm of the sum of its scores' exponentials: what backward computes the probabilities with again. */
export const logSums = 'lse';

export class KernelAttention implements Attention {
  private readonly kernels: NativeAttention;
  private readonly heads: number;

  constructor(kernels: NativeAttention, heads: number) {
    this.kernels = kernels;
    this.heads = heads;
  }

  async forward({ ranges }: AttentionLayout, arrays: Tensors, keep: Keep): Promise<void> {
    this.kernels.forward(arrays, ranges, keep(logSums, this.heads * arrays.get('q')!.dims[0]!));
  }

  async backward({ ranges }: AttentionLayout, { keep, read, written }: BackwardArrays): Promise<void> {
    const lse = keep(logSums, this.heads * read.get('q')!.dims[0]!);
    this.kernels.backward(new Map([...read, ...written]), ranges, lse);
  }
}
