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
  private readonly begun: number;
  /** UTF-16 units that were given, those before the answer among them. */
  private given: number;

  /** `begun` units are before the answer. */
  constructor(begun = 0) {
    this.given = begun;
    this.begun = begun;
  }

  /** A token comes before the text that it completes. */
  push(token: AnswerToken): void {
    this.waiting.push({ token, offset: this.given });
  }

  /** The model gave this text. */
  heard(text: string): void {
    this.given += text.length;
  }

  /** The tokens that a piece which is given out now is made of; it ends at this place of the answer. */
  take(until: number): PlacedToken[] {
    const end = this.waiting.findIndex(({ offset }) => offset >= this.begun + until);
    return this.waiting.splice(0, end < 0 ? this.waiting.length : end);
  }

  /** Those without a text of their own at the end of an answer, that which ended it among them. */
  rest(): PlacedToken[] {
    return this.waiting.splice(0);
  }
}

/** Where in the answer texts of it stand that are given out later, in other pieces: in UTF-16 units. */
export class TextPlaces {
  private readonly waiting: { length: number; readonly end: number }[] = [];

  /** A text that ends there. */
  push(length: number, end: number): void {
    this.waiting.push({ length, end });
  }

  /** So much of the texts is given out now; where that ends. */
  give(length: number): number {
    let left = length;
    for (let first = this.waiting[0]; first; first = this.waiting[0]) {
      if (left < first.length) {
        first.length -= left;
        return first.end - first.length;
      }
      left -= first.length;
      this.waiting.shift();
      if (left === 0) return first.end;
    }
    return 0;
  }
}
