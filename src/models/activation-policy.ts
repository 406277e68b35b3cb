/** Where what a forward pass computes waits for its backward pass. Pure. */

/**
 * What a step holds for backward: `keep` every activation that backward reads, keep them as `float16`, which halves most of them, or
 * `recompute` them block by block from the blocks' inputs (gradient checkpointing), which costs one more forward pass and a seventh of the
 * memory.
 */
export const activationPolicies = ['keep', 'float16', 'recompute'] as const;
/** One of `activationPolicies`: keep, float16 or recompute. */
export type ActivationPolicy = (typeof activationPolicies)[number];
