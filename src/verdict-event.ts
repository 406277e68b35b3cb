/** What a run says of its result at its end: whether it worked, on held-out examples, and what became of its answers. Types alone, public as those of events.ts. */

import type { SafetyEvent } from './safety-event.ts';

/** What somebody scored in the quick evaluation at a run's end. */
export interface VerdictScore {
  readonly name: string;
  /** `trained`: the run's result; `base`: what it began with; the others answer without a model. */
  readonly kind: 'trained' | 'base' | 'majority' | 'nearest' | 'few-shot';
  /** Mean, 0 to 1. */
  readonly score: number;
  /** 95%, of the mean. */
  readonly interval: readonly [low: number, high: number];
}

/** The result of a run beside somebody else, on the same examples. */
export interface VerdictComparison {
  /** As in `scores`. */
  readonly with: string;
  readonly outcome: 'better' | 'worse' | 'no-difference-shown' | 'too-few-examples';
  /** Score of the result less that of the other. */
  readonly difference: number;
  /** 95%, of the difference. */
  readonly interval: readonly [low: number, high: number];
  /** Two-sided, corrected for all comparisons of the verdict (Holm). */
  readonly pValue: number;
}

/** Whether it worked: the quick evaluation of held-out examples at a run's end, in a bounded share of its time (`verdictShare`). */
export interface VerdictEvent {
  readonly type: 'verdict';
  /** Held-out examples that were asked, drawn at random. */
  readonly examples: number;
  /** Those there are, with an answer. */
  readonly heldOut: number;
  /** That the evaluation took, opening the models apart. */
  readonly seconds: number;
  /** By which answers were scored, such as `exact`. */
  readonly metric: string;
  /** The run's result first. */
  readonly scores: readonly VerdictScore[];
  /** With each of the others, in their order. */
  readonly comparisons: readonly VerdictComparison[];
  /** Answers of the result that no user would want, by kind, such as `empty`. */
  readonly degenerate: Readonly<Record<string, number>>;
  /** Of the examples, those whose prompt was trained on; null where the training data was not there any more. */
  readonly trainedOn: number | null;
  /** Of the others, those whose prompt is nearly one that was trained on; null likewise. */
  readonly nearlyTrainedOn: number | null;
  /** What it comes to, the most important first. */
  readonly sentences: readonly string[];
}

/** What learning from preferences did to the answers to held-out prompts, beside what the run began with. */
export interface AnswerDriftEvent {
  readonly type: 'answer-drift';
  /** Held-out prompts that both answered; drawn at random, as many as the time allowed. */
  readonly prompts: number;
  /** Mean length of their answers, tokens of what the run began with, and of the result; one that was cut counts as long as it was let be. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
  /** Answers that did not end by themselves, of either. */
  readonly cutBefore: number;
  readonly cutAfter: number;
  /**
   * Kullback-Leibler divergence of the result from what the run began with, nats per token of the result's own answers, drawn at temperature 1:
   * an estimate, which may be below 0 by chance.
   */
  readonly divergence: number;
}

/** What a run says of its result before it ends. */
export type ResultEvent = VerdictEvent | AnswerDriftEvent | SafetyEvent;
