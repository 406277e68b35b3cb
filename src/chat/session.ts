/**
 * A conversation and the lines that steer it. Pure: no terminal, no engine.
 * Promises: what the model is asked with is exactly `messages`; a turn is added whole or taken back; a saved conversation is a
 * training record (`messages`), in which answers that were cut short or found bad do not count; what was thought of answers
 * stands beside them (`feedback`).
 */
import { createHash } from 'node:crypto';
import type { Message } from '../text/example.ts';
import { type Feedback, type Mark, withMarks } from '../text/feedback.ts';

export type ChatCommand =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'reset' }
  | { readonly kind: 'help' }
  | { readonly kind: 'exit' }
  | { readonly kind: 'empty' }
  /** null shows the system prompt, '' removes it. */
  | { readonly kind: 'system'; readonly text: string | null }
  | { readonly kind: 'mark'; readonly mark: Mark }
  | { readonly kind: 'save'; readonly path: string | null }
  | { readonly kind: 'unknown'; readonly name: string };

type Parse = (rest: string) => ChatCommand;

const commands: Readonly<Record<string, { readonly help: string; readonly parse: Parse }>> = {
  '/system': {
    help: '/system [TEXT]  set the system prompt ("/system none" removes it); without TEXT, show it',
    parse: (rest) => ({ kind: 'system', text: rest === '' ? null : rest === 'none' ? '' : rest }),
  },
  '/good': {
    help: '/good           mark the last answer as a good one',
    parse: () => ({ kind: 'mark', mark: { mark: 'good' } }),
  },
  '/bad': {
    help: '/bad            mark the last answer as a bad one: nothing will learn to give it',
    parse: () => ({ kind: 'mark', mark: { mark: 'bad' } }),
  },
  '/better': {
    help: '/better TEXT    the same, with the answer that would have been right',
    parse: (rest) => ({ kind: 'mark', mark: { mark: 'bad', better: rest } }),
  },
  '/reset': {
    help: '/reset          forget the conversation, keep the system prompt',
    parse: () => ({ kind: 'reset' }),
  },
  '/save': {
    help: '/save [FILE]    add the conversation to a JSONL file that `nomoat tune` can read',
    parse: (rest) => ({ kind: 'save', path: rest === '' ? null : rest }),
  },
  '/help': { help: '/help           show this', parse: () => ({ kind: 'help' }) },
  '/exit': { help: '/exit           leave (also Ctrl-D, or Ctrl-C twice)', parse: () => ({ kind: 'exit' }) },
};

/** The names of the commands, for suggestions and completion. */
export const commandNames: readonly string[] = Object.keys(commands);

export const chatHelp = [
  ...Object.values(commands).map(({ help }) => help),
  'Marks are saved with the conversation; `nomoat collect` makes a data set of them.',
  'A line that ends in \\ goes on in the next one; // at the beginning sends a line that starts with /.',
  'A pasted text of several lines is one message: Enter sends it. Ctrl-C stops an answer.',
].join('\n');

/** What one line of input means. Only a `/` at the very beginning makes a command. */
export function parseChatLine(line: string): ChatCommand {
  if (line.trim() === '') return { kind: 'empty' };
  if (!line.startsWith('/')) return { kind: 'message', text: line };
  if (line.startsWith('//')) return { kind: 'message', text: line.slice(1) };
  const match = /^(\S+)\s*([\s\S]*)$/.exec(line)!;
  const name = match[1] === '/quit' ? '/exit' : match[1]!;
  if (!Object.hasOwn(commands, name)) return { kind: 'unknown', name };
  return commands[name]!.parse(match[2]!.trim());
}

/** The state of one conversation: an optional system prompt, then user and assistant turns in alternation. */
export class ChatSession {
  private system: string | null;
  private turns: Message[] = [];
  /** What was thought of answers; the last word counts. */
  private readonly marks = new WeakMap<Message, Mark>();

  constructor(system: string | null = null) {
    this.system = system || null;
  }

  get systemPrompt(): string | null {
    return this.system;
  }

  /** What the model is to be asked with. */
  get messages(): readonly Message[] {
    return this.system === null ? this.turns : [{ role: 'system', content: this.system }, ...this.turns];
  }

  /** Whether at least one answer stands in the conversation. */
  get answered(): boolean {
    return this.turns.some(({ role }) => role === 'assistant');
  }

  ask(text: string): void {
    this.turns.push({ role: 'user', content: text });
  }

  /** Adds the answer to the last question; `whole` is false where it was stopped or cut: then it carries weight 0. */
  answer(text: string, whole: boolean): void {
    this.turns.push(whole ? { role: 'assistant', content: text } : { role: 'assistant', content: text, weight: 0 });
  }

  /** Says what is thought of the last answer, in the place of what was said before; false where there is none. */
  mark(mark: Mark): boolean {
    const last = this.turns.at(-1);
    if (last?.role !== 'assistant') return false;
    this.marks.set(last, mark);
    return true;
  }

  /** The last answer as it was given, or null. */
  get lastAnswer(): string | null {
    const last = this.turns.at(-1);
    return last?.role === 'assistant' ? last.content : null;
  }

  /** Takes back a question that got no answer. */
  takeBack(): void {
    if (this.turns.at(-1)?.role === 'user') this.turns.pop();
  }

  reset(): void {
    this.turns = [];
  }

  /** An empty text removes the system prompt. */
  setSystem(text: string): void {
    this.system = text || null;
  }

  /**
   * One JSONL line without its end: a record as `nomoat tune` reads it, with what was thought of answers beside it. With a producer, under the name
   * that China's GB 45438-2025 has for an implicit label in a file's metadata, that it was generated, by which model, and the SHA-256 of its
   * messages, which nobody gave a number.
   */
  toRecord(producer: string | null = null): string {
    const marks = this.messages.flatMap((each, message): Feedback[] => {
      const mark = this.marks.get(each);
      return mark ? [{ message, ...mark }] : [];
    });
    const record = withMarks(this.messages, marks);
    if (producer === null) return JSON.stringify(record);
    const ProduceID = createHash('sha256').update(JSON.stringify(record.messages)).digest('hex');
    return JSON.stringify({ ...record, AIGC: { Label: '1', ContentProducer: producer, ProduceID } });
  }
}
