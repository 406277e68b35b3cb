/**
 * An answer scored so that no other request changes a bit of it. The sums of a prompt can differ in their last bits with the batches that it
 * was evaluated in: its batches are its own, and of what a sequence holds only what an earlier score of the same prompt evaluated is used.
 */
import type { Token } from 'node-llama-cpp';
import { stoppedScoring } from '../chat/refusals.ts';
import type { RowLogProbabilities, TokenRow } from '../tokens/token-row.ts';
import { evaluatePrompt } from './evaluate-prompt.ts';
import { evaluateOn } from './log-probabilities.ts';
import { alone, type Lane } from './sequences.ts';

/** What is evaluated before the answer: the prompt without its last token, which the answer's first one follows. */
export const headOf = ({ supervised, tokens }: TokenRow): Token[] =>
  [...tokens.subarray(0, Math.max(0, supervised.indexOf(1) - 1))] as Token[];

/** Rejects with NomoatError where `signal` is aborted before the answer's turn. */
export async function scoredAlone(
  lane: Lane,
  row: TokenRow,
  signal: AbortSignal | undefined,
): Promise<RowLogProbabilities> {
  const { batches, sequence } = lane;
  const head = headOf(row);
  const { firstDifferentIndex } = sequence.compareContextTokens(head);
  if (lane.alone !== head.length || firstDifferentIndex < head.length)
    await batches.change(() => sequence.clearHistory());
  lane.alone = head.length;
  lane.exact = 0;
  await batches.change(() => sequence.adaptStateToTokens(head, false));
  if (!(await evaluatePrompt(lane, head, { signal, evaluationPriority: alone }))) {
    lane.alone = 0;
    throw stoppedScoring();
  }
  await batches.letChange();
  return evaluateOn(sequence, row, alone);
}
