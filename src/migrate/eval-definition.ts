/**
 * Definitions of OpenAI's evals: the registry's YAML (github.com/openai/evals) and objects of /v1/evals. Promises: each
 * grader is said to be one that compares texts, one that asks a model, or one that runs code; fields that a definition
 * refers to and does not have are faults. Runs nothing.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type Imported, imported } from './imported.ts';

type GraderNeed = 'text' | 'model' | 'code' | 'others';
const needs: Readonly<Record<string, GraderNeed>> = {
  string_check: 'text',
  text_similarity: 'text',
  label_model: 'model',
  score_model: 'model',
  python: 'code',
  multi: 'others',
  Match: 'text',
  Includes: 'text',
  FuzzyMatch: 'text',
  JsonMatch: 'text',
  ModelBasedClassify: 'model',
};
const meanings: Readonly<Record<GraderNeed, string>> = {
  text: 'compares texts and needs no other model',
  model: 'asks another model to judge, which is the judge that you name here',
  code: 'runs code of its own, which nomoat will not',
  others: 'is made of other graders, and is not run',
};
const runs = 'It is run by `evaluate()`, whose `evals` takes this file, and the run that has its prompts beside it.';

/** What a grader of that name needs, in a sentence. */
const sentence = (name: string, type: string): string => {
  const need = Object.hasOwn(needs, type) ? needs[type] : undefined;
  return `${name} (${type}) ${need ? meanings[need] : 'is of a type that is not known here'}.`;
};

const registryEval = z.looseObject({
  class: z.string(),
  args: z.looseObject({ samples_jsonl: z.string().nullish() }).nullish(),
});

/** Where the registry keeps samples, beside the definition or where the repository has them; null where they are not there. */
export function samplesPath(definition: string, named: string): string | null {
  const folder = dirname(definition);
  const places = [join(folder, named), join(folder, '..', 'data', named), join(folder, 'data', named)];
  return places.find((path) => existsSync(path)) ?? null;
}

/** The evals of a registry file; none where it is another map. */
export function importRegistry(path: string, map: Readonly<Record<string, unknown>>): Imported[] {
  return Object.entries(map).flatMap(([name, value]) => {
    const { data } = registryEval.safeParse(value);
    if (!data) return [];
    const type = data.class.split(/[:.]/).at(-1)!;
    const named = data.args?.samples_jsonl;
    const found = named ? samplesPath(path, named) : null;
    const faults = named && !found ? [`Its samples ${named} are not beside it.`] : [];
    const samples = found ? `, samples in ${found}` : '';
    return [
      imported(path, 'eval', `defines the eval ${name}${samples}`, {
        faults,
        differences: [sentence(name, type), runs],
      }),
    ];
  });
}

const grader = z.looseObject({ type: z.string(), name: z.string().nullish() });
const evalObject = z.looseObject({
  name: z.string().nullish(),
  data_source_config: z.looseObject({
    type: z.string().nullish(),
    item_schema: z.looseObject({ properties: z.record(z.string(), z.unknown()).nullish() }).nullish(),
    schema: z.looseObject({ properties: z.record(z.string(), z.unknown()).nullish() }).nullish(),
    include_sample_schema: z.boolean().nullish(),
  }),
  testing_criteria: z.array(grader),
});
type EvalObject = z.output<typeof evalObject>;

/** Whether it is an eval of /v1/evals, or a request for one. */
export const isEval = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'testing_criteria' in value && 'data_source_config' in value;

/**
 * The fields of an item; null where the definition does not say. The object that comes back has them one level deeper.
 */
function itemFields({ data_source_config: config }: EvalObject): readonly string[] | null {
  const inner = config.schema?.properties?.item as { properties?: unknown } | undefined;
  const properties = config.item_schema?.properties ?? inner?.properties;
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : null;
}

/** Fields of items that graders name in their templates. */
const named = (criteria: unknown): string[] =>
  [...JSON.stringify(criteria).matchAll(/\{\{\s*item\.(\w+)/g)].map(([, field]) => field!);

/** Whether it is a run of an eval, or a request for one. */
export const isEvalRun = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'data_source' in value && !isEval(value);

/** A run of an eval: what it asks. */
export const importEvalRun = (path: string): Imported =>
  imported(path, 'eval', 'is a run of an eval, with what it asks', { differences: [runs] });

/** An eval object of the file at `path`. */
export function importEval(path: string, value: unknown): Imported {
  const { data, error } = evalObject.safeParse(value);
  if (error)
    return imported(path, 'eval', 'is no whole eval', {
      faults: error.issues.map(({ message, path: at }) => `\`${at.join('.')}\`: ${message}.`),
    });
  const fields = itemFields(data);
  const unknown =
    fields === null ? [] : [...new Set(named(data.testing_criteria))].filter((field) => !fields.includes(field));
  const graders = data.testing_criteria.map(({ name, type }) => sentence(name ?? 'A grader', type));
  return imported(path, 'eval', `defines the eval ${data.name ?? 'without a name'} of /v1/evals`, {
    faults: unknown.map((field) => `Its graders name the field ${field}, which its items do not have.`),
    differences: [...graders, runs],
  });
}
