/** Texts as vectors, from code. */
import { NomoatError } from '../errors.ts';
import { resolveChat } from '../library.ts';
import type { Embedder } from '../llama/embedder.ts';
import { physicalCores } from '../machine/machine.ts';

/** What an embedder is opened with. */
export interface EmbedderOptions {
  /** A model's name or file. */
  readonly model: string;
  /** Threads to compute with, at most (default: one for each physical core). */
  readonly threads?: number;
  /** Tokens that a text may have; by default 4096, or fewer where the model was trained on fewer. */
  readonly contextSize?: number;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a model that was trained to make vectors of texts. Rejects with NomoatError, of code `no-embeddings` for others, and for adapters.
 */
export async function openEmbedder(options: EmbedderOptions): Promise<Embedder> {
  const { contextSize, model, signal, threads = physicalCores() } = options;
  const { adapters, modelPath } = await resolveChat({ model });
  if (adapters.length > 0)
    throw new NomoatError({
      code: 'no-embeddings',
      part: model,
      fault: 'is an adapter, and vectors are made by models without one',
      remedy: 'Use the base, where it was trained for embeddings.',
    });
  const { openEmbedder: open } = await import('../llama/embedder.ts');
  return open({ modelPath, threads, contextSize, signal });
}
