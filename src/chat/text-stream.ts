/**
 * Turns generated tokens into text piece by piece. Promises: a piece never ends inside a character (tokens can hold parts of one),
 * and the pieces together are the text. Pure.
 */

/** Text of `tokens`, which follow `before`; an unfinished character shows as U+FFFD. */
export type Detokenize<Id extends number> = (tokens: readonly Id[], before: readonly Id[]) => string;

const unfinished = '\uFFFD';
/** A character spans at most 4 tokens, and a few such may overlap; more that end in U+FFFD are no unfinished character. */
const maxHeldTokens = 16;
/** Tokens of context that tell a tokenizer whether a word's first space is shown. */
const contextTokens = 4;

export class TextStream<Id extends number> {
  /** All tokens so far; the array itself grows. */
  readonly tokens: Id[] = [];
  private readonly detokenize: Detokenize<Id>;
  /** The last tokens of what was given out, or of the prompt. */
  private before: readonly Id[];
  private readonly onText: ((piece: string) => void) | undefined;
  private held: Id[] = [];
  private emitted = '';

  /** `prompt` are the tokens before the first one. */
  constructor(detokenize: Detokenize<Id>, prompt: readonly Id[], onText?: (piece: string) => void) {
    this.detokenize = detokenize;
    this.before = prompt.slice(-contextTokens);
    this.onText = onText;
  }

  /** The text given out so far. */
  get text(): string {
    return this.emitted;
  }

  push(token: Id): void {
    this.tokens.push(token);
    this.held.push(token);
    const piece = this.heldText();
    if (piece.endsWith(unfinished) && this.held.length < maxHeldTokens) return;
    this.emit(piece);
  }

  /** Gives out what is held back. */
  end(): void {
    if (this.held.length > 0) this.emit(this.heldText());
  }

  private heldText(): string {
    return this.detokenize(this.held, this.before);
  }

  private emit(piece: string): void {
    this.before = [...this.before, ...this.held].slice(-contextTokens);
    this.held = [];
    if (piece === '') return;
    this.emitted += piece;
    this.onText?.(piece);
  }
}
