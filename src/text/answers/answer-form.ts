/** How a model's template has answers written: where thoughts stand, and calls of tools. Pure. */
import { firstMarkup } from './text-source.ts';

/** A call as one JSON object: `{"name": "f", "arguments": {...}}`, under whatever keys. */
export interface JsonCall {
  readonly kind: 'json';
  readonly before: string;
  readonly after: string;
  /** The keys that lead to the name, and to the arguments. */
  readonly name: readonly string[];
  readonly arguments: readonly string[];
  /** Other keys of the object, such as `type` and `id`. */
  readonly others: readonly string[];
}

/** A part of what stands before the arguments: markup, or what a call has there. */
export type HeadPart = { readonly text: string } | { readonly field: 'name' | 'other' };

/** A call as markup around its name, and its arguments as a JSON object or each in markup of its own. */
export interface MarkedCall {
  readonly kind: 'marked';
  /** Begins with markup or the name, and ends with the markup before the arguments. */
  readonly head: readonly HeadPart[];
  /** null: a JSON object. */
  readonly parameters: ParameterMarkup | null;
  readonly after: string;
}

/** Markup of one argument: `<parameter=` key `>` value `</parameter>`. */
export interface ParameterMarkup {
  readonly key: string;
  readonly value: string;
  readonly end: string;
}

/** How calls are written in an answer. */
export interface CallForm {
  readonly call: JsonCall | MarkedCall;
  /** Before the first call, between calls and behind the last one. */
  readonly open: string;
  readonly between: string;
  readonly close: string;
}

/** The markup before a call. */
export const headText = (call: CallForm['call']): string => {
  const first = call.kind === 'json' ? { text: call.before } : call.head[0]!;
  return 'text' in first ? first.text : '';
};

/** What stands around thoughts, which come before the answer. */
export interface ThoughtForm {
  readonly open: string;
  readonly close: string;
  /** Whether the prompt opens thoughts, so that an answer begins inside of them. */
  readonly begun: boolean;
}

/** How an answer is written; `AnswerReader` divides one by it. */
export interface AnswerForm {
  /** null where the template knows no thoughts. */
  readonly thoughts: ThoughtForm | null;
  /** null where no tools can be offered. */
  readonly calls: CallForm | null;
  /** Why there are no calls, in a sentence without its end; null where there are. */
  readonly noCalls: string | null;
}

/** What an answer's calls begin with, where that is markup which no other text has; null for bare JSON, which may only be the whole answer. */
export function triggerOf(form: CallForm): string | null {
  const word = firstMarkup(form.open) || firstMarkup(headText(form.call));
  return /\p{L}/u.test(word) ? word : null;
}

function markupOf({ between, call, close, open }: CallForm): string[] {
  if (call.kind === 'json') return [open, between, close, call.before, call.after];
  const head = call.head.flatMap((part) => ('text' in part ? [part.text] : []));
  const { end = '', key = '', value = '' } = call.parameters ?? {};
  return [open, between, close, ...head, key, value, end, call.after];
}

/** All markup that has to be read in answers of a form, where it may be of control tokens. */
export const markupOfAnswers = ({ calls, thoughts }: AnswerForm): string[] => [
  ...(thoughts ? [thoughts.open, thoughts.close] : []),
  ...(calls ? markupOf(calls) : []),
];
