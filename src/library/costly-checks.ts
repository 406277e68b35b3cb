/** What an evaluation looks into where it is asked to, since models have to answer once more for it: examples in the prompt, other wordings. */
import { basename } from 'node:path';
import { shuffled } from '../batches/order.ts';
import { NomoatError } from '../errors.ts';
import type { Baseline } from '../evaluate/baselines.ts';
import { withShots } from '../evaluate/few-shot.ts';
import type { Findings } from '../evaluate/findings.ts';
import { labelMetrics } from '../evaluate/likelihood/label-choices.ts';
import { type Metric, metricOf } from '../evaluate/metrics/metric.ts';
import { reworded, rewordings, type Sensitivity } from '../evaluate/rewordings.ts';
import { type Draws, scoreAnswers } from '../evaluate/score-answers.ts';
import { holm } from '../evaluate/statistics/multiple.ts';
import { pairedPermutation } from '../evaluate/statistics/resampling.ts';
import { roomForAnswers, type TestQuestion, testSetOf, withSystem } from '../evaluate/test-set.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { defaultContextSize } from '../llama/context-size.ts';
import { readModelConfig } from '../models/config.ts';
import { type AskModelOptions, askModel } from './ask-model.ts';
import { measureForgetting, measureMemorisation } from './memory-checks.ts';

interface Named {
  readonly model: string;
  /** In what is told. */
  readonly name: string;
}

/** Examples in the prompt, and whose. */
interface ShotsGiven {
  readonly count: number;
  /** What the run that is evaluated learnt; null where that is not known. */
  readonly learnt: readonly TestQuestion[] | null;
  /** The run's base, by its file. */
  readonly base: Named | null;
}

const noShots = (fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'invalid-settings', part: '`shots`', fault, remedy });

/** Tokens that a prompt of the model may have with its answer. */
function contextOf(modelPath: string): number {
  const model = openGguf(modelPath);
  try {
    return Math.min(defaultContextSize, readModelConfig(model).contextLength);
  } finally {
    model.close();
  }
}

/** The base with training examples in its prompt. `asked` has the system prompt in it. Rejects with NomoatError. */
async function fewShotBaseline(
  asked: readonly TestQuestion[],
  { base, count, learnt }: ShotsGiven,
  options: AskModelOptions,
): Promise<Baseline> {
  if (base === null || learnt === null || learnt.length === 0)
    throw noShots(
      'wants the examples that a run has learnt, and they are not known',
      'Evaluate a fine-tuning run whose data is where it was.',
    );
  // The same room for an answer as without examples, so that the answers compare.
  const answerTokens = options.maxTokens ?? roomForAnswers(asked);
  const shown = withShots(asked, learnt, { count, seed: options.seed, most: contextOf(base.model), answerTokens });
  if (shown.count === 0) throw noShots('not even one example fits before the longest question', 'Leave it out.');
  const { answers } = await askModel(base, shown.questions, {
    ...options,
    samples: 1,
    temperature: 0,
    maxTokens: answerTokens,
  });
  const fewer = shown.count < count ? ` (of ${count}: more do not fit)` : '';
  const name = `${base.name} with ${shown.count} examples in the prompt${fewer}`;
  return { name, kind: 'few-shot', answers: answers.map(({ text }) => text) };
}

/** Examples that are asked in other words: each is asked five times. */
const mostReworded = 100;

/** What is known of the questions as they are. */
interface AsTheyAre {
  readonly asked: readonly TestQuestion[];
  readonly answers: readonly string[];
  readonly metrics: readonly Metric[];
}

/** Choices by likelihood have no words that could be scored. */
const scoredBy = ([first]: readonly Metric[]): Metric =>
  first && !labelMetrics.some(({ name }) => name === first.name) ? first : metricOf('exact');

/** One answer to each. */
const once = (answers: readonly string[]): Draws => ({ answers: [answers], of: 'samples' });

