/**
 * An evaluation as logs of Inspect (inspect_ai), one for each model, which `inspect view` and its data frames open. Pure.
 * Form: https://inspect.aisi.org.uk/eval-logs.html, version 2, JSON.
 */
import { createHash } from 'node:crypto';
import type { Evaluation, ModelEvaluation } from '../evaluation.ts';
import { standardError, type ViewerFacts, type ViewerFiles } from './lm-eval.ts';

/** Of inspect's logs. */
const logVersion = 2;
/** Inspect's ids have 22 letters and digits. */
const idOf = (text: string): string =>
  createHash('sha256')
    .update(text)
    .digest('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 22);

/** Right and wrong as inspect's own scorers say it; graded scores as numbers. */
const gradeOf = (score: number, isBinary: boolean): string | number => (isBinary ? (score === 1 ? 'C' : 'I') : score);

function sampleOf({ metrics, questions }: Evaluation, { answers, name, results }: ModelEvaluation, i: number): object {
  const { expected, prompt } = questions[i]!;
  const answer = answers[i]!;
  const message = { role: 'assistant', content: answer, source: 'generate', model: `nomoat/${name}` };
  const scores = results.map(({ metric, scores: each }, m) => [
    metric,
    { value: gradeOf(each[i]!, metrics[m]!.binary), answer, history: [] },
  ]);
  return {
    id: i + 1,
    epoch: 1,
    input: prompt,
    target: expected,
    messages: [{ role: 'user', content: prompt, source: 'input' }, message],
    output: { model: `nomoat/${name}`, choices: [{ message, stop_reason: 'stop' }], completion: answer },
    scores: Object.fromEntries(scores),
    metadata: {},
    store: {},
    events: [],
    model_usage: {},
    attachments: {},
  };
}

function scoresOf({ metrics }: Evaluation, { results }: ModelEvaluation): object[] {
  return results.map(({ interval, metric, score, scores }, m) => {
    const mean = metrics[m]!.binary ? 'accuracy' : 'mean';
    const figures = [
      [mean, score],
      ['stderr', standardError(scores)],
      ['interval_low', interval[0]],
      ['interval_high', interval[1]],
    ] as const;
    return {
      name: metric,
      scorer: metric,
      scored_samples: scores.length,
      unscored_samples: 0,
      params: {},
      metrics: Object.fromEntries(figures.map(([name, value]) => [name, { name, value, params: {} }])),
    };
  });
}

/** One log. */
function logOf(evaluation: Evaluation, model: ModelEvaluation, { date, task, version }: ViewerFacts): object {
  const created = date.toISOString().replace(/\.\d+Z$/, '+00:00');
  const { doubts, examples, verdict } = evaluation;
  return {
    version: logVersion,
    status: 'success',
    eval: {
      eval_id: idOf(`eval ${created} ${model.name}`),
      run_id: idOf(`run ${created}`),
      created,
      task,
      task_id: idOf(`task ${task} ${model.name}`),
      task_version: 0,
      task_attribs: {},
      task_args: {},
      dataset: {
        name: task,
        samples: examples,
        sample_ids: Array.from({ length: examples }, (_, i) => i + 1),
        shuffled: false,
      },
      model: `nomoat/${model.name}`,
      model_args: {},
      config: { epochs: 1 },
      packages: { nomoat: version },
      // What makes the scores doubtful goes with them.
      metadata: { verdict, doubts },
    },
    plan: { name: 'plan', steps: [], config: {} },
    results: { total_samples: examples, completed_samples: examples, scores: scoresOf(evaluation, model) },
    stats: { started_at: created, completed_at: created, model_usage: {} },
    samples: Array.from({ length: examples }, (_, i) => sampleOf(evaluation, model, i)),
  };
}

/** A log of every model, named as inspect names its own. */
export function inspectFiles(evaluation: Evaluation, facts: ViewerFacts): ViewerFiles {
  const at = facts.date
    .toISOString()
    .replace(/\.\d+Z$/, '+00-00')
    .replaceAll(':', '-');
  const safe = facts.task.replace(/[^\w-]/g, '-');
  return Object.fromEntries(
    evaluation.models.map((model) => [
      `${at}_${safe}_${idOf(`task ${facts.task} ${model.name}`)}.json`,
      JSON.stringify(logOf(evaluation, model, facts), null, 2),
    ]),
  );
}
