/** What a conversation asks of a model beside its messages: tools, thoughts, variables of its template. Pure. */
import type { Model, PromptOptions } from '../chat/chat-model.ts';
import { NomoatError } from '../errors.ts';
import { callGrammar } from '../llama/grammar/call-grammar.ts';
import type { AnswerForm } from '../text/answers/answer-form.ts';
import { markupOfAnswers } from '../text/answers/answer-form.ts';
import { type OfferedTools, offeredTools } from '../text/answers/offered-tools.ts';
import { wrongParameter } from './api-error.ts';

export interface Conversation {
  readonly tools: readonly unknown[] | null;
  readonly templateValues: Readonly<Record<string, unknown>>;
  readonly effort: string | null;
  /** The parameter that says so. */
  readonly effortParam: string;
  /** Whether the answer has to call; one of `tools`. */
  readonly mustCall: boolean;
  /** Whether it ends with its first call. */
  readonly oneCall: boolean;
  /** Whether the answer is JSON from its first token on: then nothing of it is thoughts. */
  readonly isJson: boolean;
}

/** As OpenAI has them. */
export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;

/** How a model is to be asked, and how its answers are read. */
export interface Asked {
  readonly options: PromptOptions & { readonly markup: readonly string[]; readonly grammar?: string };
  readonly form: AnswerForm;
  readonly tools: OfferedTools | null;
}

/** Variables by which templates leave thoughts out. */
const thinkingSwitches = ['enable_thinking', 'thinking'];

/** The variables of a template that set an effort. Throws ApiError where it has none. */
function valuesOfEffort(model: Model, { effort, effortParam }: Conversation): Readonly<Record<string, unknown>> {
  if (effort === null) return {};
  if (effort !== 'none') {
    if (model.templateAsks('reasoning_effort')) return { reasoning_effort: effort };
    throw unsupported(effortParam, 'the chat template of the model asks for no effort');
  }
  const found = thinkingSwitches.find((name) => model.templateAsks(name));
  if (found) return { [found]: false };
  // A model that does not think has nothing to leave out.
  if (model.answerForm().thoughts === null) return {};
  throw unsupported(effortParam, 'the chat template of the model does not leave thoughts out');
}

const unsupported = (param: string, why: string) =>
  wrongParameter(param, 'unsupported_parameter', `Unsupported parameter: '${param}': ${why}.`);

/** Throws ApiError where the model cannot be asked so. */
export function conversationOn(model: Model, conversation: Conversation): Asked {
  const { templateValues, tools } = conversation;
  const unknown = Object.keys(templateValues).find((name) => !model.templateAsks(name));
  if (unknown !== undefined)
    throw unsupported(`chat_template_kwargs.${unknown}`, 'the chat template of the model does not ask for it');
  const values = { ...valuesOfEffort(model, conversation), ...templateValues };
  const given = Object.keys(values).length > 0 ? { templateValues: values } : {};
  const form = model.answerForm(given);
  if (tools && form.noCalls !== null) throw unsupported('tools', form.noCalls);
  const read = { ...form, calls: tools ? form.calls : null, thoughts: conversation.isJson ? null : form.thoughts };
  const offered = tools ? offeredTools(tools) : null;
  const must = offered && conversation.mustCall ? { grammar: grammarOf(read, offered, conversation.oneCall) } : {};
  return {
    options: { ...given, ...(tools ? { tools } : {}), ...must, markup: markupOfAnswers(read) },
    form: read,
    tools: offered,
  };
}

/** Throws ApiError where the model cannot be held to calls. */
function grammarOf(form: AnswerForm, tools: OfferedTools, oneCall: boolean): string {
  const grammar = schemaFaultsOf(() => callGrammar(form, tools, oneCall));
  if (grammar !== null) return grammar;
  throw unsupported(
    'tool_choice',
    'the chat template of the model writes arguments one by one, and such calls cannot be required here',
  );
}

/** A schema that no grammar holds to is a fault of the tools. */
function schemaFaultsOf<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof NomoatError)
      throw unsupported('tools', `a call that has to be made is held to the schemas, and ${error.fault}`);
    throw error;
  }
}
