/**
 * A model as it is asked for, with its contexts. Promises: it is opened when it is first asked for, with one sequence; where more requests
 * come than there are sequences, a context with more takes its place, and the smaller one is closed when its last request ends.
 */

import { statSync } from 'node:fs';
import { adapterFiles } from '../adapter/read-adapter.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type OpenChatModel, openChatModel } from '../llama/chat-engine.ts';
import { contextBytes } from '../llama/context-memory.ts';
import { defaultContextSize } from '../llama/context-size.ts';
import { unlessAborted } from '../stop.ts';
import { type AskedModel, type ToOpen, toOpen } from './asked-model.ts';
import { measured, type Needs } from './model-memory.ts';

/** What is opened, and what it is expected to take. */
interface Plan extends ToOpen {
  readonly contextSize: number;
  readonly needs: (sequences: number) => Needs;
}

/** A context in use. */
interface Opened {
  readonly model: OpenChatModel;
  /** Counts contexts from the server's start on. */
  readonly number: number;
  readonly base: string;
  readonly adapters: number;
  users: number;
}

/** What slots are opened with, and whom they ask for memory. */
export interface SlotOptions {
  readonly contextSize: number | null;
  readonly threads: number;
  /** Sequences of a context, at most. */
  readonly mostSequences: number;
  readonly signal: AbortSignal;
  /** Makes room for what is about to open; throws ApiError where there is none. */
  readonly makeRoom: (slot: Slot, needs: Needs) => Promise<void>;
  /** Whether there is room, or could be made. */
  readonly hasRoom: (slot: Slot, needs: Needs) => boolean;
  readonly onOpened: (id: string, notes: readonly string[]) => void;
  /** The number of the next context. */
  readonly nextNumber: () => number;
}

/** A context that is too small gives way to one with so many times its sequences: few are opened on the way, and little stands idle. */
const growth = 4;

const sizeOf = (path: string): number => adapterFiles(path).reduce((sum, file) => sum + statSync(file).size, 0);

async function planOf(asked: AskedModel, contextSize: number | null): Promise<Plan> {
  const all = await toOpen(asked);
  const gguf = openGguf(all.modelPath);
  try {
    const trained = gguf.number(`${gguf.string('general.architecture')}.context_length`) ?? Number.POSITIVE_INFINITY;
    const size = Math.min(contextSize ?? defaultContextSize, trained);
    const [one, two] = [1, 2].map((sequences) => contextBytes(gguf, { contextSize: size, sequences }));
    const adapterBytes = all.adapters.reduce((sum, { path }) => sum + sizeOf(path), 0);
    const { byteLength: baseBytes, path: base } = gguf;
    return {
      ...all,
      contextSize: size,
      needs: (sequences) => ({ base, baseBytes, contextBytes: adapterBytes + one! + (two! - one!) * (sequences - 1) }),
    };
  } finally {
    gguf.close();
  }
}

export class Slot {
  readonly asked: AskedModel;
  /** Requests that use it or wait for it. */
  users = 0;
  private readonly options: SlotOptions;
  private readonly plan: Promise<Plan>;
  /** The context that new requests go to. */
  private current: Opened | null = null;
  /** Those that were too small, until their last request ends. */
  private readonly leaving = new Set<Opened>();
  private opening: Promise<void> | null = null;
  /** What is being opened is expected to take. */
  private expected: Needs | null = null;
  private mostSequences: number;
  private known: Plan | null = null;
  private hasFailed = false;

  constructor(asked: AskedModel, options: SlotOptions) {
    this.asked = asked;
    this.options = options;
    this.mostSequences = options.mostSequences;
    this.plan = planOf(asked, options.contextSize);
    this.plan.catch(() => {});
  }

  /** What its contexts take, and what is being opened will. */
  get needs(): Needs[] {
    return [...this.contexts.map(({ base, model }) => measured(base, model)), ...[this.expected ?? []].flat()];
  }

  /** What is open. */
  get contexts(): readonly Opened[] {
    return [this.current ?? [], ...this.leaving].flat();
  }

  /** The sequences of the context that new requests go to. */
  get sequences(): number {
    return this.current?.model.sequences ?? 0;
  }

  /** Whether it could not be opened at all. */
  get failed(): boolean {
    return this.hasFailed;
  }

  /** Calls with an open model. Rejects with the signal's reason where that is aborted before. */
  async use<T>(signal: AbortSignal, call: (model: OpenChatModel) => Promise<T>): Promise<T> {
    this.users++;
    try {
      const opened = await this.take(signal);
      try {
        return await call(opened.model);
      } finally {
        opened.users--;
        this.closeUnused(opened);
      }
    } finally {
      this.users--;
    }
  }

  /** Closes what is open, once its generations have ended. */
  async close(): Promise<void> {
    await this.opening?.catch(() => {});
    await Promise.all(this.contexts.map(({ model }) => model.close()));
  }

  private async take(signal: AbortSignal): Promise<Opened> {
    while (this.current === null || this.opening !== null || this.wanted() > this.sequences) {
      this.opening ??= this.open(this.wanted()).finally(() => {
        this.opening = null;
      });
      await unlessAborted(this.opening, signal);
    }
    this.current.users++;
    return this.current;
  }

  /** Sequences for all that ask now, as far as there is memory for them. */
  private wanted(): number {
    let sequences = Math.max(1, this.sequences);
    while (sequences < this.users && sequences < this.mostSequences) {
      const more = Math.min(sequences * growth, this.mostSequences);
      if (this.known === null || !this.options.hasRoom(this, this.known.needs(more))) break;
      sequences = more;
    }
    return sequences;
  }

  private async open(sequences: number): Promise<void> {
    const { makeRoom, nextNumber, onOpened, signal, threads } = this.options;
    const isFirst = this.current === null;
    try {
      const plan = await this.plan;
      this.known = plan;
      const room = makeRoom(this, plan.needs(sequences));
      this.expected = plan.needs(sequences);
      await room;
      const model = await openChatModel({ ...plan, sequences, signal, threads });
      if (isFirst) onOpened(this.asked.served.id, plan.notes);
      const smaller = this.current;
      const { base } = plan.needs(sequences);
      this.current = { model, number: nextNumber(), base, adapters: plan.adapters.length, users: 0 };
      if (smaller === null) return;
      this.leaving.add(smaller);
      this.closeUnused(smaller);
    } catch (error) {
      this.hasFailed = isFirst;
      if (isFirst) throw error;
      // What is open answers on, if more slowly.
      this.mostSequences = this.sequences;
    } finally {
      this.expected = null;
    }
  }

  private closeUnused(opened: Opened): void {
    if (opened.users > 0 || !this.leaving.has(opened)) return;
    void opened.model.close().then(() => this.leaving.delete(opened));
  }
}
