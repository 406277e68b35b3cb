/**
 * Definitions of OpenAI's evals as a test: their items as questions, their graders as metrics. Promises: what is not run here is refused with the reason
 * before anything is computed, code above all; a template that names what an item lacks is found before a model is asked.
 */
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { NomoatError } from '../errors.ts';
import {
  contentOf,
  type DataSource,
  dataSource,
  evalDefinition,
  type Grader,
  grader,
  registryEval,
  type TemplateMessage,
} from '../evaluate/graders/definition.ts';
import { messagesOf, modelGraderMetric } from '../evaluate/graders/model-graders.ts';
import { filled } from '../evaluate/graders/template.ts';
import { registryMetric, stringCheckMetric, textSimilarityMetric } from '../evaluate/graders/text-graders.ts';
import type { Judge } from '../evaluate/judge.ts';
import type { Metric } from '../evaluate/metrics/metric.ts';
import { type TestQuestion, type TestSet, testSetOf } from '../evaluate/test-set.ts';
import { parseBounded } from '../formats/bounded-json.ts';
import { readYamlMap } from '../formats/yaml-map.ts';
import { samplesPath } from '../migrate/eval-definition.ts';
import { noRemarks } from '../records/byte-source.ts';
import { jsonlRecords } from '../records/json-records.ts';
import { readWholeText } from '../records/line-reader.ts';
import type { Message } from '../text/example.ts';

/** What a definition comes to. */
export interface OpenedEvals {
  readonly test: TestSet;
  readonly metrics: readonly Metric[];
  /** Tokens of an answer at most, where the run says so, or nothing is expected that would; else null. */
  readonly maxTokens: number | null;
  /** Whether the judge is asked. */
  readonly isJudged: boolean;
}

export interface EvalsOptions {
  /** Files of the definition: the eval, and the run that has its prompts, or both in one. */
  readonly evals: readonly string[];
  /** Files of items; empty where the definition has them. */
  readonly data: readonly string[];
  readonly limit: number | null;
  /** Who is asked by graders that ask a model. */
  readonly judge: Judge | null;
}

type Item = Readonly<Record<string, unknown>>;
/** Larger JSON is data. */
const maxDefinitionBytes = 16 << 20;
/** What graders judge who expect no text: an answer of any kind. */
const freeAnswerTokens = 512;

const wrong = (part: string, fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'unusable-data', part, fault, remedy });

/** A definition, whole. */
interface Definition {
  readonly path: string;
  readonly metrics: readonly Metric[];
  readonly graders: readonly Grader[];
  readonly source: DataSource | null;
  /** Samples that the registry names. */
  readonly samples: string | null;
}

/** Why graders of a type are not run. */
const notRun: Readonly<Record<string, readonly [fault: string, remedy: string]>> = {
  python: ['runs code of its own, which nomoat will not', 'Write it as a function in a file and name that: `metric`.'],
  multi: ['is made of other graders, by a formula', 'Give its graders one by one: each is a metric here.'],
};

/** One grader as a metric. Throws NomoatError where it is not run. */
function metricOf(
  path: string,
  given: { readonly type: string; readonly name?: string | null | undefined },
  judge: Judge | null,
): [Metric, Grader] {
  const name = given.name ?? given.type;
  const [fault, remedy] = notRun[given.type] ?? [];
  if (fault) throw wrong(path, `has the grader ${name} (${given.type}), which ${fault}`, remedy!);
  const { data, error } = grader.safeParse(given);
  if (!data)
    throw wrong(
      path,
      `has the grader ${name} (${given.type}), which is none that is known here: ${error.issues[0]!.path.join('.')} ${error.issues[0]!.message}`,
      'Give one of string_check, text_similarity, label_model and score_model.',
    );
  if (data.type === 'string_check') return [stringCheckMetric(name, data), data];
  if (data.type === 'text_similarity') return [textSimilarityMetric(name, data), data];
  if (judge === null)
    throw wrong(path, `has the grader ${name} (${data.type}), which asks another model`, 'Name it: `judge`.');
  return [modelGraderMetric(name, data, judge), data];
}

/** Evals of the registry in a YAML file. */
function fromRegistry(path: string): Definition[] {
  const map = readYamlMap(path, 'evals', "Give an eval of OpenAI's registry.");
  return Object.entries(map).flatMap(([name, value]): Definition[] => {
    const { data } = registryEval.safeParse(value);
    if (!data) return [];
    const type = data.class.split(/[:.]/).at(-1)!;
    const metric = registryMetric(type);
    if (metric === null)
      throw wrong(
        path,
        `defines the eval ${name} by ${data.class}, which is code of its own or asks a model by prompts of the registry`,
        'Match, Includes, FuzzyMatch and JsonMatch are run here.',
      );
    const samples = data.args?.samples_jsonl ?? null;
    return [{ path, metrics: [metric], graders: [], source: null, samples: samples && samplesPath(path, samples) }];
  });
}

