/** What the graphs of a block are built by, and how its projections are grouped. */
import type { Projection } from '../lora/adapter.ts';

/** Projections that read the same input, by the name of that input's place: it is quantized once, and their A matrices are one. */
export const projectionGroups = {
  pre: ['q_proj', 'k_proj', 'v_proj'],
  o: ['o_proj'],
  mlp: ['gate_proj', 'up_proj'],
  down: ['down_proj'],
} as const satisfies Record<string, readonly Projection[]>;
export type ProjectionGroup = keyof typeof projectionGroups;

export interface BlockOptions {
  /** What the backward graphs give gradients of, beside the inputs: the adapter's matrices, or every weight of the block. */
  readonly trainable: 'adapter' | 'all';
  /** Gradients of what is trained are added to inputs `sum.NAME`: results `d.NAME` that may be written where those stand. */
  readonly accumulates?: boolean;
  /** How the frozen projections are given: `NAME.weight` [out, in], or int8 `NAME.weight` [in, out] with `NAME.scale` [out], Hadamard-transformed (quantize.ts). */
  readonly precision: 'f32' | 'int8';
  readonly targets: readonly Projection[];
  readonly rank: number;
  /** Dropout masks are inputs `mask.GROUP` of the adapted inputs' shapes. */
  readonly dropout: boolean;
  /** q, k and v have biases. */
  readonly biases: boolean;
  /** q and k are normed per head (qwen3). */
  readonly qkNorms: boolean;
}
