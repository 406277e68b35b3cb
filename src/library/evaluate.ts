/**
 * How well models answer held-out questions, and whether one is better than the others. Promises: all answer the same questions in the way that
 * users get; every comparison is paired, and none is called a difference that was not shown; answers are kept, so that what was interrupted goes on.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { adapterFiles } from '../adapter/read-adapter.ts';
import { NomoatError } from '../errors.ts';
import { askAll, type Degenerate, degenerateOf, type TestAnswer, type TestQuestion } from '../evaluate/ask.ts';
import { type Comparison, compare, comparisonText, type Scores } from '../evaluate/compare.ts';
import { KeptAnswers } from '../evaluate/kept-answers.ts';
import { type LabelReport, labelReport } from '../evaluate/metrics/labels.ts';
import { metrics, suggestMetric } from '../evaluate/metrics/metric.ts';
import { type Interval, wilsonInterval } from '../evaluate/statistics/proportions.ts';
import { bootstrapInterval } from '../evaluate/statistics/resampling.ts';
import { openModel, type ResolvedChat, resolveChat } from '../library.ts';
import { RunFolder } from '../run/run-folder.ts';
import { isRun } from '../settings/load.ts';
import type { MetricName } from '../settings/metric-names.ts';
import { answersFolder, keptAnswersPath } from '../store/cache.ts';
import { digestOf } from '../store/file-digest.ts';
import { promptOf, readTest, type TestData, trainedOn } from './test-data.ts';

/** What is evaluated, and on what. */
export interface EvaluateOptions {
  /** A model's name or file, a run's folder, or one of its checkpoints. */
  readonly model: string;
  /** Others to compare it with, likewise; by default the base of a run, and nothing for other models. */
  readonly against?: readonly string[];
  /** Test data with answers: files or folders, as for `tune`. */
  readonly data: string | readonly string[];
  /** How answers are scored; by default what the data suggests. */
  readonly metric?: MetricName | null;
  /** Examples at most, the first of the data; by default all. */
  readonly limit?: number | null;
  /** Tokens of an answer at most; by default twice as many as the longest expected answer has characters, within 16 and 512. */
  readonly maxTokens?: number | null;
  readonly promptColumn?: string | null;
  readonly completionColumn?: string | null;
  /** Threads to compute with; by default one for each physical core. */
  readonly threads?: number | null;
  /** Stops with the answers so far kept: it rejects with code `interrupted`. */
  readonly signal?: AbortSignal;
  /** Told after each answer. */
  readonly onProgress?: (progress: { readonly model: string; readonly done: number; readonly total: number }) => void;
}

/** One model's result. */
export interface ModelEvaluation {
  readonly name: string;
  /** Mean score, 0 to 1. */
  readonly score: number;
  /** 95%: Wilson's for scores of 0 and 1, else a bias-corrected bootstrap. */
  readonly interval: Interval;
  readonly degenerate: Degenerate;
  /** Of answers that are labels; null for others. */
  readonly labels: LabelReport | null;
  /** In the order of the examples. */
  readonly answers: readonly string[];
  readonly scores: readonly number[];
}

/** What an evaluation found. */
export interface Evaluation {
  readonly metric: MetricName;
  /** Why this metric; null where it was given. */
  readonly suggested: string | null;
  readonly examples: number;
  /** What was asked (the last message) and expected, in their order. */
  readonly questions: readonly { readonly prompt: string; readonly expected: string }[];
  /** The one that was asked for first, then those that it is compared with. */
  readonly models: readonly ModelEvaluation[];
  /** Who always gives the answer that is expected most often. */
  readonly majority: { readonly answer: string; readonly score: number };
  readonly comparisons: readonly Comparison[];
  /** In sentences, the most important first: what speaks against trust, then the comparisons. */
  readonly verdict: readonly string[];
  /** How often this test data was looked at, this time counted. */
  readonly looks: number;
}

/** Bounds of an answer's tokens where nobody says: short labels need few, and a model that never stops is cut. */
const leastTokens = 16;
const mostTokens = 512;
/** From this many looks at the same test data on, what is picked by them is no longer measured by them. */
const manyLooks = 10;
/** Questions at once: more gain little on a few cores. */
const sideBySide = 8;

const majorityName = 'the most frequent answer';

