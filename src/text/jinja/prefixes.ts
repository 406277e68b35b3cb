/**
 * What a template makes of the beginnings of a list, found in one rendering of the whole: before an element of a
 * top-level loop over the list, the rest of the template is run as if the list had ended there, and then undone. Only
 * where nothing rendered before has asked for what comes later; other beginnings are left open, and are to be rendered
 * by themselves.
 */
import { MissingConstruct, PythonError, Raised } from './errors.ts';
import { type Span, TextBuilder } from './marked-text.ts';
import type { Activation, Execute, PrefixHooks, Runtime } from './runtime.ts';
import { Lazy, type Namespace, type Value } from './values.ts';
import { Watch } from './watched-list.ts';

/** The rendering of a beginning: the first `shared` characters of the whole one, and then this text. */
export interface PrefixRendering {
  readonly shared: number;
  readonly text: string;
  /** Of the text, counted from its own start. */
  readonly spans: readonly Span[];
}

/** A body of the top level that is being run, and where in it. */
interface Running {
  readonly statements: readonly Execute[];
  index: number;
}

export class PrefixRun implements PrefixHooks {
  readonly watch = new Watch();
  readonly found = new Map<number, PrefixRendering>();
  private readonly cuts: ReadonlySet<number>;
  private readonly running: Running[] = [];
  /** While a beginning is tried: what namespaces held before. */
  private journal: Map<Namespace, ReadonlyMap<string, Value>> | null = null;

  constructor(cuts: Iterable<number>) {
    this.cuts = new Set(cuts);
  }

  body(statements: readonly Execute[], activation: Activation): ReturnType<Execute> {
    const running: Running = { statements, index: 0 };
    if (this.journal === null) this.running.push(running);
    const tried = this.journal !== null;
    for (; running.index < statements.length; running.index++) {
      const signal = statements[running.index]!(activation);
      if (signal !== 'done') return signal;
    }
    if (!tried) this.running.pop();
    return 'done';
  }

  beforeChange(namespace: Namespace, value: Value): void {
    if (this.journal === null) {
      // What is used up by reading cannot be put back.
      if (value instanceof Lazy) this.watch.note(Number.POSITIVE_INFINITY);
    } else if (!this.journal.has(namespace)) this.journal.set(namespace, new Map(namespace.values));
  }

  before(cut: number, activation: Activation, finish: () => void): void {
    const possible = this.journal === null && this.watch.need <= cut && this.cuts.has(cut) && !this.found.has(cut);
    if (!possible || activation.locals.some((value) => value instanceof Lazy)) return;
    const { runtime, locals } = activation;
    const kept = { locals: [...locals], need: this.watch.need, out: runtime.out, line: runtime.line };
    this.journal = new Map();
    this.watch.limit = cut;
    runtime.out = new TextBuilder();
    try {
      finish();
      for (const { statements, index } of [...this.running].reverse())
        for (const statement of statements.slice(index + 1)) statement(activation);
      const { text, spans } = runtime.out;
      this.found.set(cut, { shared: kept.out.text.length, text, spans });
    } catch (error) {
      // The beginning is refused: rendering it by itself will say why.
      if (!isTemplateError(error)) throw error;
    } finally {
      this.undo(kept, activation.locals, runtime);
    }
  }

  private undo(
    kept: { locals: readonly Value[]; need: number; out: TextBuilder; line: number },
    locals: Value[],
    runtime: Runtime,
  ): void {
    for (const [namespace, values] of this.journal!) {
      namespace.values.clear();
      for (const [key, value] of values) namespace.values.set(key, value);
    }
    this.journal = null;
    this.watch.limit = Number.POSITIVE_INFINITY;
    this.watch.need = kept.need;
    for (const [slot, value] of kept.locals.entries()) locals[slot] = value;
    runtime.resume(kept.out, kept.line);
  }
}

const isTemplateError = (error: unknown): boolean =>
  error instanceof PythonError ||
  error instanceof MissingConstruct ||
  error instanceof Raised ||
  error instanceof RangeError;
