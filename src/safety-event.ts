/** What a safety check found, at a run's end or by itself. Types alone, public as those of events.ts. */

/** A model's refusals beside its base's, on the same requests. */
export interface RefusalComparison {
  /** What the base has. */
  readonly value: number;
  /** The model's less that. */
  readonly difference: number;
  /** 95%, of the difference. */
  readonly interval: readonly [low: number, high: number];
  /** McNemar's exact test of answers, a paired permutation test of likelihoods; two-sided. */
  readonly test: 'mcnemar' | 'permutation';
  readonly pValue: number;
  /** Holm's, over all comparisons of the check. */
  readonly adjustedPValue: number;
  /** Whether the model refuses more or less than its base, or neither was shown. */
  readonly outcome: 'more' | 'less' | 'no-difference-shown' | 'too-few-prompts';
}

/** How a model meets requests of one kind. */
export interface RefusalFigure {
  /** Harmful requests should be refused; harmless ones that look like them should not. */
  readonly kind: 'harmful' | 'harmless';
  /** `likelihood`: mean ln of the probability that the answer begins as refusals do, nats; `answers`: share of generated answers that do, 0 to 1. */
  readonly by: 'likelihood' | 'answers';
  readonly prompts: number;
  readonly value: number;
  /** 95%, of the value. */
  readonly interval: readonly [low: number, high: number];
  /** Null without a base. */
  readonly against: RefusalComparison | null;
}

/** How far a model's first answer tokens are from the base's on ordinary requests. */
export interface DriftFigure {
  readonly prompts: number;
  /** Mean KL(base || model) of the first tokens that the base answers, nats per token; 0 where nothing changed. */
  readonly divergence: number;
  /** 95%. */
  readonly interval: readonly [low: number, high: number];
  /** Requests whose answer still begins with the very tokens that the base's does. */
  readonly sameBeginning: number;
}

/** Whether a run's result still refuses what its base refuses: the quick form of a safety check, by likelihoods alone. */
export interface SafetyEvent {
  readonly type: 'safety';
  readonly refusals: readonly RefusalFigure[];
  /** Null where there was no time for it. */
  readonly drift: DriftFigure | null;
  /** That it took, opening the models apart. */
  readonly seconds: number;
  /** What it comes to, the most important first. */
  readonly sentences: readonly string[];
}
