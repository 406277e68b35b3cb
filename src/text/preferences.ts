/**
 * Preferences in the usual forms: two answers to one prompt of which one is better, and labels of single answers. Promises: both answers stand
 * behind the same prompt, and differ; what does not is refused. Pure. Forms: TRL's (https://huggingface.co/docs/trl/dataset_formats), explicit
 * prompts or a beginning that both sides share; OpenAI's; dialogues in the markup of Anthropic's HH-RLHF.
 */
import { orderedKeys } from '../formats/ordered-json.ts';
import type { Content, Message } from './example.ts';
import { messagesOf, offeredTools } from './messages.ts';
import { promptCompletion, turn, turnsOf, withSystem } from './prompt-completion.ts';
import { type Fields, isObject, RecordRefused, wordsOf } from './refused.ts';

/** The preferred answer with its prompt, and the other with the same. */
export type Pair = Content & { readonly rejected: Content };

/** A value as text in which the order of keys does not count. */
const spelled = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    isObject(each)
      ? Object.fromEntries(
          orderedKeys(each)
            .sort()
            .map((key) => [key, each[key]]),
        )
      : each,
  );
const same = (a: unknown, b: unknown): boolean => spelled(a) === spelled(b);

const equalAnswers = (): RecordRefused => new RecordRefused('both answers are equal');

/** Human: and Assistant: at the beginnings of paragraphs. */
const speaker = /(?:^|\n\n)(Human|Assistant):/g;

/** A text in the markup of HH-RLHF as turns; null where it is none. */
function dialogue(text: string): Fields[] | null {
  if (!/^\s*Human:/.test(text)) return null;
  const turns: Fields[] = [];
  const marks = [...text.trimStart().matchAll(speaker)];
  const body = text.trimStart();
  marks.forEach((mark, i) => {
    const said = body.slice(mark.index + mark[0].length, marks[i + 1]?.index ?? body.length).trim();
    turns.push(turn(mark[1] === 'Human' ? 'user' : 'assistant', said));
  });
  return turns;
}

/** Whether white space is all that two prompts differ in. */
const spaceOnly = (a: unknown, b: unknown): string | undefined => {
  const bare = (value: unknown): string => spelled(value).replace(/\\[ntr]|\s/g, '');
  return bare(a) === bare(b) ? 'in white space only' : undefined;
};

/** Both sides hold their prompt: what they begin with alike is it. */
function implicit(fields: Fields, notes: Set<string>): Pair {
  const sides = ['chosen', 'rejected'].map((name) => messagesOf(withSystem(fields.system, fields[name]), notes));
  const [chosen, rejected] = sides as [Message[], Message[]];
  if (same(chosen, rejected)) throw equalAnswers();
  let shared = 0;
  while (shared < Math.min(chosen.length, rejected.length) && same(chosen[shared], rejected[shared])) shared++;
  // What the two go on with is theirs; where one of them begins with a turn that is not an answer, so does its prompt.
  const next = [chosen[shared], rejected[shared]];
  if (next.some((message) => message?.role !== 'assistant'))
    throw new RecordRefused(
      'the prompts of both answers differ',
      spaceOnly(chosen.slice(0, -1), rejected.slice(0, -1)),
    );
  return pairOf(chosen, rejected, shared, fields);
}

function pairOf(chosen: readonly Message[], rejected: readonly Message[], prompt: number, fields: Fields): Pair {
  const tools = offeredTools(fields);
  const [won, lost] = [chosen, rejected].map((messages) => ({
    kind: 'chat' as const,
    messages: messages.map((message, i) => (i < prompt ? { ...message, weight: 0 as const } : message)),
    ...tools,
  }));
  return { ...won!, rejected: lost! };
}

