/**
 * What a chat template renders of an answer with calls that are known, and where in it what stands: the markup of calls is what is around
 * them. Pure.
 */
import type { ChatTemplate, MarkedText, RenderOptions } from '../chat-template.ts';
import { commonLength } from '../common-length.ts';
import type { Message } from '../example.ts';

/** Names, keys and values that no template has. */
const names = ['fetch_q1z', 'fetch_q2z'];
export const keys = ['kq1z', 'kq2z'];
/** A text and a number of each call: templates may write the two differently. */
const values = [
  ['vq1z', 71_947],
  ['vq3z', 72_836],
] as const;
const types = ['string', 'integer'];
const said = 'Wq9z';
const asked: Message = { role: 'user', content: 'Uq9z' };
/** Mistral's templates want ids of nine letters and digits. */
const ids = ['idq1zabcd', 'idq2zabcd'];

const probeTool = (name: string): object => ({
  type: 'function',
  function: {
    name,
    description: 'Fetches.',
    parameters: {
      type: 'object',
      properties: Object.fromEntries(keys.map((key, i) => [key, { type: types[i], description: 'What.' }])),
      required: [],
    },
  },
});
export const probeTools: readonly object[] = names.map(probeTool);

export interface ProbeCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
}

export const probeCall = (i: number): ProbeCall => ({
  id: ids[i]!,
  type: 'function',
  function: { name: names[i]!, arguments: Object.fromEntries(keys.map((key, k) => [key, values[i]![k]!])) },
});

/** An answer's rendering. */
export interface Probe {
  /** What the answer is, without what stands before and behind every answer. */
  readonly text: string;
  readonly calls: readonly ProbeCall[];
  /** Where its calls' names, arguments and what else a call has (ids, types) stand, in order. */
  readonly places: readonly Place[];
}

export interface Place {
  readonly call: number;
  readonly what: 'name' | 'argument' | 'other';
  readonly start: number;
  readonly end: number;
}

const whatOf = (path: string): Place['what'] =>
  /^\d+\.function\.arguments\./.test(path) ? 'argument' : /^\d+\.function\.name$/.test(path) ? 'name' : 'other';

const render = (template: ChatTemplate, answer: Message, options: RenderOptions): MarkedText =>
  template.renderMarked([asked, answer], { ...options, tools: probeTools, addGenerationPrompt: false });

/** Back to before a tag that `at` stands inside of. */
export function beforeTag(text: string, at: number): number {
  const opened = Math.max(text.lastIndexOf('<', at - 1), text.lastIndexOf('[', at - 1));
  if (opened < 0) return at;
  const closed = text.slice(opened, at).search(text[opened] === '<' ? />/ : /\]/);
  return closed < 0 ? opened : at;
}

/** The rendering of an answer of these calls; null where the template refuses it, or shows none of them. */
export function probeOf(template: ChatTemplate, calls: readonly ProbeCall[], options: RenderOptions): Probe | null {
  let whole: MarkedText;
  let plain: MarkedText;
  try {
    whole = render(template, { role: 'assistant', content: null, tool_calls: calls }, options);
    plain = render(template, { role: 'assistant', content: said }, options);
  } catch {
    return null;
  }
  const at = plain.text.lastIndexOf(said);
  const shared = Math.min(commonLength(plain.text, whole.text), at);
  const start = beforeTag(whole.text, shared);
  const turnEnd = plain.text.slice(at + said.length);
  const end = whole.text.length - (whole.text.endsWith(turnEnd) ? turnEnd.length : 0);
  const spans = whole.spans.filter(({ origin, start: from }) => origin.field === 'tool_calls' && from >= start);
  const places = spans.map(
    ({ origin, ...span }): Place => ({
      call: Number(origin.path.split('.')[0]),
      what: whatOf(origin.path),
      start: span.start - start,
      end: span.end - start,
    }),
  );
  return at < 0 || places.length === 0 ? null : { text: whole.text.slice(start, end), calls, places };
}

/** Whether the template shows the tools to the model. */
export function showsTools(template: ChatTemplate, options: RenderOptions): boolean {
  try {
    const { text } = template.renderMarked([asked], { ...options, tools: probeTools, addGenerationPrompt: true });
    return names.every((name) => text.includes(name));
  } catch {
    return false;
  }
}

/** What the prompt has behind the last message, which an answer comes after. Throws ConversationRefused. */
export function promptEnd(template: ChatTemplate, options: RenderOptions): string {
  const { text } = template.renderMarked([asked], { ...options, addGenerationPrompt: true });
  return text.slice(text.lastIndexOf(asked.content!) + asked.content!.length);
}

/** An answer with thoughts before it, where the template shows both: what stands before the thoughts and between the two. */
export function thoughtsProbe(
  template: ChatTemplate,
  options: RenderOptions,
): { before: string; between: string } | null {
  const thought = 'Tq9z';
  try {
    const answer: Message = { role: 'assistant', content: said, reasoning_content: thought };
    const { text } = template.renderMarked([asked, answer], { ...options, addGenerationPrompt: false });
    const [at, answered] = [text.lastIndexOf(thought), text.lastIndexOf(said)];
    if (at < 0 || answered < at) return null;
    return { before: text.slice(0, at), between: text.slice(at + thought.length, answered) };
  } catch {
    return null;
  }
}
