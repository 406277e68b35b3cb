/** What a run trains, and what it learns from. Pure. */
import type { LossType, PairMethod } from '../losses/pair-losses.ts';

/** Methods that learn from preferences, with an adapter. */
export const preferenceMethods = ['dpo', 'orpo', 'simpo', 'kto'] as const satisfies readonly (PairMethod | 'kto')[];
export type PreferenceMethod = (typeof preferenceMethods)[number];

/** Of `tune`; a pretraining run has one of its own. */
export const tuneMethods = ['lora', 'full', ...preferenceMethods] as const satisfies readonly Method[];
/** What a run trains, and what it learns from. */
export type Method = 'lora' | 'full' | 'dpo' | 'orpo' | 'simpo' | 'kto' | 'pretrain';

export const isPreferenceMethod = (method: Method): method is PreferenceMethod =>
  (preferenceMethods as readonly string[]).includes(method);

/** Methods of which an adapter comes; the others train every weight. */
export const trainsAdapter = (method: Method): boolean => method === 'lora' || isPreferenceMethod(method);

/** Methods that learn from two answers to a prompt; the others of preferences from single ones. */
export const wantsPairs = (method: Method): method is PairMethod => isPreferenceMethod(method) && method !== 'kto';

/** Methods that compare with the model as it is before training. */
export const hasReference = (method: Method): boolean => method === 'dpo' || method === 'kto';

/** Settings of preference methods that are open until the method is known. */
export interface PreferenceValues {
  readonly beta: number | null;
  readonly gamma: number | null;
  readonly labelSmoothing: number | null;
}

/** Below it differences of log-probabilities count for nothing, and float32 says nothing of their loss. */
export const leastBeta = 1e-4;

/** DPO's beta by loss: where losses are of means over tokens, differences are some fifty times smaller (docs/defaults.md). */
const betas: Readonly<Record<LossType, number>> = { sigmoid: 0.1, robust: 0.1, ipo: 0.1, 'sigmoid-norm': 5 };
/** SimPO's authors take 2 to 2.5, and half of that as the margin. */
const simpoBeta = 2;
const gammaOfBeta = 0.5;
/** A robust loss without a share of wrong pairs would be the usual one. */
const robustShare = 0.1;

/** The values that nobody gave, by the method; null where the method has none. */
export function choosePreferenceValues(
  method: Method,
  { beta, gamma, labelSmoothing, lossType }: PreferenceValues & { readonly lossType: LossType },
): PreferenceValues {
  if (!isPreferenceMethod(method)) return { beta: null, gamma: null, labelSmoothing: null };
  const chosen = beta ?? (method === 'dpo' ? betas[lossType] : method === 'simpo' ? simpoBeta : 0.1);
  return {
    beta: chosen,
    gamma: method === 'simpo' ? (gamma ?? gammaOfBeta * chosen) : null,
    labelSmoothing: method === 'dpo' && lossType === 'robust' ? (labelSmoothing ?? robustShare) : null,
  };
}
