/**
 * A LoRA adapter in memory, in PEFT's terms: https://arxiv.org/abs/2106.09685. Pure: no Node, no engine.
 */

/** The seven projections that LoRA can adapt, in PEFT's order of a block. */
export const projections = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
/** A projection of a block, as PEFT names it: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj or down_proj. */
export type Projection = (typeof projections)[number];

/** One adapted matrix W [out, in]: W' = W + scale * B A. Rows of q and k are in PEFT's (unpermuted) order. */
export interface LoraPair {
  readonly layer: number;
  readonly projection: Projection;
  /** [rank, in], row-major. */
  readonly a: Float32Array;
  /** [out, rank], row-major. */
  readonly b: Float32Array;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

export interface LoraAdapter {
  readonly rank: number;
  readonly alpha: number;
  /** Scale is alpha / sqrt(rank) instead of alpha / rank: https://arxiv.org/abs/2312.03732. */
  readonly rslora: boolean;
  readonly dropout: number;
  readonly targetModules: readonly Projection[];
  /** What PEFT's `base_model_name_or_path` says. */
  readonly baseModel: string;
  readonly pairs: readonly LoraPair[];
}

/** The factor on B A. */
export function loraScale(adapter: Pick<LoraAdapter, 'alpha' | 'rank' | 'rslora'>): number {
  return adapter.alpha / (adapter.rslora ? Math.sqrt(adapter.rank) : adapter.rank);
}
