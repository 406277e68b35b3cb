/** Metrics by what a user names them: by name, by the file of a function, or the function itself. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NomoatError } from '../errors.ts';
import { labelMetrics } from '../evaluate/likelihood/label-choices.ts';
import { type ComputedName, type Metric, metricOf } from '../evaluate/metrics/metric.ts';
import { type MetricFunction, ownMetric } from '../evaluate/metrics/own-metric.ts';
import { patternMetric } from '../evaluate/metrics/pattern.ts';
import { type MetricName, metricNames } from '../settings/metric-names.ts';
import { nearestNames } from '../words/nearest-name.ts';

/** What a metric is named by. */
export type MetricGiven = string | MetricFunction;

const failure = (part: string, fault: string, remedy: string, cause?: unknown): NomoatError =>
  new NomoatError({ code: 'invalid-settings', part, fault, remedy, cause });

const isProgram = (given: string): boolean => /\.([mc]?[jt]s)$/.test(given);

/** Node takes types out of TypeScript from 22.18 on. */
const knowsTypes = (): boolean => Boolean((process.features as { readonly typescript?: unknown }).typescript);

async function functionIn(path: string): Promise<MetricFunction> {
  if (!existsSync(path)) throw failure(path, 'does not exist', 'Give the file of your function.');
  if (/\.[mc]?ts$/.test(path) && !knowsTypes())
    throw failure(
      path,
      `is TypeScript, which Node ${process.versions.node} does not run`,
      'Node does from 22.18 on; here, give it as .mjs without types.',
    );
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as typeof module;
  } catch (error) {
    throw failure(
      path,
      `cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      'It has to be a module that exports a function as its default.',
      error,
    );
  }
  if (typeof module.default === 'function') return module.default as MetricFunction;
  throw failure(
    path,
    'exports no function as its default',
    'Write `export default (answer, expected) => answer === expected;`.',
  );
}

/** The metric that is meant. Rejects with NomoatError where there is none. */
async function metricBy(given: MetricGiven, pattern: string | null): Promise<Metric> {
  if (typeof given === 'function') return ownMetric(given.name || 'own', given);
  if (given === 'regex') return patternMetric(pattern);
  const byLikelihood = labelMetrics.find(({ name }) => name === given);
  if (byLikelihood) return byLikelihood;
  if (metricNames.includes(given as MetricName)) return metricOf(given as ComputedName);
  if (isProgram(given)) return ownMetric(basename(given), await functionIn(given));
  const [near] = nearestNames(given, metricNames, 1);
  throw failure(
    '`metric`',
    `"${given}" is none of ${metricNames.join(', ')}, and no file of a function (.mjs, .ts)`,
    near ? `Did you mean "${near}"?` : 'Give one of them.',
  );
}

/** The metrics in the order given, each once. Rejects with NomoatError. */
export async function loadMetrics(given: readonly MetricGiven[], pattern: string | null): Promise<Metric[]> {
  if (pattern !== null && !given.includes('regex'))
    throw failure('`pattern`', 'is of no use without the metric regex', "Add it: `metric: 'regex'`.");
  const found = await Promise.all([...new Set(given)].map((each) => metricBy(each, pattern)));
  const names = new Map<string, number>();
  return found.map((metric) => {
    const times = (names.get(metric.name) ?? 0) + 1;
    names.set(metric.name, times);
    return times === 1 ? metric : { ...metric, name: `${metric.name} (${times})` };
  });
}
