/**
 * Losses of two answers to one prompt, of which one is preferred: from the log-probabilities of both answers to the loss and its gradients.
 * Pure: knows no tokens, no batches and no engine. Sources: DPO https://arxiv.org/abs/2305.18290, IPO https://arxiv.org/abs/2310.12036 (per
 * token, as its authors do), robust DPO https://arxiv.org/abs/2403.00409, ORPO https://arxiv.org/abs/2403.07691, SimPO
 * https://arxiv.org/abs/2405.14734. Options and forms are those of TRL (test/fixtures/preferences is made with it).
 */

/** How DPO compares the two answers. */
export const lossTypes = ['sigmoid', 'sigmoid-norm', 'ipo', 'robust'] as const satisfies readonly LossType[];
/** A loss of DPO: of whole answers, of means over their tokens (sigmoid-norm, ipo), or with a share of wrong pairs (robust). */
export type LossType = 'sigmoid' | 'sigmoid-norm' | 'ipo' | 'robust';

/** What is learnt from pairs. */
export type PairMethod = 'dpo' | 'orpo' | 'simpo';

export interface PairLossOptions {
  readonly method: PairMethod;
  /** How strongly differences of log-probabilities count. */
  readonly beta: number;
  /** Of DPO. */
  readonly lossType: LossType;
  /** Share of the pairs that are taken to be the wrong way round, below 0.5; of the robust loss. */
  readonly labelSmoothing: number;
  /** SimPO's: by how much the reward of the chosen answer should be the higher. */
  readonly gamma: number;
}

/** An answer under the model that is trained. */
export interface AnswerScore {
  /** Sum of the log-probabilities of its supervised tokens, nats. */
  readonly logProbability: number;
  /** The same under the reference; 0 where the loss has none. */
  readonly reference: number;
  /** Supervised tokens. */
  readonly tokens: number;
}

/** The loss of a pair. */
export interface PairLoss {
  readonly loss: number;
  /** Gradients of the loss with respect to the log-probability of each answer, and so of each of its tokens. */
  readonly chosen: number;
  readonly rejected: number;
  /** What each answer is worth to the model, in the method's own measure; a pair is right where the chosen one's is higher. */
  readonly rewards: { readonly chosen: number; readonly rejected: number };
}

/** ln(1 + e^x), without overflow. */
const softplus = (x: number): number => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));
/** 1 / (1 + e^-x), without overflow. */
export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** A loss of the difference between two answers' scores, and its slope. */
interface OfDifference {
  readonly loss: number;
  readonly slope: number;
}

/** -ln sigmoid(x). */
const logistic = (x: number): OfDifference => ({ loss: softplus(-x), slope: -sigmoid(-x) });

/** The same, without the bias that a share of wrong pairs brings, on average over them. */
function robust(x: number, share: number): OfDifference {
  const scale = 1 - 2 * share;
  return {
    loss: ((1 - share) * softplus(-x) - share * softplus(x)) / scale,
    slope: (-(1 - share) * sigmoid(-x) - share * sigmoid(x)) / scale,
  };
}

function dpo(chosen: AnswerScore, rejected: AnswerScore, options: PairLossOptions): PairLoss {
  const { beta, labelSmoothing, lossType } = options;
  const [won, lost] = [chosen, rejected].map((answer) => answer.logProbability - answer.reference) as [number, number];
  const perToken = lossType === 'ipo' || lossType === 'sigmoid-norm';
  const [byWon, byLost] = perToken ? [1 / chosen.tokens, 1 / rejected.tokens] : [1, 1];
  const difference = won * byWon - lost * byLost;
  const rewards = { chosen: beta * won, rejected: beta * lost };
  if (lossType === 'ipo') {
    const off = difference - 1 / (2 * beta);
    return { loss: off ** 2, chosen: 2 * off * byWon, rejected: -2 * off * byLost, rewards };
  }
  const scaled = beta * difference;
  const { loss, slope } = lossType === 'robust' ? robust(scaled, labelSmoothing) : logistic(scaled);
  return { loss, chosen: beta * slope * byWon, rejected: -beta * slope * byLost, rewards };
}

/** SimPO: mean log-probabilities of the tokens, no reference, and a margin that is wanted. */
function simpo(chosen: AnswerScore, rejected: AnswerScore, options: PairLossOptions): PairLoss {
  const { beta, gamma } = options;
  const [won, lost] = [chosen, rejected].map((answer) => (beta * answer.logProbability) / answer.tokens) as [
    number,
    number,
  ];
  const { loss, slope } = logistic(won - lost - gamma);
  return {
    loss,
    chosen: (beta * slope) / chosen.tokens,
    rejected: (-beta * slope) / rejected.tokens,
    rewards: { chosen: won, rejected: lost },
  };
}

/** Mean log-probabilities this close to 0 are of tokens that are certain; their odds have no end. */
const certain = -1e-6;

/** ln of the odds of an answer's mean token, p / (1 - p), and its slope. */
function logOdds(mean: number): { value: number; slope: number } {
  const bounded = Math.min(mean, certain);
  return { value: bounded - Math.log(-Math.expm1(bounded)), slope: -1 / Math.expm1(bounded) };
}

/** ORPO's share of the odds; that of the likelihood is the cross-entropy of the chosen answers. */
function orpo(chosen: AnswerScore, rejected: AnswerScore, { beta }: PairLossOptions): PairLoss {
  const [won, lost] = [chosen.logProbability / chosen.tokens, rejected.logProbability / rejected.tokens];
  const [odds, against] = [logOdds(won), logOdds(lost)];
  const { loss, slope } = logistic(odds.value - against.value);
  return {
    loss: beta * loss,
    chosen: (beta * slope * odds.slope) / chosen.tokens,
    rejected: (-beta * slope * against.slope) / rejected.tokens,
    rewards: { chosen: beta * won, rejected: beta * lost },
  };
}

const losses: Readonly<Record<PairMethod, typeof dpo>> = { dpo, simpo, orpo };

/** The loss of one pair. */
export const pairLoss = (chosen: AnswerScore, rejected: AnswerScore, options: PairLossOptions): PairLoss =>
  losses[options.method](chosen, rejected, options);
