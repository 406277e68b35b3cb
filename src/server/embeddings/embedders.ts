/**
 * The open embedder. Promises: one is open at a time, so that models that are asked in turns do not fill the memory; requests have their
 * turns in their order, and no more wait than may.
 */

import { openEmbedder } from '../../library/embedder.ts';
import type { Embedder } from '../../llama/embedder.ts';
import { stopping, tooManyRequests } from '../api-error.ts';
import type { ServerLimits } from '../limits.ts';
import type { ServedModel } from '../served-model.ts';

export interface EmbeddersOptions {
  readonly limits: ServerLimits;
  readonly contextSize: number | null;
  readonly threads: number | null;
}

export class Embedders {
  private readonly options: EmbeddersOptions;
  private readonly closing = new AbortController();
  private open: { readonly key: string; readonly embedder: Embedder } | null = null;
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(options: EmbeddersOptions) {
    this.options = options;
  }

  /** Calls with the model when it is this request's turn. Rejects with the signal's reason where that is aborted before. */
  async use<T>(served: ServedModel, signal: AbortSignal, call: (embedder: Embedder) => Promise<T>): Promise<T> {
    if (this.closing.signal.aborted) throw stopping();
    const { retryAfterSeconds, waitingPerModel } = this.options.limits;
    if (this.waiting > waitingPerModel)
      throw tooManyRequests(`${waitingPerModel} requests are waiting for embeddings already.`, retryAfterSeconds);
    this.waiting++;
    const turn = this.last.then(async () => {
      signal.throwIfAborted();
      return call(await this.opened(served));
    });
    this.last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.waiting--;
    }
  }

  /** Closes what is open, once what is computed has ended; nothing is opened any more. */
  async close(): Promise<void> {
    this.closing.abort(stopping());
    await this.last;
    await this.letGo();
  }

  private async opened({ created, path }: ServedModel): Promise<Embedder> {
    // Another file under the same name is another model.
    const key = `${created} ${path}`;
    if (this.open?.key === key) return this.open.embedder;
    await this.letGo();
    const { contextSize, threads } = this.options;
    const embedder = await openEmbedder({
      model: path,
      signal: this.closing.signal,
      ...(contextSize === null ? {} : { contextSize }),
      ...(threads === null ? {} : { threads }),
    });
    this.open = { key, embedder };
    return embedder;
  }

  private async letGo(): Promise<void> {
    const { open } = this;
    this.open = null;
    await open?.embedder.close();
  }
}
