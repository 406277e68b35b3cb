/**
 * Two answers to one prompt as one row. Promises: both stand behind the same tokens, whatever is cut; what cannot be compared is refused. Pure.
 */
import type { Refused } from './encode-example.ts';
import type { CompactSequence, CutOptions, EncodedAnswer } from './encoded-row.ts';
import { type Answer, countSupervised } from './token-row.ts';

/** A pair, and what was cut of both answers together. */
export interface MadePair extends Answer {
  readonly rejected: Answer;
  readonly cutTokens: number;
  readonly cutSupervisedTokens: number;
}

const refused = (reason: string): Refused => ({ reason });

/** The one sequence of an answer, or why there is none. */
function sequenceOf(answer: EncodedAnswer, side: string): CompactSequence | Refused {
  if ('reason' in answer) return { ...answer, reason: `${side}: ${answer.reason}` };
  const [only, ...others] = answer.sequences;
  if (!only || others.length > 0) return refused(`${side}: the template makes several rows of its conversation`);
  const { supervised, tokens } = only;
  return supervised.includes(1) ? { supervised, tokens } : refused(`${side}: has no supervised token`);
}

const promptLength = ({ supervised }: Answer): number => supervised.indexOf(1);
const equal = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((token, t) => token === b[t]);

/** Both answers within the sequence length, or why not. */
export function makePair(
  chosen: EncodedAnswer,
  rejected: EncodedAnswer,
  { sequenceLength, tokenizer, tooLong }: CutOptions,
): MadePair | Refused {
  const [won, lost] = [sequenceOf(chosen, 'the chosen answer'), sequenceOf(rejected, 'the rejected answer')];
  if ('reason' in won) return won;
  if ('reason' in lost) return lost;
  const prompt = Math.min(promptLength(won), promptLength(lost));
  if (!equal(won.tokens.subarray(0, prompt), lost.tokens.subarray(0, prompt)))
    return refused('the prompts of both answers differ as tokens');
  if (equal(won.tokens, lost.tokens)) return refused('both answers are equal as tokens');
  const over = Math.max(won.tokens.length, lost.tokens.length) - sequenceLength;
  if (over <= 0) return { ...won, rejected: lost, cutTokens: 0, cutSupervisedTokens: 0 };
  if (tooLong === 'truncate-right') return measured([won, lost], (side) => part(side, 0, 0, sequenceLength));
  // The same tokens of both prompts go, and a token stays that the answers can be predicted from.
  const lead = tokenizer.addsBos && won.tokens[0] === tokenizer.bosToken ? 1 : 0;
  if (tooLong !== 'truncate-left' || prompt - lead - over < 1)
    return refused(`is longer than the sequence length of ${sequenceLength} tokens`);
  return measured([won, lost], (side) => part(side, lead, lead + over, side.tokens.length));
}

/** The first `lead` tokens, and those of [from, to). */
function part({ supervised, tokens }: Answer, lead: number, from: number, to: number): Answer {
  const cut = <T extends Int32Array | Uint8Array>(values: T): number[] => [
    ...values.subarray(0, lead),
    ...values.subarray(from, to),
  ];
  return { tokens: Int32Array.from(cut(tokens)), supervised: Uint8Array.from(cut(supervised)) };
}

function measured(sides: readonly [Answer, Answer], cut: (side: Answer) => Answer): MadePair | Refused {
  const [won, lost] = sides.map(cut) as [Answer, Answer];
  if (!won.supervised.includes(1) || !lost.supervised.includes(1))
    return refused('an answer has no supervised token left within the sequence length');
  if (equal(won.tokens, lost.tokens)) return refused('both answers are equal within the sequence length');
  const lostOf = (of: (side: Answer) => number): number =>
    sides.reduce((sum, side) => sum + of(side), 0) - of(won) - of(lost);
  return {
    ...won,
    rejected: lost,
    cutTokens: lostOf(({ tokens }) => tokens.length),
    cutSupervisedTokens: lostOf(({ supervised }) => countSupervised(supervised)),
  };
}
