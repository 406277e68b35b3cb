/** One choice of an answer as it is generated: divided into its parts, and ended where it is to end. Knows nothing of HTTP. */
import { randomInt } from 'node:crypto';
import type { AnswerToken, Generated } from '../chat/chat-model.ts';
import { type AnswerPart, AnswerReader } from '../text/answers/answer-reader.ts';
import type { Asked } from './conversation.ts';
import { StopFilter } from './stop-filter.ts';
import { type PlacedToken, TextPlaces, TokenPlaces } from './token-places.ts';

export type FinishReason = 'stop' | 'length' | 'tool_calls';

/** A call with the id that its result will be sent with. */
export type CallEvent = Extract<AnswerPart, { readonly kind: 'call' }> & { readonly id: string };

/** What is told of a choice. */
export type ChoicePart = Exclude<AnswerPart, { readonly kind: 'call' }> | CallEvent;

/** What is asked of each choice. */
export interface ChoiceOptions {
  readonly stop: readonly string[];
  /** Whether an answer ends with its first call. */
  readonly oneCall: boolean;
}

const idLetters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** Mistral's chat templates refuse ids of other lengths, or with other characters; 9 of 62 letters are met twice in no conversation. */
const idLength = 9;

const newCallId = (): string => Array.from({ length: idLength }, () => idLetters[randomInt(idLetters.length)]).join('');

type Said = (part: ChoicePart, tokens: readonly PlacedToken[]) => void;

export class Choice {
  /** Aborted where the answer ends before the model ends it. */
  readonly ended = new AbortController();
  private readonly say: Said;
  private readonly oneCall: boolean;
  private readonly filter: StopFilter;
  private readonly reader: AnswerReader;
  private readonly places: TokenPlaces;
  private readonly texts = new TextPlaces();
  private calls = 0;

  /** `begun` characters were given out before the answer. */
  constructor({ begun, oneCall, stop }: ChoiceOptions & { readonly begun: number }, { form, tools }: Asked, say: Said) {
    this.say = say;
    this.oneCall = oneCall;
    this.places = new TokenPlaces(begun);
    this.filter = new StopFilter(stop, (text) =>
      say({ kind: 'text', text }, this.places.take(this.texts.give(text.length))),
    );
    this.reader = new AnswerReader(form, tools, (part, end) => this.hear(part, end));
  }

  token(token: AnswerToken): void {
    this.places.push(token);
  }

  push(piece: string): void {
    this.places.heard(piece);
    if (!this.ended.signal.aborted) this.reader.push(piece);
  }

  /** Says what was held back; why it ended, and the tokens of its end. */
  end({ stopReason }: Generated): { reason: FinishReason; tokens: readonly PlacedToken[] } {
    const ended = this.ended.signal.aborted;
    if (!ended) this.reader.end();
    this.filter.end();
    const tokens = ended ? [] : this.places.rest();
    if (stopReason === 'length' && !ended) return { reason: 'length', tokens };
    return { reason: this.calls > 0 ? 'tool_calls' : 'stop', tokens };
  }

  /** A part of the answer, which ends at `end` of its characters. */
  private hear(part: AnswerPart, end: number): void {
    if (this.ended.signal.aborted) return;
    if (part.kind === 'text') {
      this.texts.push(part.text.length, end);
      this.filter.push(part.text);
    } else {
      this.filter.end();
      this.say(part.kind === 'call' ? { ...part, id: newCallId() } : part, this.places.take(end));
    }
    const isCall = part.kind === 'call-end';
    if (isCall) this.calls++;
    if (this.filter.stopped || (isCall && this.oneCall)) this.ended.abort();
  }
}
