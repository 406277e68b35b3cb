/**
 * How well models answer held-out questions, and whether one is better than the others. Promises: all answer the same questions in the way that
 * users get; every comparison is paired, and none is called a difference that was not shown; answers are kept, so that what was interrupted goes on.
 */
import { defaultSampling } from '../chat/chat-model.ts';
import { NomoatError } from '../errors.ts';
import { type Baseline, majorityAnswer, nearestAnswer } from '../evaluate/baselines.ts';
import { contaminationOf } from '../evaluate/contamination.ts';
import { type Answered, evaluateAnswers } from '../evaluate/evaluate-answers.ts';
import type { Evaluation } from '../evaluate/evaluation.ts';
import type { Findings } from '../evaluate/findings.ts';
import { type Judge, judgeAll } from '../evaluate/judge.ts';
import { countLook } from '../evaluate/looks.ts';
import { metricOf, suggestMetric } from '../evaluate/metrics/metric.ts';
import { type TestQuestion, type TestSet, withSystem } from '../evaluate/test-set.ts';
import { listOf, resolveChat } from '../library.ts';
import { evalSettings } from '../settings/command-settings.ts';
import type { TaskName } from '../settings/task-names.ts';
import type { AskModelOptions } from './ask-model.ts';
import {
  type Contestant,
  combined,
  contestantsOf,
  learntBy,
  measureContestant,
  nameOfMember,
  usualRivals,
} from './contestants.ts';
import { costlyChecks } from './costly-checks.ts';
import { type EvaluationOutputs, openOutputs } from './evaluation-outputs.ts';
import { judgeModel } from './judge-model.ts';
import { loadMetrics, type MetricGiven } from './load-metric.ts';
import { type OpenedEvals, openEvals } from './openai-evals.ts';
import { readTest } from './test-data.ts';

/** What is evaluated, and on what. */
export interface EvaluateOptions extends EvaluationOutputs {
  /** A model's name or file, a run's folder, one of its checkpoints, or the folder of a run's repeats with other seeds. */
  readonly model: string;
  /** Others to compare it with, likewise; by default the base of a run, and nothing for other models. */
  readonly against?: readonly string[];
  /** Test data with answers: files or folders, as for `tune`; with `evals`, files of items, which the definition may have itself. */
  readonly data: string | readonly string[];
  /**
   * How answers are scored; by default what the data suggests. A name, a function of your own or the path of a file that exports one as its default,
   * or several of them: the first one decides, all are compared.
   */
  readonly metric?: MetricGiven | readonly MetricGiven[] | null;
  /** Of the metric `regex`, as JavaScript writes it: the answer has to match, or, where it has a group, what that takes has to be the expected answer. */
  readonly pattern?: string | null;
  /** A column of what belongs together and counts as one; or conversation, template or none. By default by conversation, where several begin alike. */
  readonly cluster?: string | null;
  /** A standard task, of `data` as its authors publish it: asked and scored as lm-evaluation-harness does, instead of by a metric. */
  readonly task?: TaskName | null;
  /**
   * Of a task: examples before each question; by default as many as lm-evaluation-harness puts there. Else training examples in the prompt of a run's
   * base, as one more baseline, fewer where they do not fit; by default no such baseline.
   */
  readonly shots?: number | null;
  /**
   * A model of a server that speaks OpenAI's API, as address and name (`https://host/v1/model`), which is asked over the network whose answers it
   * prefers, with the key in the environment's NOMOAT_JUDGE_API_KEY. An opinion, told as one.
   */
  readonly judge?: string | null;
  /**
   * A definition of OpenAI's evals, instead of a metric: files of the eval and of the run that has its prompts (JSON), or of the registry (YAML). Its graders are
   * the metrics; those that ask a model ask `judge`, and code is not run.
   */
  readonly evals?: readonly string[];
  /** Of humaneval: whether programs that a model writes are run, in a sandbox (default: false). */
  readonly runCode?: boolean;
  /** Measures the loss of the expected answers too: perplexity, bits per byte (default: false). */
  readonly loss?: boolean;
  /** Examples at most, the first of the data; by default all. */
  readonly limit?: number | null;
  /** Tokens of an answer at most; by default twice as many as the longest expected answer has characters, within 16 and 512. */
  readonly maxTokens?: number | null;
  /** Answers that are drawn to each question; the report then has pass@k and pass^k (default: 1). */
  readonly samples?: number | null;
  /** 0 always takes the likeliest token; by default that, and 0.7 where several answers are drawn. */
  readonly temperature?: number | null;
  /** Of drawn answers: with the same one, the same answers (default: 0). */
  readonly seed?: number | null;
  /** Whether up to 100 questions are asked in five other wordings, to see how the scores move (default: no). */
  readonly reworded?: boolean;
  /** Whether general text and questions are asked of the model and its base, to see what it has forgotten (default: no). */
  readonly forgetting?: boolean;
  /** Whether answers that a run has learnt are compared with held-out ones, to see what it knows by heart (default: no). */
  readonly memorisation?: boolean;
  /** A text file of what should not be known, a text on each line: how exposed each is among others of its form; by default none. */
  readonly canaries?: string | null;
  readonly promptColumn?: string | null;
  readonly completionColumn?: string | null;
  /** Threads to compute with; by default one for each physical core. */
  readonly threads?: number | null;
  /** Stops with the answers so far kept: it rejects with code `interrupted`. */
  readonly signal?: AbortSignal;
  /** Told after each answer. */
  readonly onProgress?: (progress: { readonly model: string; readonly done: number; readonly total: number }) => void;
}

