/**
 * Prompts that somebody has put into the chat template's markup already. Promises: such a prompt is told from one that only speaks of
 * markup by how it ends. Pure.
 */
import type { ChatTemplate } from './chat-template.ts';
import { remembered } from './remembered.ts';

/** What stands around a question and its answer in the template's rendering. */
interface TurnMarkup {
  /** From the beginning to the question. */
  readonly before: string;
  /** Between the question and the answer. */
  readonly between: string;
  /** After the answer. */
  readonly turnEnd: string;
}

export type Markup =
  | { readonly kind: 'finished'; readonly turnEnd: string }
  /** `between` is what stands between a question and its answer; `expected` the same without white space. */
  | { readonly kind: 'unfinished'; readonly expected: string; readonly between: string; readonly turnEnd: string };

const question = 'Qquestion1';
const answer = 'Aanswer1';
const known = new WeakMap<ChatTemplate, { readonly markup: TurnMarkup | null }>();

const turnMarkup = (template: ChatTemplate): TurnMarkup | null =>
  remembered(known, template, () => ({ markup: findMarkup(template) })).markup;

function findMarkup(template: ChatTemplate): TurnMarkup | null {
  try {
    const asked = [{ role: 'user', content: question }];
    const prompt = template.render(asked, { addGenerationPrompt: true });
    const whole = template.render([...asked, { role: 'assistant', content: answer }], { addGenerationPrompt: false });
    const at = prompt.indexOf(question);
    const end = whole.lastIndexOf(answer);
    if (at < 0 || end < 0) return null;
    return {
      before: prompt.slice(0, at),
      between: prompt.slice(at + question.length),
      turnEnd: whole.slice(end + answer.length),
    };
  } catch {
    // A template that has no such turn has no such prompts.
    return null;
  }
}

/** Whether the template writes nothing behind an answer that is the last: GLM's next turn ends it, others leave it to who generates. */
export const leavesAnswersOpen = (template: ChatTemplate): boolean => turnMarkup(template)?.turnEnd.trim() === '';

/** The markup that a turn begins with: the last line or tag before the question. */
const openingOf = (before: string): string => /(?:<[^<>]*>|\[[^[\]]*\])[^<>[\]]*$/.exec(before)?.[0].trim() ?? '';

/**
 * Whether the prompt is a rendered chat: `finished` where it ends in what asks for an answer, `unfinished` where it begins as the
 * template begins a turn and does not; null for any other prompt, also where it only speaks of markup.
 */
export function markupOf(prompt: string, template: ChatTemplate): Markup | null {
  const markup = turnMarkup(template);
  if (!markup) return null;
  const { before, between, turnEnd } = markup;
  const asks = between.trim();
  if (asks !== '' && /[<[|]/.test(asks) && prompt.trimEnd().endsWith(asks)) return { kind: 'finished', turnEnd };
  const opening = openingOf(before);
  const begins = opening !== '' && prompt.trimStart().startsWith(opening);
  return begins && prompt.includes(closingOf(between)) && closingOf(between) !== ''
    ? { kind: 'unfinished', expected: asks, between, turnEnd }
    : null;
}

/** Where `prompt` ends in the first part of `between`: that part's length, 0 where it does not. */
function begun(prompt: string, between: string): number {
  for (let length = between.length; length > 0; length--) if (prompt.endsWith(between.slice(0, length))) return length;
  return 0;
}

/** What an unfinished prompt lacks of what asks for an answer. */
export const lackingIn = (prompt: string, { between }: { readonly between: string }): string =>
  between.slice(begun(prompt, between));

/**
 * A prompt that stops before what asks for an answer and the completion that begins with it, divided where the answer begins; null where
 * they are not so divided. TRL's own templates divide them there.
 */
export function movedBoundary(
  prompt: string,
  completion: string,
  markup: { readonly between: string },
): { prompt: string; completion: string } | null {
  const lacking = lackingIn(prompt, markup);
  // White space behind it is the answer's own where the data leaves it out.
  const moved = [lacking, lacking.trimEnd()].find((part) => part !== '' && completion.startsWith(part));
  return moved === undefined ? null : { prompt: prompt + moved, completion: completion.slice(moved.length) };
}

/** Whether an answer is itself a whole chat in the template's markup. */
export function holdsChat(answer: string, template: ChatTemplate): boolean {
  const markup = turnMarkup(template);
  if (!markup) return false;
  const opening = openingOf(markup.before);
  const asks = markup.between.trim();
  return opening !== '' && /[<[|]/.test(asks) && answer.trimStart().startsWith(opening) && answer.includes(asks);
}

/** The tag that ends a question. */
const closingOf = (between: string): string => /^\s*((?:<[^<>]*>|\[[^[\]]*\]))/.exec(between)?.[1] ?? '';

/** What other families' templates write around a turn, and behind an answer. */
const turnMarks = /<\|im_start\|>|<\|start_header_id\|>|\[INST\]|<start_of_turn>|<\|user\|>|<\|assistant\|>|<｜User｜>/;
const endMarks = /(?:<\/s>|<\|im_end\|>|<\|eot_id\|>|<\|endoftext\|>|<end_of_turn>|<\|end\|>|<\|end_of_text\|>)\s*$/;

/**
 * Notes on texts that hold the markup of another model's template, which is no markup to this one (`known` are its own control
 * tokens): it is learnt as text, and a model would write it.
 */
export function foreignMarkup(
  messages: readonly { readonly role: string; readonly content: string | null }[],
  known: readonly string[],
): string[] {
  const notes = new Set<string>();
  for (const { content, role } of messages) {
    if (!content) continue;
    const turn = turnMarks.exec(content)?.[0];
    if (turn !== undefined && !known.includes(turn))
      notes.add(`texts hold ${turn}, the chat markup of another model; it is learnt as text`);
    const end = role === 'assistant' ? endMarks.exec(content)?.[0].trim() : undefined;
    if (end !== undefined && !known.includes(end))
      notes.add(`answers end in ${end}, the end of a turn of another model; it is learnt as text`);
  }
  return [...notes];
}

/** Tags that data sets write around a result by themselves (Hermes) and that templates write, too. */
const resultTags = /^\s*(<tool_response>|<tool_result>|<function_results?>)/;

/** Notes on results of tools that would stand between the same tags twice. */
export function doubledTags(
  messages: readonly { readonly role: string; readonly content: string | null }[],
  { source }: { readonly source: string },
): string[] {
  const notes = new Set<string>();
  for (const { content, role } of messages) {
    const tag = role === 'tool' ? resultTags.exec(content ?? '')?.[1] : undefined;
    if (tag !== undefined && source.includes(tag))
      notes.add(`texts of tool messages begin with ${tag}, which the template puts around them once more`);
  }
  return [...notes];
}
