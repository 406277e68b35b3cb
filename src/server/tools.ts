/** Tools, and the calls of them, as requests have them. */
import { z } from 'zod';
import { wrongParameter } from './api-error.ts';
import { open, plainText } from './parameters.ts';

/** Deeper schemas are no descriptions of arguments, and whoever walks through them would run out of stack. */
const mostDepth = 64;
/** OpenAI's. */
const mostTools = 128;
const functionName = z.string().regex(/^[\w-]{1,64}$/, 'expected letters, digits, _ and -, 64 of them at most');

const halfCharacter = /\p{Surrogate}/u;

/** What cannot be shown to a model: half characters, and what is too deep; null where nothing is. */
function jsonFault(value: unknown, depth = 0): string | null {
  if (typeof value === 'string') return halfCharacter.test(value) ? 'half of a surrogate pair' : null;
  if (typeof value !== 'object' || value === null) return null;
  if (depth === mostDepth) return `is deeper than ${mostDepth}`;
  for (const [key, each] of Object.entries(value)) {
    const fault = jsonFault(key) ?? jsonFault(each, depth + 1);
    if (fault) return fault;
  }
  return null;
}

const schema = z.record(z.string(), z.unknown()).superRefine((value, context) => {
  const fault = jsonFault(value);
  if (fault) context.addIssue({ code: 'custom', message: fault });
});

/** What is said of a function. */
export const functionFields = {
  name: functionName,
  description: open(plainText),
  parameters: open(schema),
  strict: open(z.literal(false, { error: 'arguments are not held against their schema: leave it out, or say false' })),
};

const tool = z.strictObject({
  type: z.literal('function', { error: 'only functions are supported' }),
  function: z.strictObject(functionFields),
});

/** Refuses a second tool of the same name. */
export const uniqueNames =
  <Tool>(nameOf: (tool: Tool) => string, path: readonly string[]) =>
  (tools: readonly Tool[], context: z.RefinementCtx): void => {
    const names = tools.map(nameOf);
    const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
    if (twice >= 0) context.addIssue({ code: 'custom', path: [twice, ...path], message: 'another tool has this name' });
  };

export const toolList = z
  .array(tool)
  .max(mostTools)
  .superRefine(uniqueNames((each) => each.function.name, ['function', 'name']));

const chosen = { name: functionName };
const choices = ['none', 'auto', 'required'] as const;
const expectedChoice = { error: 'expected none, auto, required or a function' };
export const toolChoice = z.union(
  [z.enum(choices), z.strictObject({ type: z.literal('function'), function: z.strictObject(chosen) })],
  expectedChoice,
);
/** The same as /v1/responses has it. */
export const responseToolChoice = z.union(
  [z.enum(choices), z.strictObject({ type: z.literal('function'), ...chosen })],
  expectedChoice,
);
export const choiceText =
  '`auto`; `none`: then the model is not told of the tools; `required` or a function: the answer is held to calls whose arguments their schemas admit, where the template of the model writes them as JSON';

/** Tools as requests of both routes have them, once those that are not to be called are left out. */
export interface ChosenTools {
  readonly tools: readonly unknown[] | null;
  readonly mustCall: boolean;
}

/** What is offered to the model: nothing, all, or the one that it has to call. `nameOf` of a tool. Throws ApiError. */
export function chosenTools<Tool>(
  tools: readonly Tool[],
  choice: 'none' | 'auto' | 'required' | { readonly name: string } | null | undefined,
  nameOf: (tool: Tool) => unknown,
): ChosenTools {
  if (choice === 'none') return { tools: null, mustCall: false };
  if (tools.length === 0 && (choice === null || choice === undefined || choice === 'auto'))
    return { tools: null, mustCall: false };
  if (tools.length === 0) throw wrongParameter('tool_choice', 'invalid_value', "'tool_choice' wants 'tools'.");
  if (typeof choice !== 'object' || choice === null) return { tools, mustCall: choice === 'required' };
  const found = tools.filter((each) => nameOf(each) === choice.name);
  if (found.length > 0) return { tools: found, mustCall: true };
  throw wrongParameter(
    'tool_choice',
    'invalid_value',
    `Invalid value for 'tool_choice': no tool has the name '${choice.name}'.`,
  );
}

/** A call that an answer held, sent back with it. */
export const toolCall = z.strictObject({
  id: plainText.min(1),
  type: z.literal('function', { error: 'only functions are supported' }),
  function: z.strictObject({ name: plainText.min(1), arguments: plainText }),
});

interface ToolMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly { readonly id: string }[] | null | undefined;
  readonly tool_call_id?: string | null | undefined;
  readonly reasoning_content?: unknown;
}

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

/** What a role's messages may not have, or must. */
function faultOf(message: ToolMessage, calls: ReadonlySet<string>): Fault | null {
  const { content, reasoning_content: thoughts, role, tool_call_id: answered, tool_calls: made } = message;
  const isAnswer = role === 'assistant';
  if (made && !isAnswer) return { path: ['tool_calls'], message: 'only messages of the assistant have calls' };
  if (typeof thoughts === 'string' && !isAnswer)
    return { path: ['reasoning_content'], message: 'only messages of the assistant have thoughts' };
  if (typeof answered === 'string' && role !== 'tool')
    return { path: ['tool_call_id'], message: 'only messages of the role tool answer a call' };
  if ((content === null || content === undefined) && !(isAnswer && made && made.length > 0))
    return { path: ['content'], message: 'expected a text, or a list of text parts' };
  if (role !== 'tool') return null;
  if (typeof answered !== 'string') return { path: ['tool_call_id'], message: 'expected the id of the call' };
  return calls.has(answered) ? null : { path: ['tool_call_id'], message: 'no call of the messages before has this id' };
}

/** Holds the messages of a conversation against each other: which may call, and what answers which call. */
export function checkCalls(messages: readonly ToolMessage[], context: z.RefinementCtx): void {
  const calls = new Set<string>();
  for (const [i, message] of messages.entries()) {
    const fault = faultOf(message, calls);
    if (fault) context.addIssue({ code: 'custom', path: [i, ...fault.path], message: fault.message });
    for (const { id } of message.tool_calls ?? []) calls.add(id);
  }
}
