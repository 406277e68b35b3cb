/**
 * One rendering: the variables, where text goes, the line that is being rendered, and what has been spent of the
 * bounds.
 */
import { MissingConstruct, PythonError } from './errors.ts';
import { maxCallDepth, maxTemplateSteps, maxText } from './limits.ts';
import { type Str, TextBuilder } from './marked-text.ts';
import { admit, type Namespace, type Value } from './values.ts';

/** What a rendering tells of where it is, for beginnings of a list to be rendered as well (prefixes.ts). */
export interface PrefixHooks {
  /** Runs a body of the top level, so that a beginning can go on behind it. */
  body(statements: readonly Execute[], activation: Activation): Signal;
  /** To be called before a namespace is changed. */
  beforeChange(namespace: Namespace, value: Value): void;
  /** Before the element at `cut` of the list; `finish` ends the loop as if there were no more elements. */
  before(cut: number, activation: Activation, finish: () => void): void;
}

export class Runtime {
  private readonly variables: Readonly<Record<string, unknown>>;
  private readonly globals: ReadonlyMap<string, Value>;
  readonly now: () => Date;
  out = new TextBuilder();
  line = 1;
  private steps = 0;
  private depth = 0;
  /** Where beginnings of a list are rendered, too. */
  readonly prefixes: PrefixHooks | null;

  constructor(
    variables: Readonly<Record<string, unknown>>,
    globals: ReadonlyMap<string, Value>,
    now: () => Date,
    prefixes: PrefixHooks | null = null,
  ) {
    this.prefixes = prefixes;
    this.variables = variables;
    this.globals = globals;
    this.now = now;
  }

  /** undefined where there is no such variable; one of the caller hides a global. */
  resolve(name: string): Value | undefined {
    if (Object.hasOwn(this.variables, name)) {
      const value = this.variables[name];
      if (value !== undefined) return admit(value);
    }
    return this.globals.get(name);
  }

  /** Goes on where a body was left that ended early. */
  resume(out: TextBuilder, line: number): void {
    this.out = out;
    this.line = line;
    this.depth = 0;
  }

  step(): void {
    if (++this.steps > maxTemplateSteps)
      throw new MissingConstruct(`over ${maxTemplateSteps} steps of loops and macros`);
    if (this.out.text.length > maxText) throw new MissingConstruct(`a text of over ${maxText} characters`);
  }

  /** Runs a body and gives what it wrote, which does not reach the output. */
  capture(run: () => void): Str {
    const outer = this.out;
    this.out = new TextBuilder();
    run();
    const text = this.out.finish();
    this.out = outer;
    return text;
  }

  /** As capture, for what can call itself. */
  call(run: () => void): Str {
    this.step();
    if (++this.depth > maxCallDepth) throw new PythonError('RecursionError', 'maximum recursion depth exceeded');
    const text = this.capture(run);
    this.depth--;
    return text;
  }
}

/** The names of one call of a unit; undefined where one has no value. */
export class Activation {
  readonly runtime: Runtime;
  readonly locals: Value[];
  readonly parent: Activation | null;

  constructor(runtime: Runtime, size: number, parent: Activation | null) {
    this.runtime = runtime;
    this.locals = new Array<Value>(size).fill(undefined);
    this.parent = parent;
  }
}

/** Reads or does something; compiled once, run for every rendering. */
export type Evaluate = (activation: Activation) => Value;
/** How a statement ended. */
export type Signal = 'done' | 'break' | 'continue';
export type Execute = (activation: Activation) => Signal;