/** What the first model learnt, where that is known. */
type Learnt = readonly TestQuestion[] | null;

/** What is looked into beside the answers of the first model. */
const findingsOf = async (test: TestSet, learnt: Learnt, signal?: AbortSignal): Promise<Findings> => ({
  looks: countLook(test.digest),
  ...(learnt ? await contaminationOf(test, learnt, signal) : {}),
});

const baselinesOf = (test: TestSet, learnt: Learnt): Baseline[] => [
  majorityAnswer(test),
  ...(learnt && learnt.length > 0 ? [nearestAnswer(test, learnt)] : []),
];

/** Answers are drawn where several are asked for, as chat draws them; a single one is greedy unless a temperature is given. */
const usualTemperature = defaultSampling.temperature;

/** How answers are drawn. Throws NomoatError where all would be the same. */
function drawsOf({
  samples,
  seed,
  temperature,
}: EvaluateOptions): Pick<AskModelOptions, 'samples' | 'temperature' | 'seed'> {
  const count = samples ?? 1;
  if (count > 1 && temperature === 0)
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`samples`',
      fault: `asks for ${count} answers to each question, and at temperature 0 all of them are the same`,
      remedy: 'Give a `temperature` above 0.',
    });
  return { samples: count, temperature: temperature ?? (count > 1 ? usualTemperature : 0), seed: seed ?? 0 };
}

const metricsGiven = ({ metric }: EvaluateOptions): readonly MetricGiven[] =>
  metric === null || metric === undefined
    ? []
    : typeof metric === 'string' || typeof metric === 'function'
      ? [metric]
      : metric;

/** What says how answers are got and scored: a task has its own ways. */
const notOfEvals = [
  'task',
  'metric',
  'pattern',
  'cluster',
  'promptColumn',
  'completionColumn',
  'shots',
  'runCode',
] as const;
const notOfTasks = [
  'metric',
  'pattern',
  'cluster',
  'judge',
  'samples',
  'temperature',
  'seed',
  'maxTokens',
  'promptColumn',
  'completionColumn',
  'loss',
  'reworded',
  'forgetting',
  'memorisation',
  'canaries',
] as const;

/** A task, or a definition of an eval, decides how it is asked; and nothing but a task runs code. */
function assertTaskAlone(options: EvaluateOptions): void {
  const usual: Readonly<Record<string, unknown>> = evalSettings.parse({});
  const isGiven = (name: keyof EvaluateOptions): boolean =>
    options[name] !== undefined && JSON.stringify(options[name]) !== JSON.stringify(usual[name]);
  const needless = (options.evals?.length ? notOfEvals : options.task ? notOfTasks : (['runCode'] as const)).find(
    isGiven,
  );
  if (needless === undefined) return;
  const [fault, remedy] = options.evals?.length
    ? ['is of no use with `evals`, whose definition says how it is asked and graded', 'Leave it out.']
    : options.task
      ? [`is of no use with the task ${options.task}, which says how it is asked and scored`, 'Leave it out.']
      : ['is of no use without a task', 'Name one: `task`.'];
  throw new NomoatError({ code: 'invalid-settings', part: `\`${needless}\``, fault: fault!, remedy: remedy! });
}

