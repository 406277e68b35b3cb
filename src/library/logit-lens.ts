/**
 * What the model would answer after each block, with the adapter and without: hidden states through the last norm and the head. Promises: only
 * reads; one layer's weights are in memory at a time.
 */
import { evenAdapter } from '../adapter/even-adapter.ts';
import { packAlone } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { likeliest, probabilityOf } from '../inspect/lens.ts';
import type { ResolvedChat } from '../library.ts';
import type { EvenAdapter } from '../lora/adapter.ts';
import { physicalCores } from '../machine/machine.ts';
import { readModelConfig } from '../models/config.ts';
import { heedStop, stoppable } from '../stop.ts';
import { chatTemplateOf, withChatTemplate } from '../text/chat-template.ts';
import type { Message } from '../text/example.ts';
import type { InspectOptions } from './inspect.ts';
import { asChat, type InspectTarget, openTarget } from './inspect-target.ts';

/** What is asked, and of which adapter. */
export interface LogitLensOptions extends Pick<InspectOptions, 'adapter' | 'model' | 'signal' | 'onProgress'> {
  /** A user's message, or a conversation; the guesses are for the first token of the answer. */
  readonly prompt: string | readonly Message[];
  /** Guesses for each block (default: 3). */
  readonly guesses?: number;
}

/** A token that would be next. */
export interface LensGuess {
  readonly text: string;
  /** In the model's vocabulary. */
  readonly token: number;
  readonly probability: number;
}

/** What one model's hidden state says. */
export interface LensView {
  /** The likeliest first. */
  readonly guesses: readonly LensGuess[];
  /** Probability of the token that the tuned model ends with. */
  readonly answer: number;
}

/** The hidden state that enters a block, or that leaves the last one. */
export interface LensBlock {
  /** Blocks that have computed: 0 for the embedding alone. */
  readonly block: number;
  readonly before: LensView;
  readonly after: LensView;
}

/** A prompt through the blocks. */
export interface LogitLens {
  /** The text that the model is asked with, control tokens spelled out. */
  readonly prompt: string;
  /** The token that the tuned model answers first. */
  readonly answer: LensGuess;
  readonly blocks: readonly LensBlock[];
  /** What should be known, in sentences. */
  readonly notes: readonly string[];
}

const usualGuesses = 3;
const earlyNote = 'Early blocks are not trained to be read in this way: what they seem to answer means little.';

/** The prompt's tokens as chat asks with them. */
async function tokensOf(
  { model }: InspectTarget,
  prompt: LogitLensOptions['prompt'],
  { chatTemplate, specialTokens, systemPrompt }: ResolvedChat,
): Promise<{
  readonly tokens: number[];
  readonly textOf: (tokens: readonly number[]) => string;
  readonly close: () => Promise<void>;
}> {
  // With their engine, which a program that imports the library does not wait for.
  const { openTokenizer } = await import('../llama/tokenizer.ts');
  const { Prompts } = await import('../llama/prompts.ts');
  const tokenizer = await openTokenizer(model.path);
  const asked = withChatTemplate(model, chatTemplate);
  const template = asked.string('tokenizer.chat_template') ? chatTemplateOf(asked) : null;
  const prompts = new Prompts({ template, tokenizer, specialTokens });
  const given: readonly Message[] = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
  const hasSystem = systemPrompt === null || template === null || given[0]?.role === 'system';
  const messages: readonly Message[] = hasSystem ? given : [{ role: 'system', content: systemPrompt }, ...given];
  try {
    const tokens = prompts.ofConversation(messages, {});
    return { tokens, textOf: (ids) => tokenizer.decode(ids), close: () => tokenizer.close() };
  } catch (error) {
    await tokenizer.close();
    throw error;
  }
}

/** Logits of the last token behind each block. */
async function blockLogits(model: GgufFile, adapter: EvenAdapter | null, batch: PackedBatch): Promise<Float32Array[]> {
  const { EvaluationPass } = await import('../train/evaluation-pass.ts');
  const { fileWeights } = await import('../train/base-weights.ts');
  const config = readModelConfig(model);
  const base = fileWeights(model, config);
  const pass = await EvaluationPass.open({ config, base, adapter, threads: physicalCores() });
  try {
    const last = (await pass.states(batch)).flatMap((state) => [...state.subarray(state.length - config.modelWidth)]);
    const logits = await pass.logits(Float32Array.from(last));
    return Array.from({ length: config.layers + 1 }, (_, i) =>
      logits.subarray(i * config.vocabulary, (i + 1) * config.vocabulary),
    );
  } finally {
    await pass.close();
    base.close();
  }
}

/** Looks at the first token of an answer through the blocks, before and after tuning. Rejects with NomoatError. */
export function logitLens(options: LogitLensOptions): Promise<LogitLens> {
  const { adapter: name, guesses = usualGuesses, model = null, onProgress, prompt, signal } = options;
  return stoppable(name, signal, async () => {
    const target = await openTarget(name, model);
    try {
      const chat = await asChat(name, { ...target, modelPath: target.model.path });
      const { close, textOf, tokens } = await tokensOf(target, prompt, chat);
      try {
        const { layers } = readModelConfig(target.model);
        const adapter = evenAdapter(target.adapter, { layers, part: name });
        const seen: Float32Array[][] = [];
        for (const [done, given] of [null, adapter].entries()) {
          onProgress?.({ done, total: 2, doing: given ? 'with the adapter' : 'the base' });
          if (signal) await heedStop(signal);
          seen.push(await blockLogits(target.model, given, rowOf(tokens)));
        }
        const [before, after] = seen as [Float32Array[], Float32Array[]];
        const guess = ({ probability, token }: { token: number; probability: number }): LensGuess => ({
          text: textOf([token]),
          token,
          probability,
        });
        const answer = guess(likeliest(after.at(-1)!, 1)[0]!);
        const view = (logits: Float32Array): LensView => ({
          guesses: likeliest(logits, guesses).map(guess),
          answer: probabilityOf(logits, answer.token),
        });
        const blocks = before.map((logits, block) => ({ block, before: view(logits), after: view(after[block]!) }));
        return { prompt: textOf(tokens), answer, blocks, notes: [...target.notes, earlyNote] };
      } finally {
        await close();
      }
    } finally {
      target.model.close();
    }
  });
}

/** One row, in a batch of its own. */
function rowOf(tokens: readonly number[]): PackedBatch {
  return packAlone({
    tokens: Int32Array.from(tokens),
    supervised: new Uint8Array(tokens.length),
    source: { file: 'the prompt', line: 1 },
  });
}
