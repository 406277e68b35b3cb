/**
 * Many answers of one model as fast as the processor gives them: a context for each thread instead of several threads for each context, all on
 * one base. Threads of one context wait for each other a hundred times a token, which on a small model, or beside other programs, costs more
 * than it gives; contexts wait for nobody. Promises: answers are those of a context by itself.
 */
import type { RowScore, ScoreRow, ScoreRowsOptions } from '../chat/score-row.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type OpenChatModel, openChatModel } from './chat-engine.ts';
import type { OpenChatOptions } from './chat-options.ts';
import { contextBytes } from './context-memory.ts';
import { defaultContextSize } from './context-size.ts';

/** Answers at once in one context: its sums gain little from more. */
const sideBySide = 8;
/** More contexts take memory each, and the bandwidth of the memory is one for all. */
const mostContexts = 4;
/** What all contexts together may take; one answer at a time needs a context in any case, and may take more. */
const mostContextBytes = 1e9;

/** How many answers are computed at once, and by whom. */
export interface TeamShape {
  readonly contexts: number;
  /** Answers at once, of each context. */
  readonly sequences: number;
  /** Of each context. */
  readonly threads: number;
  /** Tokens of a prompt with its answer. */
  readonly contextSize: number;
}

/** What a team is opened with, beside how its model is asked. */
export interface TeamOptions {
  /** Tokens of the longest prompt with its answer, or an upper bound of them; what is longer than contexts usually are is cut to that. */
  readonly longest: number;
  /** Of all contexts together. */
  readonly threads: number;
}

/** The shape for a model's file; `trained` is the longest context that it was trained on. */
export function teamShape(modelPath: string, { longest, threads }: TeamOptions): TeamShape {
  const gguf = openGguf(modelPath);
  try {
    const trained = gguf.number(`${gguf.string('general.architecture')}.context_length`) ?? defaultContextSize;
    const contextSize = Math.max(leastContextSize(trained), Math.min(longest, defaultContextSize, trained));
    const takes = (contexts: number, sequences: number): number =>
      contexts * contextBytes(gguf, { contextSize, sequences });
    let contexts = Math.max(1, Math.min(threads, mostContexts));
    let sequences = sideBySide;
    // A large model is bound by reading its weights, which several answers in one context share.
    while (contexts > 1 && takes(contexts, sequences) > mostContextBytes) contexts--;
    while (sequences > 1 && takes(contexts, sequences) > mostContextBytes) sequences--;
    return { contexts, sequences, threads: Math.max(1, Math.floor(threads / contexts)), contextSize };
  } finally {
    gguf.close();
  }
}

/** Shorter contexts save nothing: llama.cpp rounds them up. */
const leastContextSize = (trained: number): number => Math.min(256, trained);

/** Several contexts that are asked like one model. */
export class AnswerTeam implements AsyncDisposable {
  /** Questions that are answered at once; more wait. */
  readonly atOnce: number;
  private readonly members: readonly OpenChatModel[];
  private readonly busy: number[];

  constructor(members: readonly OpenChatModel[]) {
    this.members = members;
    this.busy = members.map(() => 0);
    this.atOnce = members.reduce((sum, { sequences }) => sum + sequences, 0);
  }

  readonly generate: OpenChatModel['generate'] = (...given) => this.ask((model) => model.generate(...given));
  readonly continue: OpenChatModel['continue'] = (...given) => this.ask((model) => model.continue(...given));
  readonly complete: OpenChatModel['complete'] = (...given) => this.ask((model) => model.complete(...given));

  readonly promptTokens: OpenChatModel['promptTokens'] = (...given) => this.members[0]!.promptTokens(...given);
  readonly promptText: OpenChatModel['promptText'] = (...given) => this.members[0]!.promptText(...given);

  /** As a model's own `scoreRows`, each context a share of neighbours. */
  async scoreRows(rows: readonly ScoreRow[], { onRow, signal }: ScoreRowsOptions = {}): Promise<(RowScore | null)[]> {
    const each = Math.ceil(rows.length / this.members.length);
    const shares = this.members.map((_, i) => rows.slice(i * each, (i + 1) * each));
    const scores = await Promise.all(
      this.members.map((model, i) =>
        model.scoreRows(shares[i]!, {
          ...(signal ? { signal } : {}),
          onRow: (index, score) => onRow?.(i * each + index, score),
        }),
      ),
    );
    return scores.flat();
  }

  /** By the context with the fewest answers under way, the first of equal ones: one question after the other stays with what it evaluated. */
  private async ask<T>(call: (model: OpenChatModel) => Promise<T>): Promise<T> {
    const at = this.busy.indexOf(Math.min(...this.busy));
    this.busy[at]!++;
    try {
      return await call(this.members[at]!);
    } finally {
      this.busy[at]!--;
    }
  }

  async close(): Promise<void> {
    for (const model of this.members) await model.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Opens the contexts. Rejects with NomoatError, and leaves none open then. */
export async function openTeam(options: OpenChatOptions & TeamOptions): Promise<AnswerTeam> {
  const { contexts, ...shape } = teamShape(options.modelPath, options);
  const members: OpenChatModel[] = [];
  try {
    for (let i = 0; i < contexts; i++) members.push(await openChatModel({ ...options, ...shape }));
    return new AnswerTeam(members);
  } catch (error) {
    for (const model of members) await model.close();
    throw error;
  }
}
