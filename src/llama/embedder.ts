/**
 * A model that makes vectors of texts, on llama.cpp. Promises: only models whose file says how the hidden states of a text become one vector
 * (its pooling), since others were not trained for it; vectors of unit length; a text that does not fit is refused, never cut.
 */
import type { LlamaEmbeddingContext, Token } from 'node-llama-cpp';
import type { Prompt } from '../chat/chat-model.ts';
import { assertTokens, closedModel, tooLong } from '../chat/refusals.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { evaluating, evaluationThreads, llamaCall, withAllThreads } from './engine.ts';
import { chooseContextSize } from './open-context.ts';
import { type Base, openBase } from './shared-base.ts';
import { tokenizerOf } from './tokenizer.ts';

/** A text as a vector. */
export interface Embedding {
  /** Of unit length; [dimensions]. */
  readonly vector: Float32Array;
  /** Tokens of the text, with those that the model puts around it. */
  readonly tokens: number;
}

/** A model that makes vectors of texts. After `close`, calls fail with a NomoatError of code `model-closed`. */
export interface Embedder {
  /** Numbers of a vector. */
  readonly dimensions: number;
  /** Tokens that a text may have. */
  readonly contextSize: number;
  /** Rejects with NomoatError, of code `context-full` where the text is too long. */
  embed(text: Prompt): Promise<Embedding>;
  /** Frees the engine's memory. */
  close(): Promise<void>;
  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** llama.cpp's numbers of the poolings that make one vector of a text: the mean of its tokens, its first or its last one. */
const poolings: readonly unknown[] = [1, 2, 3];

function assertPooled(gguf: GgufFile): void {
  const pooling = gguf.number(`${gguf.string('general.architecture')}.pooling_type`);
  if (poolings.includes(pooling)) return;
  throw new NomoatError({
    code: 'no-embeddings',
    part: gguf.path,
    fault:
      pooling === undefined
        ? 'does not say how its hidden states become the vector of a text, for which it was not trained'
        : 'ranks texts, or makes a vector of each token, and none of a text',
    remedy: 'Use a model that was trained for embeddings: its file has a pooling_type.',
  });
}

export interface OpenEmbedderOptions {
  readonly modelPath: string;
  readonly threads: number;
  readonly contextSize: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Loads the model, or shares it with those that are open on it. Throws NomoatError where it makes no vectors. */
export async function openEmbedder(options: OpenEmbedderOptions): Promise<Embedder> {
  const { modelPath, signal, threads } = options;
  const gguf = openGguf(modelPath);
  const { path } = gguf;
  try {
    assertPooled(gguf);
  } finally {
    gguf.close();
  }
  const base = await openBase(path, signal);
  try {
    const contextSize = chooseContextSize(path, base.model.trainContextSize, options.contextSize);
    const { ideal: idealThreads } = evaluationThreads(base.model, threads);
    const remedy = 'Lower the context size, or close other programs to free memory.';
    const context = await llamaCall(path, 'open a context for embeddings', remedy, () =>
      // A text is pooled in one batch.
      withAllThreads(() =>
        base.model.createEmbeddingContext({ contextSize, batchSize: contextSize, threads: idealThreads }),
      ),
    );
    return new LlamaEmbedder({ base, context, idealThreads, tokenizer: tokenizerOf(base.model, path) }, contextSize);
  } catch (error) {
    await base.release();
    throw error;
  }
}

interface Engine {
  readonly base: Base;
  readonly context: LlamaEmbeddingContext;
  readonly idealThreads: number;
  readonly tokenizer: Tokenizer;
}

class LlamaEmbedder implements Embedder {
  readonly dimensions: number;
  readonly contextSize: number;
  private readonly engine: Engine;
  private last: Promise<unknown> = Promise.resolve();
  private closing: Promise<void> | null = null;

  constructor(engine: Engine, contextSize: number) {
    this.engine = engine;
    this.contextSize = contextSize;
    this.dimensions = engine.base.model.embeddingVectorSize;
  }

  embed(text: Prompt): Promise<Embedding> {
    const made = this.last.then(() => this.embedNow(text));
    this.last = made.catch(() => {});
    return made;
  }

  private async embedNow(text: Prompt): Promise<Embedding> {
    if (this.closing) throw closedModel();
    const { base, context, tokenizer } = this.engine;
    if (typeof text !== 'string') assertTokens(text, tokenizer.vocabularySize, 'input');
    const given = (typeof text === 'string' ? tokenizer.encode(text, false) : [...text]) as Token[];
    const tokens = context.calculateInputLength(given);
    // llama.cpp keeps one cell free.
    if (tokens >= this.contextSize) throw tooLong(tokens, this.contextSize, base.model.trainContextSize);
    const { vector } = await evaluating(this.engine, () => context.getEmbeddingFor(given));
    const length = Math.hypot(...vector);
    return { vector: Float32Array.from(vector, (value) => (length > 0 ? value / length : 0)), tokens };
  }

  close(): Promise<void> {
    this.closing ??= this.last.then(async () => {
      await this.engine.context.dispose();
      await this.engine.base.release();
    });
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
