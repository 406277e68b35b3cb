/**
 * Messages, calls and tools as OpenAI's fine-tuning platform took them in training files. Promises: whatever the
 * platform refused is refused, unknown keys among it. Looser data sets are messages.ts's. Pure.
 */
import { z } from 'zod';
import { plainNumber, readJson } from '../formats/exact-json.ts';
import { isObject } from './refused.ts';

const noMedia = 'images, audio and files cannot be learnt: nomoat trains on text';
/** Types of parts that the platform knew and that hold no text. */
const otherParts: Readonly<Record<string, string>> = {
  image_url: noMedia,
  input_image: noMedia,
  input_audio: noMedia,
  file: noMedia,
  refusal: 'a refusal is learnt as text only',
};

function partFault(input: unknown): string {
  const type = isObject(input) ? input.type : undefined;
  return typeof type === 'string' && Object.hasOwn(otherParts, type)
    ? `is ${type}: ${otherParts[type]}`
    : 'is not text';
}

const part = z.discriminatedUnion('type', [z.strictObject({ type: z.literal('text'), text: z.string() })], {
  error: ({ code, input }) => (code === 'invalid_union' ? partFault(input) : undefined),
});

/** A text is a list of one part, so that both are checked alike. */
const content = z.preprocess(
  (given) => (typeof given === 'string' ? [{ type: 'text', text: given }] : given),
  z.array(part, { error: 'is neither a text nor a list of parts' }),
);
type Content = z.output<typeof content>;

const saidIn = (given: Content | null | undefined): string => (given ?? []).map(({ text }) => text).join('');

/** The official check of a data set (OpenAI's cookbook) counts an empty content of any role as missing. */
const spoken = content.refine((given) => saidIn(given) !== '', 'is empty');

/** As the platform had them of functions. */
const functionName = z
  .string()
  .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'is not made of 1 to 64 letters, digits, _ and - of ASCII');
const name = z.string().min(1, 'is empty');

const isJsonObject = (text: string): boolean => {
  try {
    return isObject(readJson(text));
  } catch {
    return false;
  }
};
const calledFunction = z.strictObject({
  name: functionName,
  arguments: z.string('is no text: arguments are JSON text').refine(isJsonObject, 'is no JSON text of an object'),
});
const call = z.strictObject({
  id: z.string().min(1, 'is empty'),
  type: z.literal('function'),
  function: calledFunction,
});

/** Python's client writes the keys that hold nothing, too. */
const nothing = (why: string) => z.null(why).optional();

const weight = z.preprocess(plainNumber, z.literal([0, 1], 'is neither 0 nor 1'));

const asked = { content: spoken, name: name.nullish() };
const answer = z
  .strictObject({
    role: z.literal('assistant'),
    content: content.nullish(),
    name: name.nullish(),
    weight: weight.nullish(),
    tool_calls: z.array(call).min(1, 'is an empty list').nullish(),
    function_call: calledFunction.nullish(),
    refusal: nothing('is not learnt; write the refusal as content'),
    audio: nothing(`is not learnt: ${noMedia}`),
  })
  .superRefine((said, context) => {
    const add = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const calls = Boolean(said.tool_calls || said.function_call);
    if (said.tool_calls && said.function_call) add('function_call', 'stands beside tool_calls');
    if (saidIn(said.content).trim() === '' && !calls)
      add('content', said.content ? 'is empty, and there is no call' : 'is missing, and there is no call');
  });

const ofRoles = [
  z.strictObject({ role: z.literal(['system', 'developer', 'user']), ...asked }),
  answer,
  z.strictObject({ role: z.literal('tool'), content, tool_call_id: z.string().min(1, 'is empty') }),
  z.strictObject({ role: z.literal('function'), content, name: functionName }),
] as const;
const noRole = 'is none of system, developer, user, assistant, tool and function';

/** One message of a conversation, by its role. */
export const tuningMessage = z.discriminatedUnion('role', ofRoles, {
  error: ({ code }) => (code === 'invalid_union' ? noRole : undefined),
});
export type TuningMessage = z.output<typeof tuningMessage>;
export { answer as tuningAnswer };

const offered = z.strictObject({
  name: functionName,
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});
/** As many as the platform took. */
const mostTools = 128;

/** What a record has beside its messages. */
export const tuningTools = {
  tools: z
    .array(z.strictObject({ type: z.literal('function'), function: offered }))
    .min(1, 'is an empty list')
    .max(mostTools)
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
};
/** The older form of `tools`. */
export const tuningFunctions = { functions: z.array(offered).min(1, 'is an empty list').max(mostTools).nullish() };

type Add = (index: number, message: string) => void;

/** Results of calls that nobody made, and of which the platform could not tell whose they are. */
export function checkResults(messages: readonly TuningMessage[], add: Add): void {
  let calls = new Set<string>();
  messages.forEach((message, index) => {
    if (message.role === 'assistant') calls = new Set(message.tool_calls?.map(({ id }) => id));
    else if (message.role !== 'tool') calls = new Set();
    else if (!calls.delete(message.tool_call_id)) add(index, 'is the result of no call of the answer before it');
  });
}
