/** The context of an opened model: how long it is, with its adapters, on the base that it shares. */
import type { LlamaContext } from 'node-llama-cpp';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { defaultContextSize } from './context-size.ts';
import { evaluationThreads, llamaCall, openContext } from './engine.ts';
import { fasterThreads } from './faster-threads.ts';
import type { Batches } from './sequences.ts';
import type { Base, ScaledAdapter } from './shared-base.ts';

/**
 * Tokens of a batch, of all sequences together. On a CPU more are hardly faster (SmolLM2-135M reads 115 tokens/s of a prompt so, 127 by 256 or
 * 512), others wait as long as one takes, and llama.cpp sets the logits of a whole batch aside: 100 MB of 512 tokens of 49,152 words.
 */
export const batchTokens = 128;
/** llama.cpp keeps one cell free. */
export const reservedCells = 1;

/** What is asked for, held against what the model was trained on. Throws NomoatError. */
export function chooseContextSize(part: string, trained: number, asked: number | undefined): number {
  if (asked === undefined) return Math.min(defaultContextSize, trained);
  if (Number.isSafeInteger(asked) && asked > reservedCells && asked <= trained) return asked;
  throw new NomoatError({
    code: 'invalid-settings',
    part,
    fault: `cannot have a context of ${asked} tokens: it was trained on ${trained}`,
    remedy: `Give a whole number of tokens up to ${trained}.`,
  });
}

interface ContextOptions {
  readonly adapterPath?: string | null;
  readonly adapters?: readonly ScaledAdapter[];
  readonly contextSize: number;
  readonly sequences?: number | undefined;
  readonly signal?: AbortSignal;
  readonly threads: number;
}

/** `gguf` is the base's file. Rejects with NomoatError. */
export function openContextOn(
  base: Base,
  gguf: GgufFile,
  options: ContextOptions,
  batches: Batches,
): Promise<LlamaContext> {
  const { adapterPath, adapters = [], contextSize, sequences = 1, signal, threads } = options;
  const all = [...(adapterPath ? [{ path: adapterPath, scale: 1 }] : []), ...adapters];
  const remedy =
    all.length > 0
      ? 'Check that the adapter was made for this model, or lower the context size.'
      : 'Lower the context size, or close other programs to free memory.';
  return base.withAdapters(all, gguf, (loras) =>
    llamaCall(all[0]?.path ?? gguf.path, 'open a context', remedy, async () =>
      openContext(base.model, {
        contextSize,
        sequences,
        batchSize: Math.max(batchTokens, sequences),
        threads: evaluationThreads(
          base.model,
          sequences === 1 ? await fasterThreads(base.model, gguf.path, threads) : threads,
        ),
        // At once: the strategy waits for whoever belongs to the batch, and what is said of the last one is written beside the next.
        batching: { dispatchSchedule: (dispatch) => dispatch(), itemPrioritizationStrategy: batches.strategy },
        ...(loras.length > 0 ? { lora: { adapters: [...loras] } } : {}),
        ...(signal ? { createSignal: signal } : {}),
      }),
    ),
  );
}
