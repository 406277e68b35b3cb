/**
 * What /metrics says, as Prometheus reads it. Promises: counts, times and sizes only; no contents, and no name that a client made up: routes
 * are those of the server, bases are files, and contexts and models have numbers.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { OpenChatModel } from '../llama/chat-engine.ts';
import type { Usage } from './answer.ts';
import type { ModelPool, PoolContext } from './model-pool.ts';

/** From a cached prompt of a small model to a long one of a large one, in seconds. */
const timeBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300];
/** Fewer tokens say little of a speed. */
const leastTokens = 8;

/** How long one context took for tokens behind the first, while nothing else was answered. */
interface Speed {
  seconds: number;
  tokens: number;
}

/** An answer while it is computed. */
export interface AnswerWatch {
  /** There is something to send. */
  begun(): void;
  /** It was computed to its end, on that model. */
  ended(usage: Usage, model: OpenChatModel | null): void;
  /** It is computed no more, to its end or not. */
  gone(): void;
}

/** How gauges are made whose values are read when they are asked for. */
const gaugesIn =
  (registers: Registry[]) =>
  <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    collect: (set: Gauge<Label>) => void,
  ): Gauge<Label> =>
    new Gauge<Label>({
      ...{ name, help, labelNames: [...labelNames], registers },
      collect() {
        this.reset();
        collect(this);
      },
    });

export class Metrics {
  private readonly registry = new Registry();
  private readonly pool: ModelPool;
  private readonly requests: Counter<'route' | 'status'>;
  private readonly seconds: Histogram<'route'>;
  private readonly firstToken: Histogram;
  private readonly tokens: Counter<'kind'>;
  private readonly speeds = new WeakMap<OpenChatModel, Speed>();
  /** Answers that are computed now, and whether each was always the only one. */
  private readonly watched = new Set<{ alone: boolean }>();

  constructor(pool: ModelPool) {
    this.pool = pool;
    const registers = [this.registry];
    this.requests = new Counter({
      name: 'nomoat_requests_total',
      help: 'Requests that have ended, by route and status of HTTP.',
      labelNames: ['route', 'status'],
      registers,
    });
    this.seconds = new Histogram({
      name: 'nomoat_request_seconds',
      help: 'From the headers of a request to the end of its answer.',
      labelNames: ['route'],
      buckets: timeBuckets,
      registers,
    });
    this.firstToken = new Histogram({
      name: 'nomoat_first_token_seconds',
      help: 'From a request for an answer to its first text, waiting and opening of models included.',
      buckets: timeBuckets,
      registers,
    });
    this.tokens = new Counter({
      name: 'nomoat_tokens_total',
      help: 'Tokens of answers that were computed to their end: of prompts, of prompts that were evaluated already (cached), of answers (completion).',
      labelNames: ['kind'],
      registers,
    });
    this.gauges(registers);
  }

  /** All that is known now, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** What each open context costs, as the gauges say it. */
  contexts() {
    return this.pool.contexts().map((each) => {
      const pace = this.paceOf(each);
      const { adapters, base, baseBytes, bytes, model, number } = each;
      const slowdown = pace === null ? null : this.slowdown(each, pace);
      return { number, base, baseBytes, adapters, bytes, sequences: model.sequences, secondsPerToken: pace, slowdown };
    });
  }

  /** A request that has ended. */
  requested(route: string, status: number, milliseconds: number): void {
    this.requests.inc({ route, status });
    this.seconds.observe({ route }, milliseconds / 1000);
  }

  /** Watches an answer from its request on. */
  watch(): AnswerWatch {
    const began = performance.now();
    let first: number | null = null;
    const own = { alone: this.watched.size === 0 };
    for (const other of this.watched) other.alone = false;
    this.watched.add(own);
    return {
      begun: () => {
        first ??= performance.now();
        this.firstToken.observe((first - began) / 1000);
      },
      ended: (usage, model) => {
        const { completion_tokens, prompt_tokens, prompt_tokens_details } = usage;
        this.tokens.inc({ kind: 'prompt' }, prompt_tokens);
        this.tokens.inc({ kind: 'cached' }, prompt_tokens_details.cached_tokens);
        this.tokens.inc({ kind: 'completion' }, completion_tokens);
        if (first !== null && own.alone && model !== null)
          this.measured(model, performance.now() - first, completion_tokens - 1);
      },
      gone: () => void this.watched.delete(own),
    };
  }

  private measured(model: OpenChatModel, milliseconds: number, tokens: number): void {
    if (tokens < leastTokens) return;
    const speed = this.speeds.get(model) ?? { seconds: 0, tokens: 0 };
    this.speeds.set(model, { seconds: speed.seconds + milliseconds / 1000, tokens: speed.tokens + tokens });
  }

  /** Seconds a token; null where it was not measured. */
  private paceOf({ model }: PoolContext): number | null {
    const speed = this.speeds.get(model);
    return speed ? speed.seconds / speed.tokens : null;
  }

  private gauges(registers: Registry[]): void {
    const { pool } = this;
    const gauge = gaugesIn(registers);
    gauge('nomoat_requests_running', 'Requests that use an open model or wait for one.', [], (set) =>
      set.set(pool.users),
    );
    gauge(
      'nomoat_requests_waiting',
      'Those of them that have no sequence yet: they wait in the order of asking.',
      [],
      (set) => set.set(pool.waiting),
    );
    gauge('nomoat_memory_limit_bytes', 'What bases, adapters and contexts may take together.', [], (set) =>
      set.set(pool.memory),
    );
    gauge(
      'nomoat_base_bytes',
      'Weights of an open base, and of the adapters that were loaded on it.',
      ['base'],
      (set) => {
        for (const { base, baseBytes } of pool.contexts()) set.set({ base }, baseBytes);
      },
    );
    const labels = ['context', 'base', 'adapters'] as const;
    gauge('nomoat_context_bytes', 'What an open context takes, as llama.cpp counts it.', labels, (set) => {
      for (const each of pool.contexts()) set.set(labelsOf(each), each.bytes);
    });
    gauge('nomoat_context_sequences', 'Answers that an open context computes side by side, at most.', labels, (set) => {
      for (const each of pool.contexts()) set.set(labelsOf(each), each.model.sequences);
    });
    gauge(
      'nomoat_context_token_seconds',
      'Of answers that were computed with no other beside them: seconds for each token behind the first.',
      labels,
      (set) => this.paces(set, (_, pace) => pace),
    );
    gauge(
      'nomoat_adapter_slowdown',
      "How much longer a token takes with adapters than with a merged copy, which costs what the base costs: the ratio of nomoat_context_token_seconds to the base's own. Absent until both were measured.",
      labels,
      (set) => this.paces(set, (each, pace) => this.slowdown(each, pace)),
    );
  }

  private paces(
    set: Gauge<'context' | 'base' | 'adapters'>,
    readOut: (each: PoolContext, pace: number) => number | null,
  ): void {
    for (const each of this.pool.contexts()) {
      const pace = this.paceOf(each);
      const value = pace === null ? null : readOut(each, pace);
      if (value !== null) set.set(labelsOf(each), value);
    }
  }

  private slowdown({ adapters, base }: PoolContext, pace: number): number | null {
    if (adapters === 0) return null;
    const plain = this.pool
      .contexts()
      .find((other) => other.base === base && other.adapters === 0 && this.paceOf(other) !== null);
    return plain ? pace / this.paceOf(plain)! : null;
  }
}

const labelsOf = ({ adapters, base, number }: PoolContext) => ({ context: number, base, adapters });
