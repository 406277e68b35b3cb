import { NomoatError } from '../errors.ts';

/** A text that the tokenizer cannot take; others it can. `reason` is equal for equal causes. */
export class TextRefused extends NomoatError {
  readonly reason: string;

  constructor(reason: string) {
    super({ part: 'the text', fault: reason, remedy: 'Put spaces or line ends into it, or leave it out.' });
    this.reason = reason;
  }
}

/**
 * The tokenizer that training, chat and parity share. Pure interface: implementations live beside it.
 */
export interface Tokenizer {
  /** Number of token ids; ids are 0 .. vocabularySize-1. */
  readonly vocabularySize: number;
  readonly bosToken: number | null;
  readonly eosToken: number | null;
  /** End-of-turn token, where the vocabulary names one apart from end-of-sequence. */
  readonly eotToken: number | null;
  /** True when the model wants its beginning-of-sequence token before every text (GGUF `tokenizer.ggml.add_bos_token`). */
  readonly addsBos: boolean;
  /** Texts that become one control token (`<|im_end|>`) where special tokens are parsed, and ordinary tokens otherwise. */
  readonly controlTexts: readonly string[];
  /** Token ids of `text`. `parseSpecial`: text that spells a special token becomes that token. Never adds BOS or EOS. Throws TextRefused. */
  encode(text: string, parseSpecial: boolean): number[];
  /** The text of `tokens`, special tokens spelled out. */
  decode(tokens: readonly number[]): string;
  /** Whether generation stops at this token (end of sequence, end of turn, ...). */
  isEndOfGeneration(token: number): boolean;
  /** Frees the engine's memory. The tokenizer is unusable afterwards. */
  close(): Promise<void>;
}

/** What is asked of a tokenizer where the rows are there already. */
export type TokenFacts = Pick<Tokenizer, 'addsBos' | 'bosToken' | 'isEndOfGeneration'>;
