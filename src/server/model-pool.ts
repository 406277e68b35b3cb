/**
 * Open models. Promises: a base is in memory once, however many adapters are asked for on it; contexts are kept for the next request; where
 * another has to be opened and memory does not suffice, those that were used longest ago are closed, and never one that a request uses or
 * waits for; more requests than may wait are refused.
 */
import { basename } from 'node:path';
import type { OpenChatModel } from '../llama/chat-engine.ts';
import { physicalCores } from '../machine/machine.ts';
import { sizeText } from '../words/size-text.ts';
import { ApiError, stopping, tooManyRequests } from './api-error.ts';
import { type AskedAdapter, type AskedModel, keyOf } from './asked-model.ts';
import type { ServerLimits } from './limits.ts';
import { bytesOf, type Needs } from './model-memory.ts';
import type { ServedModel } from './served-model.ts';
import { Slot } from './slot.ts';

export interface PoolOptions {
  readonly limits: ServerLimits;
  readonly contextSize: number | null;
  readonly threads: number | null;
  /** Bytes for bases, adapters and contexts together. */
  readonly memory: number;
  /** Told when a model is open, with what should be known of it. */
  readonly onOpened: (id: string, notes: readonly string[]) => void;
}

/** An open context, for who watches the server. */
export interface PoolContext {
  readonly model: OpenChatModel;
  /** Counts contexts from the server's start on. */
  readonly number: number;
  /** The name of the base's file. */
  readonly base: string;
  readonly baseBytes: number;
  /** How many. */
  readonly adapters: number;
  readonly bytes: number;
}

export class ModelPool {
  private readonly options: PoolOptions;
  /** Least recently used first. */
  private readonly slots = new Map<string, Slot>();
  /** Contexts so far. */
  private opened = 0;
  private readonly closing = new AbortController();
  /** Those that were closed to make room, as far as they are not gone yet. */
  private readonly leaving = new Set<Promise<void>>();

  constructor(options: PoolOptions) {
    this.options = options;
  }

  /** Calls with the model, and with adapters beside its own. Rejects with the signal's reason where that is aborted before. */
  async use<T>(
    served: ServedModel,
    signal: AbortSignal,
    call: (model: OpenChatModel) => Promise<T>,
    adapters: readonly AskedAdapter[] = [],
  ): Promise<T> {
    if (this.closing.signal.aborted) throw stopping();
    const key = keyOf({ served, adapters });
    const slot = this.slotOf(key, { served, adapters });
    try {
      return await slot.use(signal, call);
    } finally {
      // Whoever asks next tries again.
      if (slot.failed && this.slots.get(key) === slot) this.slots.delete(key);
    }
  }

  /** What is open, least recently used first. */
  contexts(): PoolContext[] {
    return this.all().flatMap((slot) =>
      slot.contexts.map(({ adapters, base, model, number }) => {
        const { base: baseBytes, context: bytes } = model.memory;
        return { model, number, base: basename(base), baseBytes, adapters, bytes };
      }),
    );
  }

  /** The names of the models that are open or about to be, least recently used first. */
  names(): string[] {
    return this.all().map(({ asked }) => asked.served.id);
  }

  /** Bytes that all may take together. */
  get memory(): number {
    return this.options.memory;
  }

  /** Requests that use a model or wait for one. */
  get users(): number {
    return this.all().reduce((sum, { users }) => sum + users, 0);
  }

  /** Those beyond the sequences that there are. */
  get waiting(): number {
    return this.all().reduce((sum, { sequences, users }) => sum + Math.max(0, users - sequences), 0);
  }

  /** Bytes of all that is open. */
  bytes(): number {
    return bytesOf(this.all().flatMap(({ needs }) => needs));
  }

  /** Closes all models, once their generations have ended; nothing is opened any more. */
  async close(): Promise<void> {
    this.closing.abort(stopping());
    const open = this.all().map((slot) => slot.close());
    this.slots.clear();
    await Promise.all([...open, ...this.leaving]);
  }

  private all(): Slot[] {
    return [...this.slots.values()];
  }

  private slotOf(key: string, asked: AskedModel): Slot {
    const { retryAfterSeconds, sequences, waitingPerModel } = this.options.limits;
    const slot = this.slots.get(key) ?? this.newSlot(asked);
    if (slot.users >= sequences + waitingPerModel)
      throw tooManyRequests(`${slot.users} requests are at ${asked.served.id} already.`, retryAfterSeconds);
    this.slots.delete(key);
    this.slots.set(key, slot);
    return slot;
  }

  private newSlot(asked: AskedModel): Slot {
    const { contextSize, limits, onOpened, threads } = this.options;
    return new Slot(asked, {
      contextSize,
      threads: threads ?? physicalCores(),
      mostSequences: limits.sequences,
      signal: this.closing.signal,
      hasRoom: (slot, needs) => this.bytesWith(needs, this.idle(slot)) <= this.options.memory,
      makeRoom: (slot, needs) => this.makeRoom(slot, needs),
      onOpened,
      nextNumber: () => ++this.opened,
    });
  }

  /** Slots that nobody uses, least recently used first. */
  private idle(but: Slot): Set<Slot> {
    return new Set(this.all().filter((slot) => slot !== but && slot.users === 0));
  }

  /** Bytes of all that is open with what is about to be, without `gone`. */
  private bytesWith(needs: Needs, gone: ReadonlySet<Slot>): number {
    const stay = this.all().filter((slot) => !gone.has(slot));
    return bytesOf([needs, ...stay.flatMap((slot) => slot.needs)]);
  }

  /** Closes models that were used longest ago until there is room. Throws ApiError where there is none. */
  private async makeRoom(slot: Slot, needs: Needs): Promise<void> {
    const { limits, memory } = this.options;
    const idle = this.idle(slot);
    if (this.bytesWith(needs, idle) > memory) {
      const message = `${slot.asked.served.id} takes ${sizeText(bytesOf([needs]))}, and models may take ${sizeText(memory)} here`;
      if (bytesOf([needs]) > memory)
        throw new ApiError({ status: 503, code: 'insufficient_memory', param: 'model', message: `${message}.` });
      throw tooManyRequests(`${message}: others are in use, and leave too little.`, limits.retryAfterSeconds);
    }
    const gone = new Set<Slot>();
    for (const [key, each] of this.slots) {
      if (this.bytesWith(needs, gone) <= memory) break;
      if (!idle.has(each)) continue;
      gone.add(each);
      this.slots.delete(key);
      const closed = each.close();
      this.leaving.add(closed);
      void closed.finally(() => this.leaving.delete(closed));
    }
    await Promise.all(this.leaving);
  }
}
