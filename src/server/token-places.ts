/**
 * Which tokens a piece of an answer is made of. Promises: every token whose text begins before the answer's end is given out once, with the
 * piece that it begins in; what a stop sequence cuts off is not. Pure.
 */
import type { AnswerToken } from '../chat/chat-model.ts';

/** A token, and where its text begins in the text that is given out, in UTF-16 units. */
export interface PlacedToken {
  /** Of a prompt's first token there is no log-probability: nothing is before it. */
  readonly token: Omit<AnswerToken, 'logProbability'> & { readonly logProbability: number | null };
  readonly offset: number;
}

export class TokenPlaces {
  private readonly waiting: PlacedToken[] = [];
  /** UTF-16 units that the model has given, and that were given out. */
  private given: number;
  private out: number;

  /** `begun` units are before the answer. */
  constructor(begun = 0) {
    this.given = begun;
    this.out = begun;
  }

  /** A token comes before the text that it completes. */
  push(token: AnswerToken): void {
    this.waiting.push({ token, offset: this.given });
  }

  /** The model gave this text. */
  heard(text: string): void {
    this.given += text.length;
  }

  /** The tokens that a piece which is given out now is made of. */
  take(text: string): PlacedToken[] {
    this.out += text.length;
    const end = this.waiting.findIndex(({ offset }) => offset >= this.out);
    return this.waiting.splice(0, end < 0 ? this.waiting.length : end);
  }

  /** Those without a text of their own at the end of an answer, that which ended it among them. */
  rest(): PlacedToken[] {
    return this.waiting.splice(0);
  }
}
