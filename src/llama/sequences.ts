/**
 * The sequences of a context, each with what it has evaluated. Promises: whoever asks gets the free one that holds the most of its
 * prompt's beginning, in the order of asking; all that evaluate at the same time are one batch; what is measured alone is a batch of its
 * own, so that its sums do not depend on who else asks.
 */
import type { BatchingOptions, EvaluationPriority, LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp';

/** node-llama-cpp hands a priority to the strategy and has no meaning of its own for it here: this one marks what is measured alone. */
export const alone: EvaluationPriority = 1;
/** The others say which sequence it is of, so that the strategy can order them. */
const orderOf = (place: number): EvaluationPriority => (alone + 1 + place) as EvaluationPriority;

/**
 * How many turns of the microtask queue a batch waits for sequences that are between two tokens. Their next token is asked for within
 * some ten of them; without waiting, those that finish a batch together would go on in two batches for ever, each half as large.
 */
const patience = 64;

/** A sequence on loan. */
export interface Lane {
  readonly sequence: LlamaContextSequence;
  /** Its place among the sequences, to be handed in with what it evaluates (`evaluationPriority`). */
  readonly order: EvaluationPriority;
  readonly batches: Batches;
  /** Of its first tokens, how many were evaluated alone, from nothing, in whole chunks: their state depends on nothing else. */
  alone: number;
  /** Of its first tokens, how many were evaluated in batches so small that each is as it is alone. */
  exact: number;
}

export const sharedBeginning = (held: readonly Token[], wanted: readonly Token[]): number => {
  let length = 0;
  while (length < held.length && length < wanted.length && held[length] === wanted[length]) length++;
  return length;
};

type Item = Parameters<
  Extract<BatchingOptions['itemPrioritizationStrategy'], (...args: never) => unknown>
>[0]['items'][number];

/**
 * The shortest first, and each its share of what is left: who generates does not wait for who reads a long prompt. In the order of the
 * sequences: llama.cpp computes those together whose numbers follow each other in the batch (`split_equal`), and the others one by one.
 */
export function fairShares(items: readonly Item[], size: number): { item: Item; processAmount: number }[] {
  const first = items.find(({ evaluationPriority }) => evaluationPriority === alone);
  if (first) return [{ item: first, processAmount: Math.min(first.tokens.length, size) }];
  let left = size;
  const shortestFirst = [...items].sort((a, b) => a.tokens.length - b.tokens.length);
  const shares = shortestFirst.flatMap((item, i) => {
    const processAmount = Math.min(item.tokens.length, Math.ceil(left / (shortestFirst.length - i)));
    left -= processAmount;
    return processAmount > 0 ? [{ item, processAmount }] : [];
  });
  return shares.sort((a, b) => a.item.evaluationPriority - b.item.evaluationPriority);
}

/**
 * When batches go, and who waits between two of them: a batch waits for those that are between two tokens, and whoever is about to evaluate
 * more waits for those that change what their sequence holds. llama.cpp's binding changes nothing as long as anything is queued for
 * evaluation, so that without this a newcomer would wait until all others have ended.
 */
export class Batches {
  /** Sequences that ask for one token after the other. */
  generating = 0;
  private waited = 0;
  /** Evaluations that were begun as one batch, and have not ended. */
  private begun = 0;
  /** Changes of what sequences hold that are asked for, and have not been made. */
  private changes = 0;
  private paused: (() => void)[] = [];

  /** Calls what changes the tokens that a sequence holds. */
  async change<T>(call: () => Promise<T>): Promise<T> {
    this.changes++;
    try {
      return await call();
    } finally {
      this.changes--;
      if (this.changes === 0) for (const goOn of this.paused.splice(0)) goOn();
    }
  }

  /** To be awaited between two evaluations: resolves when the changes that are asked for by now are made. */
  async letChange(): Promise<void> {
    if (this.changes > 0) await new Promise<void>((resolve) => this.paused.push(resolve));
  }

  /** Begins them all, and has them wait for each other. Rejects with the first error when all have ended. */
  async together(evaluations: readonly (() => Promise<void>)[]): Promise<void> {
    this.begun += evaluations.length;
    const ended = await Promise.allSettled(evaluations.map((begin) => begin().finally(() => this.begun--)));
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
  }

  /** For node-llama-cpp's `batching`. */
  readonly strategy = ({ items, size }: { readonly items: readonly Item[]; readonly size: number }) => {
    const asking = items.filter(({ logits }) => logits.some(Boolean)).length;
    const isComplete = this.changes > 0 || (asking >= this.generating && items.length >= this.begun);
    if (!isComplete && this.waited < patience) {
      this.waited++;
      return [];
    }
    this.waited = 0;
    return fairShares(items, size);
  };
}

interface Waiting {
  readonly prompt: readonly Token[];
  readonly go: (lane: Lane) => void;
}

export class Sequences {
  /** Free ones, least recently used first. */
  private readonly free: Lane[];
  private readonly waiting: Waiting[] = [];
  private readonly count: number;
  private whenIdle: (() => void)[] = [];

  constructor(context: LlamaContext, batches: Batches) {
    this.count = context.totalSequences;
    this.free = Array.from({ length: this.count }, (_, place) => ({
      sequence: context.getSequence(),
      order: orderOf(place),
      batches,
      alone: 0,
      exact: 0,
    }));
  }

  /** The lane to evaluate `prompt` on; null where `signal` is aborted before one is free. */
  take(prompt: readonly Token[], signal: AbortSignal | undefined): Promise<Lane | null> {
    if (signal?.aborted) return Promise.resolve(null);
    if (this.free.length > 0 && this.waiting.length === 0) return Promise.resolve(this.best(prompt));
    return new Promise((resolve) => {
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(waiting), 1);
        resolve(null);
      };
      const waiting: Waiting = {
        prompt,
        go: (lane) => {
          signal?.removeEventListener('abort', leave);
          resolve(lane);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.waiting.push(waiting);
    });
  }

  /** Up to so many of those that are free now, where nobody waits for one. */
  takeFree(most: number): Lane[] {
    return this.waiting.length > 0 ? [] : this.free.splice(0, most);
  }

  give(lane: Lane): void {
    this.free.push(lane);
    const next = this.waiting.shift();
    if (next) next.go(this.best(next.prompt));
    else if (this.free.length === this.count) for (const tell of this.whenIdle.splice(0)) tell();
  }

  /** Resolves when nobody evaluates or waits. */
  idle(): Promise<void> {
    if (this.free.length === this.count) return Promise.resolve();
    return new Promise((resolve) => this.whenIdle.push(resolve));
  }

  /** Takes the one that saves most; where more would be lost than saved, an empty one if there is one. */
  private best(prompt: readonly Token[]): Lane {
    let best = { at: 0, shared: -1, lost: 0 };
    this.free.forEach(({ sequence }, at) => {
      const held = sequence.contextTokens;
      const shared = sharedBeginning(held, prompt);
      if (shared > best.shared) best = { at, shared, lost: held.length - shared };
    });
    const empty = this.free.findIndex(({ sequence }) => sequence.nextTokenIndex === 0);
    const at = best.lost > best.shared && empty >= 0 ? empty : best.at;
    return this.free.splice(at, 1)[0]!;
  }
}