/** Evaluates a model, and compares it with others on the same examples. Rejects with NomoatError. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const write = openOutputs(options);
  const evaluation = await evaluationOf(options);
  write(evaluation);
  return evaluation;
}

/** Every member is asked the task; repeats are one again then. */
async function byTask(
  contestants: readonly Contestant[],
  options: EvaluateOptions & { readonly task: TaskName },
): Promise<Evaluation> {
  // With what tasks are checked by, a list of languages among it, which a program that imports the library does not wait for.
  const { askTask } = await import('./evaluate-task.ts');
  const members = contestants.flatMap((each) =>
    each.members.map((model) => ({ model, name: nameOfMember(each, model) })),
  );
  const { models, ...asked } = await askTask(members, options);
  const waiting = [...models];
  const together = contestants.map(({ members: own, name }) => combined(name, waiting.splice(0, own.length)));
  return evaluateAnswers({ ...asked, models: together, findings: { looks: countLook(asked.test.digest) } });
}

/** What the judge is asked is told like answers of a model. */
const judgeOptions = ({ name }: Judge, total: number, { onProgress, signal }: EvaluateOptions) => {
  let done = 0;
  return {
    ...(signal ? { signal } : {}),
    onJudged: () => onProgress?.({ model: `judge ${name}`, done: ++done, total }),
  };
};

/** Thoughts before a label or a number are borne. */
const graderTokens = 1024;

/** The definition opened; its judge is asked by its graders alone. */
async function evalsOf(evals: readonly string[], { data, judge, limit }: EvaluateOptions): Promise<OpenedEvals> {
  const judged = judge ? judgeModel(judge, process.env, graderTokens) : null;
  const opened = await openEvals({
    evals,
    data: data.length === 0 ? [] : listOf(data),
    limit: limit ?? null,
    judge: judged,
  });
  if (judged && !opened.isJudged)
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`judge`',
      fault: 'is asked by no grader of the definition',
      remedy: 'Leave it out.',
    });
  return opened;
}

/** The evaluation by a task or by metrics. */
async function evaluationOf(options: EvaluateOptions): Promise<Evaluation> {
  const { against, model, signal } = options;
  const contestants = contestantsOf([model, ...(against ?? usualRivals(model))]);
  const [representative] = contestants[0]!.members;
  assertTaskAlone(options);
  if (options.task) return byTask(contestants, { ...options, task: options.task });
  const opened = options.evals?.length ? await evalsOf(options.evals, options) : null;
  const given = opened?.metrics ?? (await loadMetrics(metricsGiven(options), options.pattern ?? null));
  const draws = drawsOf(options);
  const judge = options.judge && !opened ? judgeModel(options.judge) : null;
  if (judge && contestants.length < 2)
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`judge`',
      fault: 'has nothing to compare the answers with',
      remedy: 'Name another model: `against`.',
    });
  const { modelPath, systemPrompt } = await resolveChat({ model: representative! });
  const test = opened?.test ?? (await readTest(options, modelPath));
  signal?.throwIfAborted();
  const learnt = await learntBy(contestants[0]!);
  const suggestion = given.length > 0 ? null : suggestMetric(test.questions.map(({ expected }) => expected));
  const maxTokens = options.maxTokens ?? opened?.maxTokens ?? null;
  const metrics = suggestion ? [metricOf(suggestion.name)] : given;
  // All are asked alike: with the system prompt that the first one was trained with.
  const asked = withSystem(test.questions, systemPrompt);
  const models: Answered[] = [];
  for (const each of contestants)
    models.push(await measureContestant(each, asked, { ...options, ...draws, metrics, maxTokens }));
  const further = await costlyChecks(
    {
      model: representative!,
      name: contestants[0]!.name,
      base: usualRivals(model)[0] ?? null,
      learnt,
      system: systemPrompt ?? null,
    },
    { asked, answers: models[0]!.answers.map(({ text }) => text), metrics },
    { ...options, ...draws, maxTokens },
  );
  const judgements = judge
    ? await judgeAll(judge, test, models, judgeOptions(judge, (models.length - 1) * test.questions.length, options))
    : [];
  return evaluateAnswers({
    test,
    metrics,
    judgements,
    suggested: suggestion?.why ?? null,
    models,
    baselines: [...baselinesOf(test, learnt), ...further.baselines],
    findings: { ...(await findingsOf(test, learnt, signal)), ...further.findings },
  });
}
