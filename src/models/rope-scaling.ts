/**
 * How positions are stretched, as llama.cpp reads it off the metadata: linear where no type is given, the key of 2023
 * where the newer one is missing, YaRN (https://arxiv.org/abs/2309.00071) with llama.cpp's constants. Promises: other
 * kinds are refused by name. Pure.
 */
import type { GgufFile } from '../formats/gguf/types.ts';
import type { Refuse } from './metadata-keys.ts';

/** What rotary angles are computed with. */
export interface RopeScaling {
  /** Positions are divided by this; 1 without scaling. */
  readonly ropeScale: number;
  /**
   * YaRN: up to pair `low` of a head positions are not divided, from `high` on they are, between is a mixture. null
   * without.
   */
  readonly ropeYarn: { readonly low: number; readonly high: number } | null;
  /** The rotated queries and keys are multiplied by this. */
  readonly ropeMagnitude: number;
}

export interface RopeFacts {
  readonly headDim: number;
  readonly contextLength: number;
  readonly ropeBase: number;
}

/**
 * llama.cpp ends the process on a type that it does not know; longrope's factors depend on the length of the context.
 */
const computed: readonly string[] = ['none', 'linear', 'yarn'];
/**
 * Turns within the original context from which on, and below which, a pair counts as fast or slow: llama.cpp's
 * defaults.
 */
const yarnTurns = { fast: 32, slow: 1 } as const;
/** Growth of attention's scale with the logarithm of the factor. */
const yarnMagnitude = 0.1;

const withoutScaling =
  "Use the model's file without it: models are mostly published with and without their longer context.";

function yarnRange(original: number, { headDim, ropeBase }: RopeFacts): { low: number; high: number } {
  const pair = (turns: number): number =>
    (headDim * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(ropeBase));
  return {
    low: Math.max(0, Math.floor(pair(yarnTurns.fast))),
    high: Math.min(headDim - 1, Math.ceil(pair(yarnTurns.slow))),
  };
}

/** Reads and checks the keys of rope scaling. */
export function readRopeScaling(model: GgufFile, architecture: string, facts: RopeFacts, refuse: Refuse): RopeScaling {
  const type = model.string(`${architecture}.rope.scaling.type`) ?? 'linear';
  if (!computed.includes(type))
    refuse(`uses rope scaling "${type}"; none, linear, yarn and rope_freqs are supported`, withoutScaling);
  const newer = `${architecture}.rope.scaling.factor`;
  const key = model.metadata.has(newer) ? newer : `${architecture}.rope.scale_linear`;
  const stated = model.number(key) ?? 0;
  if (!Number.isFinite(stated) || stated < 0)
    refuse(`${key} is ${stated}, by which no position can be divided`, withoutScaling);
  // llama.cpp takes 0 for "not given".
  const ropeScale = type === 'none' || stated === 0 ? 1 : stated;
  const attention = model.number(`${architecture}.rope.scaling.attn_factor`) ?? 1;
  if (!Number.isFinite(attention) || attention <= 0) refuse(`${architecture}.rope.scaling.attn_factor is ${attention}`);
  if (type !== 'yarn') return { ropeScale, ropeYarn: null, ropeMagnitude: attention };
  const original = model.number(`${architecture}.rope.scaling.original_context_length`) ?? facts.contextLength;
  if (!(original >= 1)) refuse(`${architecture}.rope.scaling.original_context_length is ${original}`, withoutScaling);
  const growth = ropeScale > 1 ? 1 + yarnMagnitude * Math.log(ropeScale) : 1;
  return { ropeScale, ropeYarn: yarnRange(original, facts), ropeMagnitude: attention * growth };
}

/** The frequency of a head's pair `i`, of `plain` without scaling. */
export function scaledFrequency(plain: number, i: number, { ropeScale, ropeYarn }: RopeScaling): number {
  const divided = plain / ropeScale;
  if (!ropeYarn) return divided;
  const { low, high } = ropeYarn;
  // llama.cpp's guard against a range without width.
  const slow = Math.min(1, Math.max(0, (i - low) / Math.max(0.001, high - low)));
  return divided * slow + plain * (1 - slow);
}
