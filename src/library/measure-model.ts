/** All that an evaluation wants of one model: answers where a metric asks for some, and likelihoods where one asks for those. */
import type { Answered } from '../evaluate/evaluate-answers.ts';
import { labelMetrics } from '../evaluate/likelihood/label-choices.ts';
import type { Metric } from '../evaluate/metrics/metric.ts';
import type { TestQuestion } from '../evaluate/test-set.ts';
import { type AskModelOptions, askModel } from './ask-model.ts';
import { type LikelihoodOptions, labelChoicesOf, lossesOf } from './likelihoods.ts';

export interface MeasureOptions extends AskModelOptions {
  readonly metrics: readonly Metric[];
  /** Whether the expected answers are scored too. */
  readonly loss?: boolean;
}

interface Named {
  readonly model: string;
  /** In what is told. */
  readonly name: string;
}

/** Choices by likelihood where a metric asks for them, answers where another does. */
async function answered(
  of: Named,
  asked: readonly TestQuestion[],
  options: MeasureOptions,
  likelihoods: LikelihoodOptions,
): Promise<Answered> {
  const { metrics } = options;
  const byLikelihood = metrics.filter(({ name }) => labelMetrics.some((metric) => metric.name === name));
  if (byLikelihood.length === 0) return askModel(of, asked, options);
  const { calibration, chosen, costs, scores } = await labelChoicesOf(asked, likelihoods);
  const given = [{ scores, calibration }];
  if (byLikelihood.length < metrics.length) return { ...(await askModel(of, asked, options)), given };
  return { name: of.name, answers: chosen.map((text) => ({ text, ended: true })), costs, given };
}

/** Measures one model on questions that have the system prompt in them. Rejects with NomoatError. */
export async function measureModel(
  of: Named,
  asked: readonly TestQuestion[],
  options: MeasureOptions,
): Promise<Answered> {
  const { onProgress, signal, threads } = options;
  const likelihoods: LikelihoodOptions = {
    model: of.model,
    ...(threads ? { threads } : {}),
    ...(signal ? { signal } : {}),
    onRow: (done, total) => onProgress?.({ model: `${of.name}, likelihoods`, done, total }),
  };
  const found = await answered(of, asked, options, likelihoods);
  return options.loss ? { ...found, losses: await lossesOf(asked, likelihoods) } : found;
}
