/** Prompts, evaluated in batches between which they can be stopped. */
import type { Token } from 'node-llama-cpp';
import { batchTokens } from './open-context.ts';
import type { alone, Lane } from './sequences.ts';

/** Evaluates what is new of the prompt, and looks at the signal before each batch; false where it was aborted. */
export async function evaluatePrompt(
  { batches, order, sequence }: Lane,
  head: readonly Token[],
  {
    signal,
    evaluationPriority = order,
  }: { readonly signal: AbortSignal | undefined; readonly evaluationPriority?: typeof alone },
): Promise<boolean> {
  for (let at = sequence.nextTokenIndex; at < head.length; at += batchTokens) {
    if (signal?.aborted) return false;
    await batches.letChange();
    await sequence.evaluateWithoutGeneratingNewTokens(head.slice(at, at + batchTokens), { evaluationPriority });
  }
  return !signal?.aborted;
}
