/** What an evaluation found, every number of it: what is rendered, reported and written as JSON. Types alone. */
import type { BaselineKind } from './baselines.ts';
import type { Comparison, Tied } from './compare.ts';
import type { Degenerate } from './degenerate.ts';
import type { Findings } from './findings.ts';
import type { Judgement } from './judge.ts';
import type { Calibration } from './likelihood/calibration.ts';
import type { LossReport } from './likelihood/loss.ts';
import type { JsonReport } from './metrics/json-fields.ts';
import type { LabelReport } from './metrics/labels.ts';
import type { Passes } from './passes.ts';
import type { MetricScore } from './score-answers.ts';

/** Of the JSON: raised where a program that knows an older one would misread it; what is only added raises nothing. */
export const evaluationVersion = 1;

/** What a model's answers took, those that were computed this time. */
export interface Costs {
  /** Wall-clock time of computing, opening the model apart. */
  readonly seconds: number;
  /** Answers that were computed; the others were there from before. */
  readonly computed: number;
}

/** One model's result. */
export interface ModelEvaluation {
  readonly name: string;
  /** Of each metric, in their order. */
  readonly results: readonly MetricScore[];
  /** pass@k and pass^k by each metric that says right or wrong; null where one answer was taken to each question. */
  readonly passes: readonly Passes[] | null;
  /** Of all answers, those of every draw. */
  readonly degenerate: Degenerate;
  /** Of answers that are labels; null for others. */
  readonly labels: LabelReport | null;
  /** Of answers that are to be JSON; null for others. */
  readonly json: JsonReport | null;
  /** Of choices by likelihood; null for others. */
  readonly calibration: Calibration | null;
  /** In the order of the examples; where only likelihoods were asked for, the likeliest label. */
  readonly answers: readonly string[];
  /** Where several were drawn to each question: all of them, of each example; `answers` has the first. */
  readonly samples: readonly (readonly string[])[] | null;
  readonly costs: Costs;
}

/** What somebody without training would have scored. */
export interface BaselineEvaluation {
  readonly name: string;
  readonly kind: BaselineKind;
  readonly results: readonly MetricScore[];
  /** In the order of the examples. */
  readonly answers: readonly string[];
}

/** How much a doubt takes away: `severe` says that the scores are not what they seem, `warning` that some answers are not, `note` is good to know. */
export type Severity = 'severe' | 'warning' | 'note';

/** Something that speaks against trust. */
export interface Doubt {
  /** Stable, for programs. */
  readonly code: string;
  readonly severity: Severity;
  /** For people, with program words in backticks. */
  readonly sentence: string;
  /** The numbers in the sentence. */
  readonly figures: Readonly<Record<string, number>>;
}

/** A metric of an evaluation. */
export interface MetricUsed {
  readonly name: string;
  readonly summary: string;
  /** Whether scores are 0 or 1 only. */
  readonly binary: boolean;
}

/** What was measured: everything but what is concluded from it. */
export interface Measured {
  readonly version: typeof evaluationVersion;
  readonly examples: number;
  /** Examples of the data without an answer, which were left out. */
  readonly skipped: number;
  /** The first one decides; all of them are compared. */
  readonly metrics: readonly MetricUsed[];
  /** Why this metric; null where it was given. */
  readonly suggested: string | null;
  /** What was asked (the last message) and expected, in their order. */
  readonly questions: readonly { readonly prompt: string; readonly expected: string }[];
  /** The one that was asked for first, then those that it is compared with. */
  readonly models: readonly ModelEvaluation[];
  readonly baselines: readonly BaselineEvaluation[];
  /** Examples that belong together count as one; null: each is one by itself. */
  readonly clusters: { readonly by: string; readonly count: number } | null;
  /** The first model with every other and with every baseline, by each metric. */
  readonly comparisons: readonly Comparison[];
  /** Of each metric, where three or more are compared: who was not shown to differ from whom. */
  readonly ties: readonly Tied[];
  /** What the expected answers cost the models; null where it was not measured. */
  readonly losses: LossReport | null;
  /** What a judge that was named thought: opinions, no measurements; empty where none was. */
  readonly judgements: readonly Judgement[];
  /** What was looked into beside the answers. */
  readonly findings: Findings;
}

/** What an evaluation found. */
export interface Evaluation extends Measured {
  /** What speaks against trust, the worst first. */
  readonly doubts: readonly Doubt[];
  /** In sentences, the most important first. */
  readonly verdict: readonly string[];
}