/** What a file of JSON holds: an eval, a run, or both in one object. */
async function fromJson(path: string, judge: Judge | null): Promise<Partial<Definition>> {
  const text = await readWholeText(path, maxDefinitionBytes);
  const parsed = parseBounded(text);
  if (typeof parsed === 'string') throw wrong(path, parsed, "Give a definition as OpenAI's API has it.");
  const value = parsed.value as { readonly data_source?: unknown } | null;
  const definition = evalDefinition.safeParse(value).data ?? null;
  const given = value?.data_source;
  const source = given === undefined ? null : dataSource.safeParse(given);
  if (source?.error)
    throw wrong(
      path,
      `has a data source that is not understood: ${source.error.issues[0]!.path.join('.')} ${source.error.issues[0]!.message}`,
      'It has input_messages and a source.',
    );
  if (!definition && !source)
    throw wrong(
      path,
      'is no eval (testing_criteria), and no run of one (data_source)',
      "Give a definition as OpenAI's API has it.",
    );
  const pairs = (definition?.testing_criteria ?? []).map((each) => metricOf(path, each, judge));
  return {
    path,
    ...(definition ? { metrics: pairs.map(([metric]) => metric), graders: pairs.map(([, each]) => each) } : {}),
    ...(source ? { source: source.data } : {}),
  };
}

async function definitionOf({ evals, judge }: EvalsOptions): Promise<Definition> {
  for (const path of evals)
    if (!existsSync(path))
      throw new NomoatError({ code: 'data-not-found', part: path, fault: 'does not exist', remedy: 'Check the path.' });
  const found: Partial<Definition>[] = [];
  for (const path of evals)
    found.push(...(/^\.ya?ml$/i.test(extname(path)) ? fromRegistry(path) : [await fromJson(path, judge)]));
  const definitions = found.filter(({ metrics }) => metrics !== undefined);
  if (definitions.length !== 1)
    throw wrong(
      evals.join(', '),
      definitions.length === 0 ? 'has no eval' : `has ${definitions.length} evals`,
      'Give one eval, and the run that has its prompts beside it.',
    );
  const source = found.find((each) => each.source)?.source ?? null;
  return { graders: [], samples: null, ...definitions[0]!, source } as Definition;
}

const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Items of JSONL files: each line is one, or has it below `item`. */
async function itemsIn(paths: readonly string[]): Promise<Item[]> {
  const items: Item[] = [];
  for (const path of paths)
    for await (const batch of jsonlRecords(path, noRemarks()))
      for (const record of batch) {
        const value = 'value' in record ? record.value : null;
        if (!isItem(value))
          throw wrong(
            `${path}, line ${record.line}`,
            'is no item',
            'Each line is an object, or has one as its `item`.',
          );
        items.push(isItem(value['item']) ? value['item'] : value);
      }
  return items;
}

const isMessage = (value: unknown): value is TemplateMessage =>
  isItem(value) && typeof value['role'] === 'string' && value['content'] !== undefined;

/** What the model is asked of an item: the run's template, or the messages or the text that the item has. Throws NomoatError where there is neither. */
function askedOf(item: Item, { path, source }: Definition): Message[] {
  const { item_reference: reference, template } = source?.input_messages ?? {};
  if (template) return messagesOf(template, { item });
  const field = reference?.replace(/^item\./, '') ?? 'input';
  const input = item[field];
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  // What stands in data is no template.
  if (Array.isArray(input) && input.length > 0 && input.every(isMessage))
    return input.map((each) => ({ role: each.role, content: contentOf(each) }));
  throw wrong(
    path,
    `says nothing of what the model is asked, and an item has no ${field}`,
    'Give the run too, whose data_source has input_messages, or items with an input.',
  );
}

/** What is shown as expected: what the first grader of texts compares with. */
function expectedOf(item: Item, { graders }: Definition): string {
  for (const each of graders)
    if ('reference' in each && typeof each.reference === 'string' && !/\bsample\./.test(each.reference))
      return filled(each.reference, { item });
  const ideal = [item['ideal'] ?? []].flat()[0];
  return typeof ideal === 'string' ? ideal : '';
}

/** Every grader's templates hold of every item, before a model is asked for minutes. */
function assertFills(items: readonly Item[], { graders }: Definition): void {
  for (const item of items)
    for (const each of graders) {
      const templates = typeof each.input === 'string' ? [each.input] : each.input.map(contentOf);
      for (const template of [...templates, ...('reference' in each ? [String(each.reference)] : [])])
        filled(template, { item, sample: { output_text: '' } });
    }
}

/** The test that a definition is. Rejects with NomoatError. */
export async function openEvals(options: EvalsOptions): Promise<OpenedEvals> {
  const definition = await definitionOf(options);
  const { graders, metrics, samples, source } = definition;
  const content = source?.source?.content ?? null;
  const paths = options.data.length > 0 ? options.data : samples ? [samples] : [];
  const all = paths.length > 0 ? await itemsIn(paths) : (content?.map(({ item }) => item) ?? []);
  if (all.length === 0) throw wrong(definition.path, 'has no items', 'Give their file: `data`.');
  const items = options.limit === null ? all : all.slice(0, options.limit);
  assertFills(items, definition);
  const questions = items.map(
    (item): TestQuestion => ({
      ask: { messages: askedOf(item, definition) },
      expected: expectedOf(item, definition),
      item,
    }),
  );
  const { max_completion_tokens: most, max_completions_tokens: mostToo } = source?.sampling_params ?? {};
  const isJudged = graders.some(({ type }) => type === 'label_model' || type === 'score_model');
  return {
    test: testSetOf(questions),
    metrics,
    maxTokens: most ?? mostToo ?? (isJudged ? freeAnswerTokens : null),
    isJudged,
  };
}
