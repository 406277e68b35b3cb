/**
 * Open models. Promises: a model is opened when it is first asked for and kept; one generation at a time on each; where another has to be
 * opened and no more may be, the one that was used longest ago is closed, and never one that a request uses or waits for.
 */
import type { Model } from '../chat/chat-model.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { openModel, resolveChat } from '../library.ts';
import { stopping, tooManyRequests } from './api-error.ts';
import type { ServerLimits } from './limits.ts';
import type { ServedModel } from './served-model.ts';
import { Turns } from './turns.ts';

export interface PoolOptions {
  readonly limits: ServerLimits;
  readonly contextSize: number | null;
  readonly threads: number | null;
  /** Told when a model is open, with what should be known of it. */
  readonly onOpened: (id: string, notes: readonly string[]) => void;
}

interface Slot {
  readonly model: Promise<Model>;
  readonly turns: Turns;
  /** Requests that use it or wait for it. */
  users: number;
}

/** Tokens that the model was trained on; null where its file does not say. */
function trainedContext(path: string): number | null {
  const model = openGguf(path);
  try {
    const architecture = model.metadata.get('general.architecture')?.value;
    const trained = model.metadata.get(`${String(architecture)}.context_length`)?.value;
    return typeof trained === 'number' || typeof trained === 'bigint' ? Number(trained) : null;
  } finally {
    model.close();
  }
}

/** Another file under the same name is another model. */
const keyOf = ({ created, path }: ServedModel): string => `${created} ${path}`;

export class ModelPool {
  private readonly options: PoolOptions;
  /** Least recently used first. */
  private readonly slots = new Map<string, Slot>();
  private readonly closing = new AbortController();
  /** Those that were closed to make room, as far as they are not gone yet. */
  private readonly leaving = new Set<Promise<void>>();

  constructor(options: PoolOptions) {
    this.options = options;
  }

  /** Calls with the model when it is this request's turn. Rejects with the signal's reason where that is aborted before. */
  async use<T>(served: ServedModel, signal: AbortSignal, call: (model: Model) => Promise<T>): Promise<T> {
    if (this.closing.signal.aborted) throw stopping();
    const slot = this.slotOf(served);
    slot.users++;
    try {
      const release = await slot.turns.take(signal);
      try {
        const model = await slot.model;
        signal.throwIfAborted();
        return await call(model);
      } finally {
        release();
      }
    } finally {
      slot.users--;
    }
  }

  /** Closes all models, once their generations have ended; nothing is opened any more. */
  async close(): Promise<void> {
    this.closing.abort(stopping());
    const open = [...this.slots.values()].map(({ model }) => closed(model));
    this.slots.clear();
    await Promise.all([...open, ...this.leaving]);
  }

  private slotOf(served: ServedModel): Slot {
    const { retryAfterSeconds, waitingPerModel } = this.options.limits;
    const key = keyOf(served);
    const slot = this.slots.get(key) ?? this.open(key, served);
    if (slot.turns.full)
      throw tooManyRequests(`${waitingPerModel} requests are waiting for ${served.id} already.`, retryAfterSeconds);
    this.slots.delete(key);
    this.slots.set(key, slot);
    return slot;
  }

  private open(key: string, served: ServedModel): Slot {
    const room = this.makeRoom();
    const slot = {
      turns: new Turns(this.options.limits.waitingPerModel),
      users: 0,
      model: this.openWhen(room, served),
    };
    // Whoever asks next tries again.
    slot.model.catch(() => {
      if (this.slots.get(key) === slot) this.slots.delete(key);
    });
    this.slots.set(key, slot);
    return slot;
  }

  private async openWhen(room: Promise<void>, served: ServedModel): Promise<Model> {
    await room;
    const { contextSize, onOpened, threads } = this.options;
    const { signal } = this.closing;
    const size = contextSize === null ? {} : { contextSize: await this.atMost(contextSize, served.path) };
    const model = await openModel({ model: served.path, signal, ...size, ...(threads === null ? {} : { threads }) });
    onOpened(served.id, model.notes);
    return model;
  }

  /** What is asked for, or what the model was trained on where that is less. */
  private async atMost(contextSize: number, path: string): Promise<number> {
    const { modelPath } = await resolveChat({ model: path });
    return Math.min(contextSize, trainedContext(modelPath) ?? contextSize);
  }

  /** Closes the model that was used longest ago where no more may be open. Throws ApiError where all are in use. */
  private makeRoom(): Promise<void> {
    const { openModels, retryAfterSeconds } = this.options.limits;
    if (this.slots.size < openModels) return Promise.resolve();
    const idle = [...this.slots].find(([, { users }]) => users === 0);
    if (!idle)
      throw tooManyRequests(`${openModels} other models are in use, and no more are open at once.`, retryAfterSeconds);
    const [key, { model }] = idle;
    this.slots.delete(key);
    const gone = closed(model);
    this.leaving.add(gone);
    return gone.finally(() => this.leaving.delete(gone));
  }
}

/** One that was never open has nothing to close. */
const closed = async (model: Promise<Model>): Promise<void> => {
  const open = await model.catch(() => null);
  await open?.close();
};
