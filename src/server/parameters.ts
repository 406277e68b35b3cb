/**
 * Parameters of requests: which there are, which are refused and why. Promises: nothing that is sent is ignored; a parameter that is not
 * supported passes only with a value that asks for nothing. docs/openai-compatibility.md is made from these tables.
 */
import { z } from 'zod';
import { defaultSampling as usual } from '../chat/chat-model.ts';
import type { Job } from './answer.ts';
import { wrongParameter } from './api-error.ts';

/** A parameter of OpenAI's reference that is refused. */
export interface Refused {
  readonly why: string;
  /** Values that ask for nothing, beside null. */
  readonly nothing?: readonly unknown[];
}
export type RefusedTable = Readonly<Record<string, Refused>>;

/** null stands for what was not given, as with OpenAI. */
export const open = <Schema extends z.ZodType>(schema: Schema) => schema.nullish();

const loneSurrogate = /\p{Surrogate}/u;
/** A text as it can be tokenised: half a character could only be replaced. */
export const plainText = z
  .string()
  .refine((text) => !loneSurrogate.test(text), 'Invalid text: half of a surrogate pair');

const mostStops = 4;
const stopText = plainText.min(1);
const seedLimit = 2 ** 32 - 1;
const mostTemperature = 2;
const mostPenalty = 2;
const mostBias = 100;
export const mostAdapters = 8;
/** Twice as strong as it was trained already takes most adapters apart. */
export const mostScale = 2;
const choicesText =
  'answers to each prompt, computed one after the other; with a seed, the first uses it, the next seed + 1, ...';

/** What chat and completions have in common; the words are those of the documentation. */
export const commonParameters = {
  model: z
    .string()
    .min(1)
    .describe(
      'a name that `GET /v1/models` lists; or a stack of such names, as `a@0.7+b`: adapters on one base, each with its scale',
    ),
  temperature: open(z.number().min(0).max(mostTemperature)).describe(
    `default ${usual.temperature}, as with \`openModel\` (OpenAI: 1)`,
  ),
  top_p: open(z.number().gt(0).max(1)).describe(
    `default ${usual.topP} (OpenAI: 1); 0 is refused: \`temperature: 0\` says that`,
  ),
  top_k: open(z.int().min(0)).describe(`not of OpenAI; default ${usual.topK}, 0 considers all tokens`),
  min_p: open(z.number().min(0).lt(1)).describe(`not of OpenAI; default ${usual.minP}`),
  seed: open(z.int().min(0).max(seedLimit)).describe(
    '0 to 2^32 - 1; repeats an answer; by default another one each time',
  ),
  lora: open(
    z
      .array(z.strictObject({ id: z.string().min(1), scale: z.number().min(0).max(mostScale).default(1) }))
      .max(mostAdapters),
  ).describe(
    `not of OpenAI: \`[{"id", "scale"}]\`, up to ${mostAdapters} runs whose adapters are added to the model, which they have to be trained on; scale 0 to ${mostScale}, default 1. A run that is the \`model\` counts 1 unless it is named here`,
  ),
  n: open(z.int().min(1)).describe(choicesText),
  frequency_penalty: open(z.number().min(-mostPenalty).max(mostPenalty)).describe(
    '-2 to 2; taken from the logit of a token for each time that the answer has it already',
  ),
  presence_penalty: open(z.number().min(-mostPenalty).max(mostPenalty)).describe(
    '-2 to 2; taken from the logit of a token that the answer has already',
  ),
  logit_bias: open(
    z.record(z.string().regex(/^\d+$/, 'expected token ids as keys'), z.number().min(-mostBias).max(mostBias)),
  ).describe('-100 to 100 by token ids, added to logits; tokens that end an answer among them'),
  stop: open(
    z.union([stopText, z.array(stopText).max(mostStops)], {
      error: `Invalid input: expected a text or a list of up to ${mostStops} texts, none of them empty`,
    }),
  ).describe('a text, or up to 4; also where tokens cut it'),
  stream: open(z.boolean()).describe('server-sent events, with `[DONE]` behind the last'),
  stream_options: open(z.strictObject({ include_usage: open(z.boolean()) })).describe('`include_usage` only'),
};

/** What is refused of both. */
export const commonRefusals = {
  user: { why: 'users are not told apart, and nothing is kept of them' },
} satisfies RefusedTable;

type Body = Readonly<Record<string, unknown>>;

