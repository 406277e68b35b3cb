/**
 * Log-probabilities of a text's tokens, each after all before it. Promises: evaluated in batches, with the values of single tokens; of a
 * beginning that texts share neither the state nor the log-probabilities are computed again, as long as a sequence holds it.
 */
import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import type { TextScore } from '../chat/chat-model.ts';
import { stoppedScoring } from '../chat/refusals.ts';
import { type Detokenize, TextStream } from '../chat/text-stream.ts';
import { type Lane, sharedBeginning } from './sequences.ts';
import { asked, type Scored, scored, type TokenWords } from './token-scores.ts';

/**
 * Positions that are evaluated at once. llama.cpp computes up to 63 each as it computes it alone, bit for bit; of more, attention is
 * tiled and rounds otherwise, which quantised weights make tenths of a nat of. Their logits are held at once: of a vocabulary of 150,000
 * tokens, 20 MB.
 */
export const scoredTogether = 32;

/** What was computed on a sequence: `scores[t]` is of token t + 1. */
interface Known {
  readonly tokens: readonly Token[];
  readonly scores: readonly Scored[];
  readonly count: number;
}

/** What is wanted of a text. */
export interface TextScoring {
  readonly tokens: readonly Token[];
  /** How many of the likeliest tokens at each position. */
  readonly count: number;
  readonly signal: AbortSignal | undefined;
}

export class TextScores {
  private readonly known = new WeakMap<LlamaContextSequence, Known>();

  /**
   * Of tokens 1, 2 and so on, and of how many nothing was computed again. Rejects with NomoatError, of kind `interrupted` where `signal` is
   * aborted.
   */
  async of(lane: Lane, scoring: TextScoring): Promise<{ scores: Scored[]; reused: number }> {
    const { count, signal, tokens } = scoring;
    const { batches, sequence } = lane;
    const scores = this.knownOf(sequence, scoring);
    const reused = scores.length;
    // What was evaluated in larger batches is not what this text's tokens are scored by.
    const kept = tokens.slice(0, Math.min(reused, lane.exact));
    await batches.change(() => sequence.adaptStateToTokens(kept, false));
    while (scores.length < tokens.length - 1) {
      if (signal?.aborted) throw stoppedScoring();
      // Where the state is not there any more, it has to be evaluated up to the first position that is asked about.
      const from = sequence.nextTokenIndex;
      const upTo = Math.min(from + scoredTogether, tokens.length - 1);
      const items = tokens
        .slice(from, upTo)
        .map((token, i) => (from + i < scores.length ? token : asked(token, tokens[from + i + 1]!, count)));
      await batches.letChange();
      const outputs = await sequence.controlledEvaluate(items);
      for (let at = scores.length; at < upTo; at++) scores.push(scored(outputs[at - from], tokens[at + 1]!, count));
      lane.exact = sequence.nextTokenIndex;
      this.known.set(sequence, { tokens: tokens.slice(0, scores.length + 1), scores: [...scores], count });
    }
    return { scores, reused };
  }

  /** What is known of the text's beginning. */
  private knownOf(sequence: LlamaContextSequence, { count, tokens }: TextScoring): Scored[] {
    const known = this.known.get(sequence);
    if (!known || known.count < count) return [];
    const shared = sharedBeginning(known.tokens, tokens);
    return known.scores
      .slice(0, Math.max(0, shared - 1))
      .map(({ top, ...own }) => ({ ...own, top: top.slice(0, count) }));
  }
}

/** What was found of a text. */
interface Found {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly scores: readonly Scored[];
  readonly reused: number;
  /** Tokens at its beginning that stand for nothing of the text. */
  readonly added: number;
}

/** The tokens of a text in words, and where they stand in it. */
export function textScore(words: TokenWords, detokenize: Detokenize<Token>, found: Found): TextScore {
  const { added, reused, scores, text, tokens } = found;
  const stream = new TextStream<Token>(detokenize, []);
  const placed = tokens.map((id, i) => {
    const offset = stream.text.length;
    if (i >= added) stream.push(id);
    const score = i > 0 ? scores[i - 1]! : null;
    const { logProbability, ...own } = words.probability(id, score?.logProbability ?? 0);
    const alternatives = score ? words.alternatives(score) : [];
    return { ...own, logProbability: score ? logProbability : null, alternatives, offset };
  });
  return { text, tokens: placed, reusedTokens: reused };
}