/** Texts that hold their prompt, which ends with the last word that they begin with alike. */
function implicitTexts(chosen: string, rejected: string): Pair {
  if (chosen === rejected) throw equalAnswers();
  let shared = 0;
  while (shared < Math.min(chosen.length, rejected.length) && chosen[shared] === rejected[shared]) shared++;
  while (shared > 0 && !/\s/.test(chosen[shared - 1]!)) shared--;
  if (shared === 0) throw new RecordRefused('both sides have no common beginning, and there is no prompt');
  const prompt = chosen.slice(0, shared);
  const side = (text: string): Content => ({ kind: 'completion', prompt, completion: text.slice(shared) });
  if (chosen.slice(shared).trim() === '' || rejected.slice(shared).trim() === '')
    throw new RecordRefused('an answer is empty');
  return { ...side(chosen), rejected: side(rejected) };
}

const isWhole = (side: unknown): boolean =>
  Array.isArray(side) && isObject(side[0]) && !/^(assistant|gpt|model)$/.test(String(side[0].role ?? side[0].from));

/** TRL's `prompt`, `chosen` and `rejected`. */
export function preferencePair(fields: Fields, notes: Set<string>): Pair {
  const { chosen, prompt, rejected } = fields;
  const dialogues = [chosen, rejected].map((side) =>
    typeof side === 'string' && prompt === undefined ? dialogue(side) : null,
  );
  if (dialogues.every((turns) => turns !== null))
    return implicit({ ...fields, chosen: dialogues[0], rejected: dialogues[1] }, notes);
  // Some data sets repeat the prompt inside both conversations.
  if (isWhole(chosen) && isWhole(rejected)) return implicit(fields, notes);
  if (prompt === undefined || prompt === null) {
    if (Array.isArray(chosen) || Array.isArray(rejected))
      throw new RecordRefused('there is no prompt, and both sides begin with answers');
    return implicitTexts(wordsOf(chosen, 'chosen', notes), wordsOf(rejected, 'rejected', notes));
  }
  const side = (completion: unknown): Content => promptCompletion({ ...fields, completion }, notes);
  if (same(chosen, rejected)) throw equalAnswers();
  return { ...side(chosen), rejected: side(rejected) };
}

/** OpenAI's: an input of messages, and two outputs. */
export function openaiPair(fields: Fields, notes: Set<string>): Pair {
  const { input, non_preferred_output: worse, preferred_output: better } = fields;
  if (!isObject(input)) throw new RecordRefused('the input is no object with messages');
  const prompt = messagesOf(input.messages, notes);
  const [chosen, rejected] = [better, worse].map((output, i) => {
    const name = i === 0 ? 'preferred_output' : 'non_preferred_output';
    const messages = messagesOf(turnsOf(output, 'assistant', name, notes), notes);
    if (messages.at(-1)?.role !== 'assistant') throw new RecordRefused(`${name} ends with no answer`);
    return [...prompt, ...messages];
  }) as [Message[], Message[]];
  if (same(chosen, rejected)) throw equalAnswers();
  return pairOf(chosen, rejected, prompt.length, input);
}

/** What people call good and bad. */
const verdicts: Readonly<Record<string, boolean>> = {
  true: true, good: true, up: true, thumbs_up: true, 'thumbs up': true, positive: true, like: true, '👍': true, '1': true,
  false: false, bad: false, down: false, thumbs_down: false, 'thumbs down': false, negative: false, dislike: false, '👎': false, '0': false, '-1': false,
}; // biome-ignore format: a table

/** Keys that a label stands under. */
export const labelKeys: readonly string[] = ['label', 'feedback', 'rating', 'thumbs'];

/** Whether an answer was found good, as a value says it; null where it says nothing of the kind. */
export function verdictOf(value: unknown): boolean | null {
  if (isObject(value)) {
    const [only, ...others] = labelKeys.filter((key) => key in value);
    return only !== undefined && others.length === 0 ? verdictOf(value[only]) : null;
  }
  if (Array.isArray(value)) return null;
  const text = typeof value === 'object' && value !== null && 'value' in value ? String(value.value) : String(value);
  return verdicts[text.trim().toLowerCase()] ?? null;
}

/** The label of a record, if it has one. */
export function labelOf(fields: Fields): { label?: boolean } {
  for (const key of labelKeys) {
    const label = Object.hasOwn(fields, key) ? verdictOf(fields[key]) : null;
    if (label !== null) return { label };
  }
  return {};
}
