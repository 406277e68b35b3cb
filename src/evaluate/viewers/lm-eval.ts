/**
 * An evaluation as lm-evaluation-harness 0.4 writes its results and samples, so that what reads those reads these: results_DATE.json and
 * samples_TASK_DATE.jsonl in a folder for each model. What the harness measures and nomoat does not is null. Pure.
 * Form: https://github.com/EleutherAI/lm-evaluation-harness, lm_eval/loggers/evaluation_tracker.py and lm_eval/evaluator.py
 */
import { createHash } from 'node:crypto';
import type { Evaluation, ModelEvaluation } from '../evaluation.ts';
import { mean, sum } from '../statistics/sums.ts';

/** What an evaluation does not know of itself. */
export interface ViewerFacts {
  /** Of the test data, as the task's name. */
  readonly task: string;
  readonly date: Date;
  /** nomoat's. */
  readonly version: string;
}

/** Files by their paths within a folder. */
export type ViewerFiles = Readonly<Record<string, string>>;

/** The harness' names of metrics, where it has them. */
const names: Readonly<Record<string, string>> = { exact: 'exact_match', 'token-f1': 'f1', 'rouge-l': 'rougeL' };
const nameOf = (metric: string): string => names[metric] ?? metric;

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
/** As the harness' `sanitize_model_name`; further what no file may be called. */
const sanitized = (name: string): string => name.replace(/["<>:/|\\?*[\]]+/g, '__').replace(/^\.+/, '_');

/** Of the mean, by the sample's deviation, as the harness has it. */
export function standardError(scores: readonly number[]): number {
  const centre = mean(scores);
  const squares = sum(scores.map((score) => (score - centre) ** 2));
  return scores.length < 2 ? 0 : Math.sqrt(squares / (scores.length - 1) / scores.length);
}

interface Sample extends Readonly<Record<string, unknown>> {
  readonly doc_hash: string;
  readonly prompt_hash: string;
  readonly target_hash: string;
}

function samplesOf({ metrics, questions }: Evaluation, { answers, results }: ModelEvaluation): Sample[] {
  return questions.map(({ expected, prompt }, i) => {
    const doc = { prompt, expected };
    const scores = Object.fromEntries(results.map(({ metric, scores: each }) => [nameOf(metric), each[i]!]));
    return {
      doc_id: i,
      doc,
      target: expected,
      arguments: { gen_args_0: { arg_0: prompt, arg_1: { until: [] } } },
      resps: [[answers[i]!]],
      filtered_resps: [answers[i]!],
      filter: 'none',
      metrics: metrics.map(({ name }) => nameOf(name)),
      // Python's json.dumps with an indent of 2 writes such an object alike.
      doc_hash: hash(JSON.stringify(doc, null, 2)),
      prompt_hash: hash(prompt),
      target_hash: hash(expected),
      ...scores,
    };
  });
}

function resultsOf(
  evaluation: Evaluation,
  model: ModelEvaluation,
  samples: readonly Sample[],
  facts: ViewerFacts,
): object {
  const { task } = facts;
  const { examples, metrics } = evaluation;
  const figures = model.results.flatMap(({ metric, score, scores }) => [
    [`${nameOf(metric)},none`, score],
    [`${nameOf(metric)}_stderr,none`, standardError(scores)],
  ]);
  const metricList = metrics.map(({ name }) => ({ metric: nameOf(name), aggregation: 'mean', higher_is_better: true }));
  return {
    results: { [task]: { name: task, alias: task, sample_len: examples, ...Object.fromEntries(figures) } },
    group_subtasks: {},
    configs: { [task]: { task, dataset_path: 'json', test_split: 'test', doc_to_text: '{{prompt}}', doc_to_target: '{{expected}}', num_fewshot: 0, metric_list: metricList, output_type: 'generate_until', generation_kwargs: { until: [], do_sample: false }, repeats: 1, metadata: { version: 1 } } },
    versions: { [task]: 1 },
    'n-shot': { [task]: 0 },
    higher_is_better: { [task]: Object.fromEntries(metrics.map(({ name }) => [nameOf(name), true])) },
    'n-samples': { [task]: { original: examples, effective: examples } },
    config: { model: 'nomoat', model_args: { version: facts.version }, batch_size: null, batch_sizes: [], device: 'cpu', use_cache: null, limit: null, bootstrap_iters: null, gen_kwargs: {}, random_seed: null, numpy_seed: null, torch_seed: null, fewshot_seed: null },
    git_hash: null,
    date: facts.date.getTime() / 1000,
    pretty_env_info: `nomoat ${facts.version}`,
    transformers_version: null,
    lm_eval_version: null,
    upper_git_hash: null,
    task_hashes: { [task]: hash(samples.map((each) => each.doc_hash + each.prompt_hash + each.target_hash).join('')) },
    model_source: 'nomoat',
    model_name: model.name,
    model_name_sanitized: sanitized(model.name),
    system_instruction: null,
    system_instruction_sha: null,
    fewshot_as_multiturn: null,
    chat_template: null,
    chat_template_sha: null,
    total_evaluation_time_seconds: String(model.costs.seconds),
  }; // biome-ignore format: a table
}

/** Results and samples of every model. */
export function lmEvalFiles(evaluation: Evaluation, facts: ViewerFacts): ViewerFiles {
  const at = facts.date.toISOString().replace('Z', '').replaceAll(':', '-');
  const files = evaluation.models.flatMap((model) => {
    const samples = samplesOf(evaluation, model);
    const folder = sanitized(model.name);
    const results = JSON.stringify(resultsOf(evaluation, model, samples, facts), null, 2);
    return [
      [`${folder}/results_${at}.json`, results],
      [`${folder}/samples_${facts.task}_${at}.jsonl`, samples.map((sample) => `${JSON.stringify(sample)}\n`).join('')],
    ] as const;
  });
  return Object.fromEntries(files);
}
