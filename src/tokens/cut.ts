/**
 * What becomes of a row that is longer than the sequence length. Promises: every token is in a part or counted as cut; splitting loses
 * no supervised token. Pure.
 */
import type { Sequence } from './sequence.ts';

export type TooLong = 'truncate-left' | 'truncate-right' | 'split' | 'refuse';

export interface Part extends Sequence {
  /** Tokens put in front that are not of this part's own: the beginning-of-sequence token, or the token before. */
  readonly leadTokens: number;
}

/** Splitting needs a token that leads and one that follows. */
export const minSequenceLength = 2;

/** tokens[start, end) behind `lead`; without one, nothing predicts the first token. */
function part(row: Sequence, start: number, end: number, lead: readonly number[] = []): Part {
  const { supervised, tokens, weights } = row;
  const mask = [...lead.map(() => 0), ...supervised.slice(start, end)];
  mask[0] = 0;
  return {
    tokens: [...lead, ...tokens.slice(start, end)],
    supervised: mask,
    ...(weights ? { weights: [...lead.map(() => 1), ...weights.slice(start, end)] } : {}),
    leadTokens: lead.length,
  };
}

/** A beginning-of-sequence token stays at the beginning, whatever is cut. */
const leadOf = ({ tokens }: Sequence, bos: number | null): number[] => (bos !== null && tokens[0] === bos ? [bos] : []);

const cuts: Readonly<Record<TooLong, (row: Sequence, limit: number, bos: number | null) => Part[] | null>> = {
  'truncate-right': (row, limit) => [part(row, 0, limit)],
  'truncate-left': (row, limit, bos) => {
    const lead = leadOf(row, bos);
    return [part(row, row.tokens.length - limit + lead.length, row.tokens.length, lead)];
  },
  split: (row, limit, bos) => {
    const parts = [part(row, 0, limit)];
    const lead = leadOf(row, bos);
    // Every later part begins with a token that its first target can be predicted from.
    for (let start = limit; start < row.tokens.length; start += limit - 1) {
      const end = Math.min(row.tokens.length, start + limit - 1);
      parts.push(part(row, start, end, lead.length > 0 ? lead : [row.tokens[start - 1]!]));
    }
    return parts;
  },
  refuse: () => null,
};

/** The parts of a row of at most `limit` tokens each; null to refuse it. `bos` where the model wants one before every text. */
export function cutRow(row: Sequence, limit: number, tooLong: TooLong, bos: number | null): Part[] | null {
  return row.tokens.length <= limit ? [part(row, 0, row.tokens.length)] : cuts[tooLong](row, limit, bos);
}
