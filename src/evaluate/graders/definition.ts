/** Definitions of OpenAI's evals, as far as they are run: what stands in objects of /v1/evals and of its runs, and in the registry's YAML. */
import { z } from 'zod';

const part = z.union([z.string(), z.looseObject({ text: z.string() })]);
const message = z.looseObject({ role: z.string(), content: z.union([part, z.array(part)]) });
const messages = z.array(message);
/** A message whose contents are templates. */
export type TemplateMessage = z.output<typeof message>;

const named = { name: z.string().nullish() };
const threshold = z.number().nullish();
/** By a model, which answers with a label or a number. */
const labelModel = z.looseObject({
  ...named,
  type: z.literal('label_model'),
  input: messages,
  labels: z.array(z.string()).min(1),
  passing_labels: z.array(z.string()).min(1),
});
const scoreModel = z.looseObject({
  ...named,
  type: z.literal('score_model'),
  input: messages,
  range: z.tuple([z.number(), z.number()]).nullish(),
  pass_threshold: threshold,
});
/** By the text alone. */
const stringCheck = z.looseObject({
  ...named,
  type: z.literal('string_check'),
  input: z.string(),
  reference: z.string(),
  operation: z.enum(['eq', 'ne', 'like', 'ilike']),
});
const textSimilarity = z.looseObject({
  ...named,
  type: z.literal('text_similarity'),
  input: z.string(),
  reference: z.string(),
  evaluation_metric: z.string(),
  pass_threshold: threshold,
});

export const grader = z.discriminatedUnion('type', [stringCheck, textSimilarity, labelModel, scoreModel]);
export type Grader = z.output<typeof grader>;
export type StringCheck = z.output<typeof stringCheck>;
export type TextSimilarity = z.output<typeof textSimilarity>;
export type ModelGrader = z.output<typeof labelModel> | z.output<typeof scoreModel>;

/** An eval of /v1/evals, or a request for one; its graders are looked at one by one, since some are refused. */
export const evalDefinition = z.looseObject({
  name: z.string().nullish(),
  testing_criteria: z.array(z.looseObject({ type: z.string(), name: z.string().nullish() })).min(1),
});

/** What a run of an eval asks: the template of its messages, and where its items are. */
export const dataSource = z.looseObject({
  input_messages: z.looseObject({ template: messages.nullish(), item_reference: z.string().nullish() }).nullish(),
  source: z
    .looseObject({ content: z.array(z.looseObject({ item: z.record(z.string(), z.unknown()) })).nullish() })
    .nullish(),
  sampling_params: z
    .looseObject({
      max_completion_tokens: z.int().positive().nullish(),
      max_completions_tokens: z.int().positive().nullish(),
    })
    .nullish(),
});
export type DataSource = z.output<typeof dataSource>;

/** An eval of the registry (github.com/openai/evals). */
export const registryEval = z.looseObject({
  class: z.string(),
  args: z.looseObject({ samples_jsonl: z.string().nullish() }).nullish(),
});

/** What a message says, its parts one after the other. */
export const contentOf = ({ content }: TemplateMessage): string =>
  [content]
    .flat()
    .map((each) => (typeof each === 'string' ? each : each.text))
    .join('');
