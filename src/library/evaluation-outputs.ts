/**
 * What an evaluation is written as beside its value: the report as a page, and files that other programs' viewers open. Promises: what cannot be
 * written is said before time is spent; nothing that exists is overwritten.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import type { Evaluation } from '../evaluate/evaluation.ts';
import { inspectFiles } from '../evaluate/viewers/inspect-log.ts';
import { lmEvalFiles, type ViewerFiles } from '../evaluate/viewers/lm-eval.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { renderPage } from '../report/page.ts';
import { adapterOf, renderReport } from '../run/report.ts';
import { RunFolder } from '../run/run-folder.ts';
import { shareable } from '../run/shareable.ts';
import { version } from '../run/version.ts';
import { evalOptions } from '../settings/evaluation-settings.ts';
import { isRun } from '../settings/load.ts';
import { flagOf } from '../settings/options.ts';
import { surroundings } from '../store/model-folders.ts';
import { shellQuote } from '../words/shell-quote.ts';

/** New files that an evaluation is written to; none without. */
export interface EvaluationOutputs {
  /** A page as runs have one: the verdict, answers side by side, costs; of a run with all that its report says. */
  readonly report?: string | null;
  /** A folder for results and samples as lm-evaluation-harness writes them, one inside for each model. */
  readonly saveSamples?: string | null;
  /** A folder for logs of Inspect, one for each model: `inspect view --log-dir` opens it. */
  readonly inspectLog?: string | null;
}

/** What is written is no part of how it was evaluated. */
const outputNames: readonly string[] = ['report', 'saveSamples', 'inspectLog'] satisfies (keyof EvaluationOutputs)[];

/** As the report carries it, which is shown to others: by name, not by where it lies on this machine. */
const shared = (value: unknown): string =>
  shellQuote(isAbsolute(String(value)) ? basename(String(value)) : String(value));

/** The command that evaluates again, for people: functions have no words there. */
function commandOf(options: Readonly<Record<string, unknown>>): string {
  const words = Object.keys(evalOptions).flatMap((name) => {
    const value = outputNames.includes(name) ? null : options[name];
    const values = (Array.isArray(value) ? value : [value]).filter(
      (each) => typeof each === 'string' || typeof each === 'number',
    );
    return values.length === 0 ? [] : [`--${flagOf(name)}`, ...values.map(shared)];
  });
  return ['nomoat eval', shared(options['model']), ...words].join(' ');
}

/** The evaluation as a page; of a run, its report with the evaluation in it. */
function pageOf(evaluation: Evaluation, options: Readonly<Record<string, unknown>>): string {
  const model = String(options['model']);
  const repeat = { command: commandOf(options), recipe: null };
  if (!isRun(model))
    return renderPage({ run: null, events: [], evaluation, updates: null, repeat, evaluate: null, version });
  const folder = new RunFolder(model);
  const { events, record } = shareable(folder.read(), folder.events(), surroundings().home);
  return renderReport(record, events, { evaluation, ...adapterOf(folder) });
}

/** The test data's name, as others name a task. */
function taskOf({ data }: Readonly<Record<string, unknown>>): string {
  const [first] = Array.isArray(data) ? (data as string[]) : [String(data)];
  return (
    basename(String(first))
      .replace(/\.\w+$/, '')
      .replace(/[^\w.-]/g, '-') || 'test'
  );
}

function writeFiles(folder: string, files: ViewerFiles): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileAtomic(path, text);
  }
}

/** Before time is spent: afterwards it would be lost. */
function assertWritable(path: string): void {
  const isThere = existsSync(path);
  if (!isThere && existsSync(dirname(resolve(path)))) return;
  throw new NomoatError({
    code: isThere ? 'path-exists' : 'invalid-settings',
    part: path,
    fault: isThere ? 'exists already, and evaluations overwrite nothing' : 'is in a folder that is not there',
    remedy: isThere
      ? 'Give another name, or delete it first.'
      : 'Make the folder, or give a name in one that is there.',
  });
}

/** Throws NomoatError where something stands in the way; returns what writes the evaluation once it is there. */
export function openOutputs(options: EvaluationOutputs): (evaluation: Evaluation) => void {
  const { inspectLog, report, saveSamples } = options;
  for (const path of [report, saveSamples, inspectLog]) if (path) assertWritable(path);
  return (evaluation) => {
    const facts = { task: taskOf({ ...options }), date: new Date(), version };
    if (report) writeFileAtomic(report, pageOf(evaluation, { ...options }));
    if (saveSamples) writeFiles(saveSamples, lmEvalFiles(evaluation, facts));
    if (inspectLog) writeFiles(inspectLog, inspectFiles(evaluation, facts));
  };
}
