/** Tokens of an example with their mask, and how they end. Pure. */
import type { Tokenizer } from './tokenizer.ts';

/** Tokens with their mask: `supervised[t]` is 1 where token t is a target. */
export interface Sequence {
  readonly tokens: number[];
  readonly supervised: number[];
  /** What the loss of each token counts; absent: 1 each. */
  readonly weights?: number[] | undefined;
}

/** How sequences end. */
interface Ending {
  readonly tokenizer: Tokenizer;
  readonly supervise: 'answers' | 'all';
}

/** The first `length` tokens. */
const firstOf = ({ supervised, tokens, weights }: Sequence, length: number): Sequence => ({
  tokens: tokens.slice(0, length),
  supervised: supervised.slice(0, length),
  ...(weights ? { weights: weights.slice(0, length) } : {}),
});

/** With a further token, which is learnt as much as the one before it. */
const followedBy = ({ supervised, tokens, weights }: Sequence, token: number): Sequence => ({
  tokens: [...tokens, token],
  supervised: [...supervised, 1],
  ...(weights ? { weights: [...weights, weights.at(-1) ?? 1] } : {}),
});

/** The index of the first token of [first, last) at which generation stops; -1 where there is none. */
export function endOfGeneration(tokens: readonly number[], first: number, last: number, tokenizer: Tokenizer): number {
  for (let t = first; t < last; t++) if (tokenizer.isEndOfGeneration(tokens[t]!)) return t;
  return -1;
}

/** Adds the supervised end that plain text does not spell. */
export function withEnd(sequence: Sequence, { tokenizer }: Pick<Ending, 'tokenizer'>): Sequence {
  const { tokens } = sequence;
  const end = tokenizer.eosToken ?? tokenizer.eotToken;
  const spelt = tokens.findLastIndex((token) => tokenizer.isEndOfGeneration(token));
  // White space may follow the end that a rendered chat spells.
  const ends = spelt >= 0 && tokenizer.decode(tokens.slice(spelt + 1)).trim() === '';
  return end === null || tokens.length === 0 || ends ? sequence : followedBy(sequence, end);
}

/** The end of the turn, for a template that writes none behind its last answer. */
export function withTurnEnd(sequence: Sequence, { tokenizer }: Pick<Ending, 'tokenizer'>): Sequence {
  const { supervised, tokens } = sequence;
  const end = tokenizer.eotToken ?? tokenizer.eosToken;
  const first = supervised.lastIndexOf(0) + 1;
  const ends = end === null || endOfGeneration(tokens, first, tokens.length, tokenizer) >= 0;
  return ends ? sequence : followedBy(sequence, end);
}

/** Without the end of the turn, where the answer was cut before it ended. */
export const withoutTurnEnd = (sequence: Sequence, { tokenizer }: Pick<Ending, 'tokenizer'>): Sequence =>
  firstOf(sequence, sequence.tokens.findLastIndex((token) => !tokenizer.isEndOfGeneration(token)) + 1);

/** Without what follows the last target: nothing is learnt from it. Where all is supervised, without the space after the last turn. */
export function withoutTail(sequence: Sequence, { tokenizer, supervise }: Ending): Sequence {
  const { supervised, tokens } = sequence;
  let length = supervised.lastIndexOf(1) + 1;
  if (supervise === 'all') {
    const end = tokens.findLastIndex((token) => tokenizer.isEndOfGeneration(token)) + 1;
    if (end > 0 && tokenizer.decode(tokens.slice(end)).trim() === '') length = end;
  }
  return firstOf(sequence, length);
}
