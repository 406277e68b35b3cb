/** One answer of llama.cpp's, token by token. Promises: it ends at every end-of-generation token, and at its limit; what is told are whole characters. */
import type { LlamaModel, Token } from 'node-llama-cpp';
import type { Generated, GenerateOptions } from '../chat/chat-model.ts';
import { resolveSampling } from '../chat/sampling.ts';
import { TextStream } from '../chat/text-stream.ts';
import { evaluatePrompt } from './evaluate-prompt.ts';
import type { Prompts } from './prompts.ts';
import { samplerOptions } from './sampler.ts';
import type { Lane } from './sequences.ts';
import { shownTokens } from './shown-tokens.ts';
import { answerScores, type TokenWords } from './token-scores.ts';

/** By what it is generated. */
export interface Generation {
  readonly model: LlamaModel;
  readonly prompts: Prompts;
  readonly words: TokenWords;
  /** Tokens at most. */
  readonly limit: number;
  readonly options: GenerateOptions;
}

/** The answer to `prompt`, of at least one token, on a sequence that may hold its beginning. */
export async function generateAnswer(lane: Lane, prompt: Token[], given: Generation): Promise<Generated> {
  const { limit, model, options, prompts, words } = given;
  const { signal, onText } = options;
  const { batches, sequence } = lane;
  const { tokenizer } = prompts;
  const scores = answerScores(lane, words, options);
  const stream = new TextStream(shownTokens(model, tokenizer, options.markup ?? []), prompt, onText);
  const drawing = await samplerOptions(model, {
    sampling: resolveSampling(options),
    options,
    vocabularySize: tokenizer.vocabularySize,
    answer: stream.tokens,
    most: limit,
  });
  lane.alone = 0;
  await batches.change(() => sequence.adaptStateToTokens(prompt.slice(0, -1), false));
  const reusedTokens = sequence.nextTokenIndex;
  lane.exact = Math.min(lane.exact, reusedTokens);
  const end = (stopReason: Generated['stopReason']): Generated => {
    stream.end();
    const scored = scores ? { logProbabilities: scores.tokens } : {};
    const { text, tokens } = stream;
    return { text, tokens: tokens.length, promptTokens: prompt.length, reusedTokens, stopReason, ...scored };
  };
  if (!(await evaluatePrompt(lane, prompt.slice(0, -1), { signal }))) return end('aborted');
  const generation = sequence.evaluate(prompt.slice(-1), { ...drawing, evaluationPriority: lane.order });
  batches.generating++;
  try {
    for await (const token of generation) {
      const isEnd = model.isEogToken(token);
      if (scores) await scores.add(token, isEnd);
      if (isEnd) return end('end-of-turn');
      stream.push(token);
      if (signal?.aborted) return end('aborted');
      if (stream.tokens.length >= limit) return end('length');
      await batches.letChange();
    }
  } finally {
    batches.generating--;
  }
  return end('end-of-turn');
}