/** All that a model's answers depend on beside questions and sampling, as a name for a file. */
async function identityOf({ adapterPath, chatTemplate, modelPath, specialTokens }: ResolvedChat): Promise<string> {
  const files = adapterPath === null ? [modelPath] : [modelPath, ...adapterFiles(adapterPath)];
  const parts = [await Promise.all(files.map((path) => digestOf(path))), chatTemplate, specialTokens];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Counts one more look at test data, and returns how many there have been. */
function looked(digest: string): number {
  const path = join(answersFolder(), 'looks', digest);
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${new Date().toISOString()}\n`);
  return readFileSync(path, 'utf8').trim().split('\n').length;
}

/** With a system prompt where the data has none. */
const withSystem = (questions: readonly TestQuestion[], system: string | null): readonly TestQuestion[] =>
  system === null
    ? questions
    : questions.map(({ ask, expected }) =>
        'messages' in ask && ask.messages[0]?.role !== 'system'
          ? { ask: { messages: [{ role: 'system', content: system }, ...ask.messages] }, expected }
          : { ask, expected },
      );

/** What all models are asked: the same, with the system prompt that the first one was trained with. */
interface Asked extends TestData {
  readonly system: string | null;
}

/** Opens the model, unless everything has been answered before. */
async function answersOf(name: string, options: EvaluateOptions, { questions, system }: Asked): Promise<TestAnswer[]> {
  const { onProgress, signal, threads } = options;
  const longest = Math.max(...questions.map(({ expected }) => expected.length));
  const maxTokens = options.maxTokens ?? Math.min(mostTokens, Math.max(leastTokens, 2 * longest));
  const identity = await identityOf(await resolveChat({ model: name }));
  const store = new KeptAnswers(keptAnswersPath(identity), `greedy ${maxTokens}`);
  const asked = withSystem(questions, system);
  const known = asked.flatMap((question) => store.find(question) ?? []);
  if (known.length === asked.length) return known;
  const given = { ...(signal ? { signal } : {}), ...(threads ? { threads } : {}) };
  await using model = await openModel({ model: name, sequences: sideBySide, ...given });
  try {
    const found = await askAll(model, asked, {
      maxTokens,
      atOnce: sideBySide,
      store,
      ...(signal ? { signal } : {}),
      onAnswer: (done) => onProgress?.({ model: shownName(name), done, total: asked.length }),
    });
    // What does not fit the context is no answer.
    return found.map((answer) => answer ?? { text: '', ended: false });
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new NomoatError({ part: 'the evaluation', fault: 'was stopped', remedy: 'Its answers are kept: the same call goes on with them.', kind: 'interrupted', cause: error }); // biome-ignore format: one line
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function evaluationOf(
  name: string,
  answers: readonly TestAnswer[],
  { questions }: TestData,
  metric: MetricName,
): ModelEvaluation {
  const { binary, of } = metrics[metric];
  const scores = answers.map(({ text }, i) => of(text, questions[i]!.expected));
  const right = scores.filter((score) => score === 1).length;
  const texts = answers.map(({ text }) => text.trim());
  const expected = questions.map((question) => question.expected.trim());
  const areLabels = metric === 'exact' && suggestMetric(expected).name === 'exact';
  return {
    name,
    score: mean(scores),
    interval: binary ? wilsonInterval(right, scores.length) : bootstrapInterval(scores),
    degenerate: degenerateOf(answers),
    labels: areLabels ? labelReport(texts, expected) : null,
    answers: answers.map(({ text }) => text),
    scores,
  };
}

function majorityOf({ questions }: TestData, metric: MetricName): Scores & { readonly answer: string } {
  const counts = new Map<string, number>();
  for (const { expected } of questions) counts.set(expected, (counts.get(expected) ?? 0) + 1);
  const [answer = ''] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  return { name: majorityName, answer, scores: questions.map(({ expected }) => metrics[metric].of(answer, expected)) };
}

interface Doubts {
  readonly examples: number;
  readonly skipped: number;
  readonly seen: number;
  readonly looks: number;
}

/** What speaks against trust, in sentences. */
function doubtsOf({ examples, looks, seen, skipped }: Doubts, first: ModelEvaluation): string[] {
  const { empty, repeating, unended } = first.degenerate;
  return [
    ...(seen > 0 ? [`${seen} of the ${examples} test examples were trained on: the score says that much less of new ones.`] : []),
    ...(looks >= manyLooks ? [`This test data has been looked at ${looks} times: what is chosen by it is no longer measured by it. Take new data for the last word.`] : []),
    ...(empty > 0 ? [`${empty} answers of ${first.name} are empty.`] : []),
    ...(unended > 0 ? [`${unended} answers of ${first.name} did not end by themselves.`] : []),
    ...(repeating > 0 ? [`${repeating} answers of ${first.name} repeat themselves.`] : []),
    ...(skipped > 0 ? [`${skipped} examples without an answer were left out.`] : []),
  ]; // biome-ignore format: sentences
}

/** A fine-tune that is not shown to be better than something is said before what it is better than. */
const worstFirst = (comparisons: readonly Comparison[]): Comparison[] =>
  [...comparisons].sort((a, b) => Number(a.verdict === 'better') - Number(b.verdict === 'better'));

/** Who a model is compared with where nobody says. */
function usualRivals(model: string): readonly string[] {
  if (!isRun(model)) return [];
  const { settings } = new RunFolder(model).read();
  return settings.method === 'lora' ? [settings.modelPath] : [];
}

/** Evaluates a model, and compares it with others on the same examples. Rejects with NomoatError. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { against, model, signal } = options;
  const { modelPath, systemPrompt: system } = await resolveChat({ model });
  const data = await readTest(options, modelPath);
  signal?.throwIfAborted();
  const expected = data.questions.map((question) => question.expected);
  const suggestion = options.metric ? null : suggestMetric(expected);
  const metric = options.metric ?? suggestion!.name;
  const names = [model, ...(against ?? usualRivals(model))];
  const models: ModelEvaluation[] = [];
  for (const name of names) models.push(evaluationOf(shownName(name), await answersOf(name, options, { ...data, system }), data, metric)); // biome-ignore format: one line
  const [first, ...others] = models;
  const majority = majorityOf(data, metric);
  const comparisons = compare(first!, [majority, ...others], { binary: metrics[metric].binary });
  const looks = looked(data.digest);
  const examples = data.questions.length;
  const doubts = doubtsOf({ examples, skipped: data.skipped, seen: await trainedOn(model, data), looks }, first!); // biome-ignore format: one line
  return {
    metric,
    suggested: suggestion?.why ?? null,
    examples,
    questions: data.questions.map((question) => ({ prompt: promptOf(question), expected: question.expected })),
    models,
    majority: { answer: majority.answer, score: mean(majority.scores) },
    comparisons,
    verdict: [...doubts, ...worstFirst(comparisons).map((each) => comparisonText(each, examples))],
    looks,
  };
}

/** A file by its name, a run by its folder's. */
const shownName = (model: string): string => basename(model).replace(/\.gguf$/i, '') || model;
