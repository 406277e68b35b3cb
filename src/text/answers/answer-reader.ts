/**
 * Divides an answer, while it is written, into what was thought, what is said and the calls of tools. Promises: nothing of it is lost:
 * what looks like a call and is none is text again; white space between these parts is not of them. Pure.
 */
import { begunAt } from '../common-length.ts';
import { type AnswerForm, triggerOf } from './answer-form.ts';
import type { CallListener } from './call-listener.ts';
import { readCalls } from './call-reading.ts';
import type { OfferedTools } from './offered-tools.ts';
import { type Reading, TextSource, Unreadable } from './text-source.ts';

/** A part of an answer; calls are numbered from 0 in their order. */
export type AnswerPart =
  | { readonly kind: 'thought'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'call'; readonly call: number; readonly name: string }
  /** More of the call's arguments: together they are JSON of an object. */
  | { readonly kind: 'arguments'; readonly call: number; readonly text: string }
  | { readonly kind: 'call-end'; readonly call: number }
  /** The call is none after all; its text comes as `text`. */
  | { readonly kind: 'no-call'; readonly call: number };

/** Told of each part of an answer; `end` is where in the answer it ends, in UTF-16 units. */
export type OnAnswerPart = (part: AnswerPart, end: number) => void;

/** Divides one answer: `push` takes its pieces as they come, `end` says that there are no more. */
export class AnswerReader {
  private readonly form: AnswerForm;
  private readonly tools: OfferedTools | null;
  private readonly say: (part: AnswerPart) => void;
  private readonly source = new TextSource();
  private readonly reading: Reading<void>;
  private calls = 0;

  /** Without `tools` nothing is a call. */
  constructor(form: AnswerForm, tools: OfferedTools | null, say: OnAnswerPart) {
    this.form = form;
    this.tools = tools;
    this.say = (part) => say(part, this.source.offset);
    this.reading = this.answer();
  }

  /** Takes the next piece; the parts that it completes are told at once. */
  push(piece: string): void {
    this.source.push(piece);
    this.reading.next();
  }

  /** The answer has ended: what was held back is said. */
  end(): void {
    this.source.end();
    this.reading.next();
  }

  private *answer(): Reading<void> {
    yield* this.thoughts();
    const { calls } = this.form;
    if (calls === null || this.tools === null) return yield* this.plain();
    const trigger = triggerOf(calls);
    if (trigger === null) return yield* this.bareCalls(this.tools);
    while (yield* this.until(trigger, (text) => this.sayText(text))) {
      this.source.mark();
      yield* this.callsHere(this.tools);
    }
    // Without a call, an answer is what it would be without tools.
    if (this.calls === 0) this.sayText(this.source.rest);
  }

  private *thoughts(): Reading<void> {
    const { thoughts } = this.form;
    if (thoughts === null) return;
    const { begun, close, open } = thoughts;
    this.source.mark();
    yield* this.source.skipSpace();
    // A model may open again what the prompt has opened.
    if (!(yield* this.source.has(open)) && !begun) return this.sayText(this.source.readSinceMark);
    yield* this.source.skipSpace();
    yield* this.until(close, (text) => this.say({ kind: 'thought', text }));
    yield* this.source.skipSpace();
    yield* this.source.has(close);
    yield* this.source.skipSpace();
  }

  private *plain(): Reading<void> {
    do this.sayText(this.source.takeAll());
    while (yield* this.source.more(0));
    this.sayText(this.source.takeAll());
  }

  /** Says text up to `word` or the end, but for the white space before, which is not read. Returns whether the word is there. */
  private *until(word: string, say: (text: string) => void): Reading<boolean> {
    for (;;) {
      const { rest } = this.source;
      const at = rest.indexOf(word);
      const sure = at >= 0 ? at : rest.length - begunAt(rest, word);
      const said = rest.slice(0, sure).trimEnd();
      if (said !== '') say(this.source.take(said.length));
      this.source.mark();
      if (at >= 0) return true;
      if (yield* this.source.more(this.source.rest.length)) continue;
      const held = this.source.rest.trimEnd();
      if (held !== '') say(this.source.take(held.length));
      return false;
    }
  }

  private sayText(text: string): void {
    if (text !== '') this.say({ kind: 'text', text });
  }

  /** A model that marks its calls with nothing calls with its whole answer, and only what is offered. */
  private *bareCalls(tools: OfferedTools): Reading<void> {
    this.source.mark();
    yield* this.source.skipSpace();
    if ('{['.includes((yield* this.source.peek()) || ' ')) yield* this.callsHere(tools, true);
    else this.sayText(this.source.readSinceMark);
    yield* this.plain();
  }

  private *callsHere(tools: OfferedTools, onlyOffered = false): Reading<void> {
    let open = -1;
    const listener: CallListener = {
      open: (name) => {
        if (onlyOffered && !tools.has(name)) throw new Unreadable();
        open = this.calls++;
        this.say({ kind: 'call', call: open, name });
      },
      arguments: (text) => this.say({ kind: 'arguments', call: open, text }),
      close: () => {
        this.say({ kind: 'call-end', call: open });
        open = -1;
      },
    };
    try {
      yield* readCalls(this.source, this.form.calls!, tools, listener);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      if (open >= 0) this.say({ kind: 'no-call', call: open });
      // At least what looked like the beginning of a call: it is not tried again.
      this.sayText(this.source.readSinceMark || this.source.take(1));
      return this.source.mark();
    }
    this.source.mark();
    yield* this.source.skipSpace();
  }
}
