/** A prompt with its completion, as texts or as turns of a conversation. Pure. */
import { isSpelledNumber } from '../formats/exact-json.ts';
import type { Content } from './example.ts';
import { messagesOf, offeredTools } from './messages.ts';
import { type Fields, isObject, RecordRefused, wordsOf } from './refused.ts';

export const turn = (role: string, content: unknown): Fields => ({ role, content });

/** A system prompt beside the turns becomes the first of them. */
export const systemTurn = (system: unknown): Fields[] =>
  system === undefined || system === null || system === ''
    ? []
    : [isObject(system) ? { ...system, role: 'system' } : turn('system', system)];

export const withSystem = (system: unknown, turns: unknown): unknown =>
  Array.isArray(turns) ? [...systemTurn(system), ...(turns as readonly unknown[])] : turns;

/** Python's words for a cell that holds nothing; an answer may be one of them, but seldom is. */
const emptyCell = /^(nan|none|<NA>|NaT)$/i;

export function noteEmptyCell(answer: string, notes: Set<string>): void {
  const found = emptyCell.exec(answer.trim())?.[1];
  if (found)
    notes.add(`answers are the word "${found}" alone, as Python writes an empty cell; they are learnt as they are`);
}

/** A turn or several of a conversation, or the text of one by `role`. */
export function turnsOf(value: unknown, role: string, name: string, notes: Set<string>): readonly unknown[] {
  if (isObject(value)) return [value];
  if (!Array.isArray(value)) return [turn(role, wordsOf(value, name, notes))];
  if (!value.some(isObject)) throw new RecordRefused(`${name} is a list without messages`);
  return value;
}

/** TRL's conversational form, also with one side as plain text: only the completion is learnt. */
function conversational(fields: Fields, notes: Set<string>): Content {
  const prompt = withSystem(fields.system, turnsOf(fields.prompt, 'user', 'the prompt', notes));
  const before = messagesOf(prompt, notes).map((message) => ({ ...message, weight: 0 as const }));
  const completion = messagesOf(turnsOf(fields.completion, 'assistant', 'the completion', notes), notes);
  return { kind: 'chat', messages: [...before, ...completion], ...offeredTools(fields) };
}

export function promptCompletion(fields: Fields, notes: Set<string>): Content {
  const { completion, prompt } = fields;
  if (typeof prompt === 'object' && prompt !== null && !isSpelledNumber(prompt)) return conversational(fields, notes);
  if (typeof completion === 'object' && completion !== null && !isSpelledNumber(completion))
    return conversational(fields, notes);
  const [asked, answer] = [wordsOf(prompt, 'the prompt', notes), wordsOf(completion, 'the completion', notes)];
  if (answer.trim() === '') throw new RecordRefused('the completion is empty');
  noteEmptyCell(answer, notes);
  if (offeredTools(fields).tools) notes.add('tools beside a prompt that is plain text are not learnt');
  const system = systemTurn(fields.system);
  if (system.length === 0) return { kind: 'completion', prompt: asked, completion: answer };
  return { kind: 'chat', messages: messagesOf([...system, turn('user', asked), turn('assistant', answer)], notes) };
}