/** How a model's scores move where the same is asked in other words. Rejects with NomoatError. */
async function sensitivityOf(
  of: Named,
  { answers, asked, metrics }: AsTheyAre,
  options: AskModelOptions,
): Promise<Sensitivity> {
  const chosen = shuffled(asked.length, options.seed).slice(0, mostReworded);
  const questions = chosen.map((i) => asked[i]!);
  const metric = scoredBy(metrics);
  const maxTokens = options.maxTokens ?? roomForAnswers(asked);
  const test = testSetOf(questions);
  const usual = await scoreAnswers(once(chosen.map((i) => answers[i]!)), test, metric);
  const found = [];
  for (const how of rewordings) {
    const changed = questions.map((question) => reworded(question, how));
    const given = await askModel(of, changed, { ...options, samples: 1, temperature: 0, maxTokens });
    const { score, scores } = await scoreAnswers(once(given.answers.map(({ text }) => text)), test, metric);
    found.push({ how, score, differences: scores.map((each, i) => each - usual.scores[i]!) });
  }
  const pValues = holm(found.map(({ differences }) => pairedPermutation(differences)));
  return {
    examples: questions.length,
    score: usual.score,
    rewordings: found.map(({ how, score }, i) => ({
      how,
      score,
      difference: score - usual.score,
      pValue: pValues[i]!,
    })),
  };
}

/** Who is looked into: one model, which stands for its repeats. */
export interface LookedInto extends Named {
  /** The file of the base that it was trained on; null where that is not known. */
  readonly base: string | null;
  readonly learnt: readonly TestQuestion[] | null;
  /** The system prompt that it was trained with, where its data has one. */
  readonly system: string | null;
}

/** What is asked for beside the answers. */
export interface CostlyOptions extends AskModelOptions {
  readonly shots?: number | null;
  readonly reworded?: boolean;
  readonly forgetting?: boolean;
  readonly memorisation?: boolean;
  readonly canaries?: string | null;
}

/** What was asked for of all this, and nothing where nothing was. Rejects with NomoatError. */
export async function costlyChecks(
  of: LookedInto,
  usual: AsTheyAre,
  options: CostlyOptions,
): Promise<{ readonly baselines: readonly Baseline[]; readonly findings: Findings }> {
  const { base, learnt, model, name } = of;
  const { canaries = null, forgetting, memorisation, reworded: isReworded, shots, ...asking } = options;
  const named = base === null ? null : { model: base, name: `the base ${basename(base).replace(/\.gguf$/i, '')}` };
  const baselines = shots ? [await fewShotBaseline(usual.asked, { count: shots, learnt, base: named }, asking)] : [];
  const sensitivity = isReworded ? await sensitivityOf({ model, name: `${name}, reworded` }, usual, asking) : undefined;
  const pair = { model, name, base: base ?? '' };
  const isByHeart = memorisation || canaries !== null;
  if (base === null && (forgetting || isByHeart))
    throw unknown(forgetting ? 'forgetting' : 'memorisation', 'a base to compare it with');
  if (isByHeart && !learnt?.length) throw unknown('memorisation', 'the examples that it has learnt');
  const compared = { learnt: withSystem(learnt ?? [], of.system), heldOut: usual.asked, canaries };
  const findings: Findings = {
    ...(sensitivity ? { sensitivity } : {}),
    ...(forgetting ? { forgetting: await measureForgetting(pair, asking) } : {}),
    ...(isByHeart ? { memorisation: await measureMemorisation(pair, compared, asking) } : {}),
  };
  return { baselines, findings };
}

/** Said of what only a run has. */
const unknown = (option: string, what: string): NomoatError =>
  new NomoatError({
    code: 'invalid-settings',
    part: `\`${option}\``,
    fault: `wants ${what}, and that is not known`,
    remedy: 'Evaluate a LoRA run whose data is where it was.',
  });
