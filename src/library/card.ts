/**
 * A run's model card as the Hugging Face hub reads it, with what an evaluation found, and the hub's `.eval_results`. Promises: only what was
 * measured is stated, and marked as reported by its author; what speaks against the result stands first. Sends nothing anywhere.
 * Formats: https://huggingface.co/docs/hub/model-cards, https://huggingface.co/docs/hub/eval-results
 */

import { existsSync, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { type CardEvaluation, renderCard } from '../adapter/card.ts';
import type { CardOf } from '../adapter/card-subject.ts';
import { readPeft } from '../adapter/peft.ts';
import { NomoatError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';
import { summarizeAdapter } from '../lora/adapter.ts';
import { runCard } from '../run/run-card.ts';
import { modelFileName, RunFolder, type RunRecord } from '../run/run-folder.ts';
import { runWarning, unfinished } from '../run/run-result.ts';
import { trainsAdapter } from '../settings/methods.ts';

/** What the card says beside what the run knows. */
export interface CardOptions {
  /** An evaluation as JSON (`nomoat eval --json`); default: the one at the end of the run, where there is one. */
  readonly evaluation?: string | null;
  /** A new folder, or one without a card, that the files are written to; without, nothing is written. */
  readonly out?: string | null;
  /** The card's heading. */
  readonly title?: string | null;
  /** The base by its id on the hub, `organisation/name`. */
  readonly baseModel?: string | null;
  /** What it is meant for, in a sentence. */
  readonly intendedUse?: string | null;
  /** SPDX identifier of the base's license, in lower case. */
  readonly license?: string | null;
  /** Languages of the answers, such as `en`. */
  readonly language?: readonly string[];
  /** The training data by its ids on the hub. */
  readonly trainingData?: readonly string[];
  /** The test data by its id on the hub: with it there is a file for `.eval_results`. */
  readonly testData?: string | null;
  /** Which of the benchmark's tasks it is, and its split, for `.eval_results`. */
  readonly task?: string | null;
  readonly split?: string | null;
}

/** A card and what comes with it. */
export interface Card {
  /** README.md: YAML front matter and Markdown. */
  readonly readme: string;
  /** A YAML file for the folder `.eval_results`; null without an evaluation on test data of the hub. */
  readonly evalResults: string | null;
  /** What stands first in the card, in sentences. */
  readonly warnings: readonly string[];
  /** Absolute paths of what was written. */
  readonly files: readonly string[];
}

/** Evaluations hold every answer. */
const mostBytes = 512 << 20;
const result = z.looseObject({ metric: z.string(), score: z.number(), interval: z.tuple([z.number(), z.number()]) });
const evaluated = z.looseObject({ name: z.string(), results: z.array(result).min(1) });
const evaluationSchema = z.looseObject({
  examples: z.int().positive(),
  models: z.array(evaluated).min(1),
  baselines: z.array(evaluated),
  doubts: z.array(z.looseObject({ severity: z.string(), sentence: z.string() })),
  verdict: z.array(z.string()),
});
type ReadEvaluation = z.output<typeof evaluationSchema>;

/** The evaluation of a file, or of the run's report; null where there is none. Throws NomoatError. */
export function readEvaluation(run: string, path: string | null = null): ReadEvaluation | null {
  const remedy = 'Give the JSON of an evaluation.';
  const own = new RunFolder(run).file('report.json');
  if (path === null && !existsSync(own)) return null;
  const value = readBoundedJson(path ?? own, mostBytes, { remedy });
  const found = path === null ? ((value as { evaluation?: unknown } | null)?.evaluation ?? null) : value;
  if (found === null) return null;
  const { data, error } = evaluationSchema.safeParse(found);
  if (data) return data;
  const [first] = error.issues;
  throw new NomoatError({
    code: 'invalid-settings',
    part: path ?? own,
    fault: `is no evaluation (${first!.path.join('.') || 'it'}: ${first!.message})`,
    remedy,
  });
}

function cardEvaluation(
  { baselines, examples, models: [first, ...others], verdict }: ReadEvaluation,
  options: CardOptions,
): CardEvaluation {
  return {
    dataset: { name: options.testData ?? 'test data', id: options.testData ?? null, split: options.split ?? null },
    examples,
    metrics: first!.results.map(({ interval, metric, score }) => ({ name: metric, score, interval })),
    others: [...others, ...baselines].map(({ name, results }) => ({ name, score: results[0]!.score })),
    verdict,
  };
}

/** What has to be known first: a failed proof, no evaluation, and what makes one doubtful. */
function warningsOf(run: string, record: RunRecord, evaluation: ReadEvaluation | null): string[] {
  const noun = trainsAdapter(record.settings.method) ? 'adapter' : 'model';
  const untrusted = runWarning(basename(run), record);
  const doubts = evaluation?.doubts.filter(({ severity }) => severity !== 'note').map(({ sentence }) => sentence) ?? [];
  return [
    ...(untrusted === null ? [] : [untrusted]),
    ...(evaluation === null
      ? [`Nobody has evaluated this ${noun}: whether it does what it was trained for is unknown.`]
      : []),
    ...doubts,
  ];
}

/** One entry, as https://github.com/huggingface/hub-docs/blob/main/eval_results.yaml has them. */
function evalResultsOf(evaluation: CardEvaluation, { split, task, testData }: CardOptions, date: string): string {
  const { interval, name, score } = evaluation.metrics[0]!;
  const dataset = { id: testData!, task_id: task ?? 'default', ...(split ? { split } : {}) };
  const notes = `${name} on ${evaluation.examples} examples, 95% interval ${interval[0].toFixed(4)} to ${interval[1].toFixed(4)}; self-reported, measured with nomoat`;
  return stringify([{ dataset, value: Number(score.toFixed(4)), date: date.slice(0, 10), notes }]);
}

/** What the card is of: the run's adapter, or its model. Throws NomoatError where it has none yet. */
function subjectOf(run: string, folder: RunFolder, record: RunRecord, baseModel: string | null): CardOf {
  const { method, modelPath } = record.settings;
  if (!existsSync(trainsAdapter(method) ? folder.adapter : join(folder.model, modelFileName)))
    throw unfinished(run, record);
  if (trainsAdapter(method)) {
    const adapter = summarizeAdapter(readPeft(folder.adapter));
    return { adapter: baseModel ? { ...adapter, baseModel } : adapter };
  }
  const base = method === 'pretrain' ? null : (baseModel ?? basename(modelPath).replace(/\.gguf$/i, ''));
  return { model: { file: modelFileName, baseModel: base } };
}

/** Passes of the run and where its result was taken, as its events say it; 1 where they do not. */
function progressOf(folder: RunFolder): {
  readonly stepsPerEpoch: number;
  readonly step: number;
  readonly bestStep: number | null;
} {
  const events = folder.events();
  const data = events.findLast((event) => event.type === 'data-ready');
  const end = events.findLast((event) => event.type === 'run-end');
  return {
    stepsPerEpoch: data?.type === 'data-ready' ? data.stepsPerEpoch : 1,
    step: end?.type === 'run-end' ? end.steps : 0,
    bestStep: end?.type === 'run-end' ? end.bestStep : null,
  };
}

const hubId = /^[\w.-]+\/[\w.-]+$/;

function assertIds({ baseModel, testData, trainingData = [] }: CardOptions): void {
  const wrong = [baseModel, testData, ...trainingData].filter((id) => typeof id === 'string' && !hubId.test(id));
  if (wrong.length === 0) return;
  throw new NomoatError({
    code: 'invalid-settings',
    part: 'the card',
    fault: `${wrong.join(', ')} ${wrong.length > 1 ? 'are no ids' : 'is no id'} of the hub`,
    remedy: 'Ids are written organisation/name.',
  });
}

/** The files by their names, none of them there yet. */
function write(out: string, texts: Readonly<Record<string, string>>): string[] {
  const paths = Object.keys(texts).map((name) => resolve(out, name));
  const there = paths.find((path) => existsSync(path));
  if (there)
    throw new NomoatError({
      code: 'path-exists',
      part: there,
      fault: 'exists already, and cards overwrite nothing',
      remedy: 'Give another `out`, or remove it first.',
    });
  for (const [i, text] of Object.values(texts).entries()) {
    mkdirSync(join(paths[i]!, '..'), { recursive: true });
    writeFileAtomic(paths[i]!, text);
  }
  return paths;
}

/** Parameters, and tokens of all steps; null where the events do not say them. */
function computeOf(events: readonly RunEvent[]): { readonly parameters: number; readonly tokens: number } | null {
  const start = events.find((event) => event.type === 'run-start');
  const tokens = events.reduce((sum, event) => sum + (event.type === 'step-end' ? event.tokens : 0), 0);
  return start?.type === 'run-start' && tokens > 0 ? { parameters: start.parameters, tokens } : null;
}

/** What the quick safety check at the run's end said; nothing where there was none. */
const safetyOf = (events: readonly RunEvent[]): readonly string[] =>
  events.flatMap((event) => (event.type === 'safety' ? [event.sentences] : [])).at(-1) ?? [];

/** The card of the run in `run`. Throws NomoatError. */
export function card(run: string, options: CardOptions = {}): Card {
  assertIds(options);
  const folder = new RunFolder(run);
  const record = folder.read();
  const { settings, validationAfter: bestLoss, validationBefore } = record;
  const of = subjectOf(run, folder, record, options.baseModel ?? null);
  const found = readEvaluation(run, options.evaluation ?? null);
  const warnings = warningsOf(run, record, found);
  const evaluation = found && cardEvaluation(found, options);
  const { stepsPerEpoch, ...progress } = progressOf(folder);
  const events = folder.events();
  const start = events.find((event) => event.type === 'run-start');
  const { intendedUse, language, license, out, title, trainingData } = options;
  const compute = computeOf(events);
  const readme = renderCard({
    ...runCard(settings, { ...progress, bestLoss, validationBefore }, stepsPerEpoch),
    ...of,
    architecture: start?.type === 'run-start' ? start.architecture : 'llama',
    warnings,
    ...(title ? { title } : {}),
    ...(license ? { baseLicense: license } : {}),
    ...(language?.length ? { languages: language } : {}),
    ...(trainingData?.length ? { datasets: trainingData } : {}),
    ...(evaluation ? { evaluation } : {}),
    ...(intendedUse ? { intendedUse } : {}),
    ...(compute ? { compute } : {}),
    safety: safetyOf(events),
  });
  const evalResults = evaluation && options.testData ? evalResultsOf(evaluation, options, record.created) : null;
  const name = `.eval_results/${basename(options.testData ?? 'results')}.yaml`;
  const files = out ? write(out, { 'README.md': readme, ...(evalResults ? { [name]: evalResults } : {}) }) : [];
  return { readme, evalResults, warnings, files };
}
