/**
 * The output of a response while it comes, and the events that tell of it, in the order and the shapes of OpenAI's reference. Pure but for
 * random ids.
 */
import { randomUUID } from 'node:crypto';
import type { AnswerEvent } from '../answer.ts';
import type { CallEvent } from '../choice.ts';

type Status = 'in_progress' | 'completed' | 'incomplete';

/** An event without its number. */
export interface ResponseEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}
type Say = (event: ResponseEvent) => void;

const newId = (prefix: string): string => `${prefix}_${randomUUID().replaceAll('-', '')}`;

/** A thought or a text: an item with one part, which grows. */
interface TextKind {
  readonly item: (id: string, status: Status, content: readonly object[]) => object;
  readonly part: (text: string) => object;
  /** The events of its text. */
  readonly events: string;
  /** What the event of its whole text has beside it. */
  readonly beside: object;
  readonly idPrefix: string;
}

const textKinds: Readonly<Record<'text' | 'thought', TextKind>> = {
  text: {
    idPrefix: 'msg',
    item: (id, status, content) => ({ id, type: 'message', status, role: 'assistant', content }),
    part: (text) => ({ type: 'output_text', text, annotations: [], logprobs: [] }),
    events: 'response.output_text',
    beside: { logprobs: [] },
  },
  thought: {
    idPrefix: 'rs',
    item: (id, status, content) => ({ id, type: 'reasoning', status, summary: [], content }),
    part: (text) => ({ type: 'reasoning_text', text }),
    events: 'response.reasoning_text',
    beside: {},
  },
};

/** An item that is not done. */
interface OpenItem {
  add(text: string): void;
  /** The item, done. */
  done(status: Status): object;
}

class OpenText implements OpenItem {
  private readonly kind: TextKind;
  private readonly say: Say;
  private readonly id: string;
  private readonly place: { readonly item_id: string; readonly output_index: number; readonly content_index: 0 };
  private text = '';

  constructor(kind: TextKind, index: number, say: Say) {
    this.kind = kind;
    this.say = say;
    this.id = newId(kind.idPrefix);
    this.place = { item_id: this.id, output_index: index, content_index: 0 };
    const item = kind.item(this.id, 'in_progress', []);
    say({ type: 'response.output_item.added', output_index: index, item });
    say({ type: 'response.content_part.added', ...this.place, part: kind.part('') });
  }

  add(text: string): void {
    this.text += text;
    this.say({ type: `${this.kind.events}.delta`, ...this.place, delta: text, ...this.kind.beside });
  }

  done(status: Status): object {
    const { beside, events, item, part } = this.kind;
    const whole = part(this.text);
    this.say({ type: `${events}.done`, ...this.place, text: this.text, ...beside });
    this.say({ type: 'response.content_part.done', ...this.place, part: whole });
    return item(this.id, status, [whole]);
  }
}

class OpenCall implements OpenItem {
  private readonly say: Say;
  private readonly call: CallEvent;
  private readonly id = newId('fc');
  private readonly place: { readonly item_id: string; readonly output_index: number };
  private given = '';

  constructor(call: CallEvent, index: number, say: Say) {
    this.call = call;
    this.say = say;
    this.place = { item_id: this.id, output_index: index };
    say({ type: 'response.output_item.added', output_index: index, item: this.item('in_progress') });
  }

  add(text: string): void {
    this.given += text;
    this.say({ type: 'response.function_call_arguments.delta', ...this.place, delta: text });
  }

  done(status: Status): object {
    const done = { name: this.call.name, arguments: this.given };
    this.say({ type: 'response.function_call_arguments.done', ...this.place, ...done });
    return this.item(status);
  }

  private item(status: Status): object {
    const { id, name } = this.call;
    return { id: this.id, type: 'function_call', status, call_id: id, name, arguments: this.given };
  }
}

const isUnfinished = (event: AnswerEvent): boolean =>
  event.kind === 'no-call' || (event.kind === 'end' && event.reason === 'length');

/** The items of one response. */
export class ResponseItems {
  /** Those that are done. */
  readonly output: object[] = [];
  private readonly say: Say;
  private open: { readonly kind: 'text' | 'thought' | 'call'; readonly item: OpenItem } | null = null;

  constructor(say: Say) {
    this.say = say;
  }

  hear(event: AnswerEvent): void {
    if (event.kind === 'text' || event.kind === 'thought') {
      if (this.open?.kind !== event.kind)
        this.begin(event.kind, (index) => new OpenText(textKinds[event.kind], index, this.say));
      this.open!.item.add(event.text);
    } else if (event.kind === 'call') this.begin('call', (index) => new OpenCall(event, index, this.say));
    else if (event.kind === 'arguments') this.open!.item.add(event.text);
    else this.close(isUnfinished(event) ? 'incomplete' : 'completed');
  }

  private begin(kind: 'text' | 'thought' | 'call', make: (index: number) => OpenItem): void {
    this.close('completed');
    this.open = { kind, item: make(this.output.length) };
  }

  private close(status: Status): void {
    if (!this.open) return;
    const item = this.open.item.done(status);
    this.say({ type: 'response.output_item.done', output_index: this.output.length, item });
    this.output.push(item);
    this.open = null;
  }
}
