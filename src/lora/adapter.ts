/**
 * A LoRA adapter in memory, in PEFT's terms: https://arxiv.org/abs/2106.09685. Pure: no Node, no engine.
 */

/** The seven projections that LoRA can adapt, in PEFT's order of a block. */
export const projections = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
/** A projection of a block, as PEFT names it: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj or down_proj. */
export type Projection = (typeof projections)[number];

/** A matrix of the model that can be adapted. */
export interface LoraModule {
  readonly layer: number;
  readonly projection: Projection;
}

/** One adapted matrix W [out, in]: W' = W + scale * B A. Rows of q and k are in PEFT's (unpermuted) order. */
export interface LoraPair extends LoraModule {
  readonly rank: number;
  readonly alpha: number;
  /** [rank, in], row-major. */
  readonly a: Float32Array;
  /** [out, rank], row-major. */
  readonly b: Float32Array;
  readonly inFeatures: number;
  readonly outFeatures: number;
  /**
   * [out], of DoRA (https://arxiv.org/abs/2402.09353): W' has the rows of W + scale * B A, brought to these lengths. Only
   * those who ask for it are given such pairs (`PeftContext`).
   */
  readonly magnitude?: Float32Array;
}

/** Pairs for some of a model's matrices, each with a rank and an alpha of its own. */
export interface LoraAdapter {
  /** Scale is alpha / sqrt(rank) instead of alpha / rank: https://arxiv.org/abs/2312.03732. */
  readonly rslora: boolean;
  readonly dropout: number;
  /** What PEFT's `base_model_name_or_path` says. */
  readonly baseModel: string;
  /** By layer, and as `projections` orders them. At least one. */
  readonly pairs: readonly LoraPair[];
}

/** An adapter as it is trained: one rank and one alpha, and the same modules in every layer. */
export interface EvenAdapter extends LoraAdapter {
  readonly rank: number;
  readonly alpha: number;
  readonly targetModules: readonly Projection[];
}

/** The factor on B A. */
export function loraScale({ alpha, rank, rslora }: { alpha: number; rank: number; rslora: boolean }): number {
  return alpha / (rslora ? Math.sqrt(rank) : rank);
}

/** The factor on B A of each pair, in their order. */
export const scalesOf = ({ pairs, rslora }: LoraAdapter): number[] =>
  pairs.map(({ alpha, rank }) => loraScale({ alpha, rank, rslora }));

/** A module's key in maps. */
export const moduleKey = ({ layer, projection }: LoraModule): string => `${layer}.${projection}`;

/** Orders modules by layer, and then as PEFT orders projections. */
export const byModule = (left: LoraModule, right: LoraModule): number =>
  left.layer - right.layer || projections.indexOf(left.projection) - projections.indexOf(right.projection);

/** The projections that an adapter adapts somewhere, in PEFT's order. */
export const adaptedProjections = (modules: readonly LoraModule[]): Projection[] =>
  projections.filter((projection) => modules.some((module) => module.projection === projection));

/** An adapter without its weights; each list has no value twice and ascends. */
export interface AdapterSummary extends Omit<LoraAdapter, 'pairs'> {
  readonly ranks: readonly number[];
  readonly alphas: readonly number[];
  readonly scales: readonly number[];
  readonly targetModules: readonly Projection[];
}

const distinct = (values: readonly number[]): number[] => [...new Set(values)].sort((left, right) => left - right);

/** What there is to say of an adapter. */
export function summarizeAdapter(adapter: LoraAdapter): AdapterSummary {
  const { baseModel, dropout, pairs, rslora } = adapter;
  return {
    baseModel,
    dropout,
    rslora,
    ranks: distinct(pairs.map(({ rank }) => rank)),
    alphas: distinct(pairs.map(({ alpha }) => alpha)),
    scales: distinct(scalesOf(adapter)),
    targetModules: adaptedProjections(pairs),
  };
}
