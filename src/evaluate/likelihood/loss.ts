/**
 * How likely models hold the expected answers, and whether one holds them likelier than others: lower is better. Promises: comparisons are
 * paired, by the mean loss of each example's tokens. Pure.
 */
import { fewestExamples, type Verdict } from '../compare.ts';
import { meanInterval } from '../statistics/mean-interval.ts';
import { holm } from '../statistics/multiple.ts';
import { confidence, type Interval } from '../statistics/proportions.ts';
import { pairedPermutation } from '../statistics/resampling.ts';
import { mean, sum } from '../statistics/sums.ts';
import { type TestSet, unitsOf } from '../test-set.ts';

/** What one expected answer costs a model. */
export interface ExampleLoss {
  /** -ln p of the whole answer and the end of its turn. */
  readonly nats: number;
  /** Tokens of the answer, the end of its turn counted. */
  readonly tokens: number;
  /** Of the answer's text, UTF-8. */
  readonly bytes: number;
}

/** What the expected answers cost one model. */
export interface ModelLoss {
  readonly name: string;
  /** Of all answers' tokens, nats each: as training reports its held-out loss. */
  readonly loss: number;
  /** e to that power. */
  readonly perplexity: number;
  /** Bits for each byte of the answers: of models with other tokenizers, this is what compares. */
  readonly bitsPerByte: number;
  /** In the order of the examples. */
  readonly examples: readonly ExampleLoss[];
}

/** Two models by the loss of the same answers. */
export interface LossComparison {
  readonly first: string;
  readonly second: string;
  /** Mean over examples of the first's loss per token less the second's, nats: below 0, the first is better. */
  readonly difference: number;
  /** Of the difference, 95%: the wider of Student's and a bootstrap; Student's alone for clusters. */
  readonly interval: Interval;
  /** Two-sided, of a paired permutation test. */
  readonly pValue: number;
  /** Holm's, over all comparisons by loss. */
  readonly adjustedPValue: number;
  readonly verdict: Verdict;
}

/** The loss of the expected answers. */
export interface LossReport {
  readonly models: readonly ModelLoss[];
  /** The first model with every other. */
  readonly comparisons: readonly LossComparison[];
}

/** A model that may have been measured: its losses in the order of the examples. */
interface Losses {
  readonly name: string;
  readonly losses?: readonly ExampleLoss[];
}

/** Of all answers together. */
export function modelLoss(name: string, examples: readonly ExampleLoss[]): ModelLoss {
  const [nats, tokens, bytes] = (['nats', 'tokens', 'bytes'] as const).map((key) =>
    sum(examples.map((each) => each[key])),
  );
  const loss = nats! / tokens!;
  return { name, loss, perplexity: Math.exp(loss), bitsPerByte: nats! / Math.LN2 / bytes!, examples };
}

const perToken = ({ losses = [] }: Losses): number[] => losses.map(({ nats, tokens }) => nats / tokens);

/** The losses of models on the same test set, the first compared with every other; null where they were not measured. */
export function lossReport(models: readonly Losses[], test: TestSet): LossReport | null {
  const [first, ...others] = models.filter(({ losses }) => losses !== undefined);
  if (!first) return null;
  const grouped = test.clusters ? { clusters: test.clusters.names } : {};
  const own = perToken(first);
  const found = others.map((other) => {
    const theirs = perToken(other);
    const differences = own.map((loss, i) => loss - theirs[i]!);
    return {
      first: first.name,
      second: other.name,
      difference: mean(differences),
      interval: meanInterval(differences, test.clusters?.names),
      pValue: pairedPermutation(differences, grouped),
    };
  });
  const adjusted = holm(found.map(({ pValue }) => pValue));
  const comparisons = found.map((each, i): LossComparison => {
    const isShown = adjusted[i]! < 1 - confidence;
    const verdict =
      unitsOf(test) < fewestExamples
        ? 'too-few-examples'
        : !isShown
          ? 'no-difference-shown'
          : each.difference < 0
            ? 'better'
            : 'worse';
    return { ...each, adjustedPValue: adjusted[i]!, verdict };
  });
  return { models: [first, ...others].map(({ losses = [], name }) => modelLoss(name, losses)), comparisons };
}

const nats = (value: number): string => value.toFixed(3);

/** A comparison as a sentence. */
export function lossText({
  adjustedPValue,
  difference,
  first,
  interval: [low, high],
  second,
  verdict,
}: LossComparison): string {
  const seen = `${nats(Math.abs(difference))} nats per token ${difference <= 0 ? 'less' : 'more'}, 95% interval of the difference ${nats(low)} to ${nats(high)}, ${adjustedPValue < 0.001 ? 'p < 0.001' : `p = ${adjustedPValue.toFixed(3)}`}`;
  const of = 'by the loss of the expected answers (lower is better)';
  if (verdict === 'better' || verdict === 'worse') return `${first} is ${verdict} than ${second} ${of}: ${seen}.`;
  if (verdict === 'too-few-examples')
    return `The examples are too few to compare ${first} with ${second} ${of}: ${seen}.`;
  return `No difference shown between ${first} and ${second} ${of}: ${seen}.`;
}