/** How `messages[0].content` is written of a path. */
const placeOf = (path: readonly PropertyKey[]): string =>
  path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`)).join('');

type Issue = z.core.$ZodIssue;

/** Of a value that fits none of several forms, the fault of the form that it fits farthest. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.flat().map(deepest);
  const [farthest] = inner.sort((a, b) => b.path.length - a.path.length);
  return farthest && farthest.path.length > 0 ? { ...farthest, path: [...issue.path, ...farthest.path] } : issue;
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Readonly<Record<PropertyKey, unknown>>)[key], value);

function refuseIssue(body: Body, found: Issue): never {
  const issue = deepest(found);
  if (issue.code === 'unrecognized_keys') {
    const param = placeOf([...issue.path, issue.keys[0]!]);
    throw wrongParameter(param, 'unknown_parameter', `Unknown parameter: '${param}'.`);
  }
  const param = placeOf(issue.path);
  if (valueAt(body, issue.path) === undefined)
    throw wrongParameter(param, 'missing_required_parameter', `Missing required parameter: '${param}'.`);
  throw wrongParameter(param, 'invalid_value', `Invalid value for '${param}': ${issue.message}.`);
}

/** The parameters that are supported, as `schema` has them. Throws ApiError that names the first one that will not do. */
export function readParameters<Shape extends z.core.$ZodLooseShape>(
  body: unknown,
  schema: z.ZodObject<Shape>,
  refusals: RefusedTable,
): z.output<z.ZodObject<Shape>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw wrongParameter('body', 'invalid_type', 'The body is no JSON object.');
  const given: Body = Object.fromEntries(Object.entries(body));
  for (const [name, value] of Object.entries(given)) {
    if (Object.hasOwn(schema.shape, name)) continue;
    if (!Object.hasOwn(refusals, name))
      throw wrongParameter(name, 'unknown_parameter', `Unknown parameter: '${name}'.`);
    const { nothing = [], why } = refusals[name]!;
    if (![null, ...nothing].some((each) => JSON.stringify(each) === JSON.stringify(value)))
      throw wrongParameter(name, 'unsupported_parameter', `Unsupported parameter: '${name}': ${why}.`);
  }
  const known = Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(schema.shape, name)));
  const { data, error } = schema.safeParse(known);
  if (error) refuseIssue(known, error.issues[0]!);
  return data as z.output<z.ZodObject<Shape>>;
}

type Common = z.output<z.ZodObject<typeof commonParameters>>;

/** How tokens are drawn; what was not given has the library's defaults. */
export function samplingOf(given: Common, maxTokens: number | null, alternatives: number | null): Job['sampling'] {
  const { logit_bias: logitBias, min_p: minP, seed = null, temperature, top_k: topK, top_p: topP } = given;
  const { frequency_penalty: frequencyPenalty, presence_penalty: presencePenalty } = given;
  const some = {
    temperature,
    topP,
    topK,
    minP,
    frequencyPenalty,
    presencePenalty,
    logitBias,
    logProbabilities: alternatives,
  };
  const said = Object.fromEntries(Object.entries(some).filter(([, value]) => value !== null && value !== undefined));
  return { ...said, seed, maxTokens };
}

/** The stop sequences as a list. */
const stopsOf = ({ stop }: Common): readonly string[] => [stop ?? []].flat();

/** Throws ApiError where a request asks for more answers than one may. */
function assertChoices(prompts: number, n: number, most: number): void {
  const count = prompts * n;
  if (count <= most) return;
  const param = n > 1 ? 'n' : 'prompt';
  throw wrongParameter(
    param,
    'invalid_value',
    `Invalid value for '${param}': ${count} answers to one request, and ${most} are the most.`,
  );
}

/** Throws ApiError where stream_options stand without a stream. */
function assertStreamOptions({ stream, stream_options: options }: Common): void {
  if (!options || stream) return;
  const fault = "'stream_options' is for streams: set 'stream' to true, or leave it out.";
  throw wrongParameter('stream_options', 'invalid_value', fault);
}

/** Throws ApiError where an adapter is named twice. */
function assertNamedOnce(lora: Job['lora']): void {
  lora.forEach(({ id }, i) => {
    if (lora.findIndex((other) => other.id === id) < i)
      throw wrongParameter(
        `lora[${i}].id`,
        'invalid_value',
        `Invalid value for 'lora[${i}].id': '${id}' is named twice.`,
      );
  });
}

/** What both routes ask for alike, of these prompts. Throws ApiError. */
export function jobOf(given: Common, asks: Job['asks'], mostChoices: number): Omit<Job, 'sampling'> {
  assertStreamOptions(given);
  const n = given.n ?? 1;
  assertChoices(asks.length, n, mostChoices);
  const lora = given.lora ?? [];
  assertNamedOnce(lora);
  return {
    model: given.model,
    lora,
    asks,
    n,
    stop: stopsOf(given),
    stream: given.stream ?? false,
    includeUsage: given.stream_options?.include_usage ?? false,
    conversation: null,
    oneCall: false,
  };
}
