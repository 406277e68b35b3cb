/**
 * A chat template, parsed and compiled once, that renders as Python's jinja2 does in transformers' environment: an
 * ImmutableSandboxedEnvironment with trim_blocks, lstrip_blocks, loop controls, {% generation %} and json.dumps as
 * tojson. Promises: the same text as Python's, or a TemplateRaised or TemplateFailed where Python raises, or a
 * TemplateConstructError that names what this engine lacks; it ends within the bounds of limits.ts. Knows nothing of
 * conversations. https://jinja.palletsprojects.com/en/stable/templates/
 */
import { compileBody } from './compile-statement.ts';
import { atLine } from './errors.ts';
import { Frame } from './frame.ts';
import { makeGlobals } from './globals.ts';
import { SyntaxFault } from './lexer.ts';
import type { Span } from './marked-text.ts';
import { parse } from './parser.ts';
import { type PrefixRendering, PrefixRun } from './prefixes.ts';
import { Activation, type Execute, Runtime } from './runtime.ts';
import { watched } from './watched-list.ts';

export interface RenderOptions {
  /** What strftime_now takes for now. */
  readonly now?: Date;
}

export interface Rendered {
  readonly text: string;
  /** Which characters of the text came from which marked input, in order; literals of the template have no origin. */
  readonly spans: readonly Span[];
}

export interface PrefixRenderings {
  readonly whole: Rendered;
  /** One for each cut. */
  readonly prefixes: readonly (PrefixRendering | null)[];
}

export class JinjaTemplate {
  readonly source: string;
  private readonly run: Execute;
  private readonly enter: (activation: Activation) => void;
  private readonly frame = Frame.root();

  /** Throws TemplateFailed for what jinja2 does not compile, either. */
  constructor(source: string) {
    this.source = source;
    try {
      const body = parse(source);
      this.frame.symbols.visit(body);
      this.run = compileBody(body, this.frame);
      this.enter = this.frame.enter();
    } catch (error) {
      throw atLine(error, error instanceof SyntaxFault ? error.line : 1);
    }
  }

  /**
   * The template with these variables: plain values, values from `marked`, and functions, which are called with plain
   * texts and numbers. Throws TemplateRaised, TemplateFailed and TemplateConstructError.
   */
  render(variables: Readonly<Record<string, unknown>>, options: RenderOptions = {}): Rendered {
    return this.rendered(variables, options, null);
  }

  /**
   * The template with these variables, and with each list that is the beginning of `variables.messages` in its place: a
   * cut of 3 stands for the first three. Work is linear in their number for templates that walk through the messages; a
   * beginning whose rendering could not be told so is null, and is to be rendered by itself. Throws as render does for
   * the whole.
   */
  renderPrefixes(
    variables: Readonly<Record<string, unknown>>,
    cuts: readonly number[],
    options: RenderOptions = {},
  ): PrefixRenderings {
    const { messages } = variables;
    const run = new PrefixRun(cuts);
    if (!Array.isArray(messages)) return { whole: this.render(variables, options), prefixes: cuts.map(() => null) };
    const whole = this.rendered({ ...variables, messages: watched(messages, run.watch) }, options, run);
    const all: PrefixRendering = { shared: whole.text.length, text: '', spans: [] };
    return { whole, prefixes: cuts.map((cut) => run.found.get(cut) ?? (cut === messages.length ? all : null)) };
  }

  private rendered(
    variables: Readonly<Record<string, unknown>>,
    options: RenderOptions,
    prefixes: PrefixRun | null,
  ): Rendered {
    const now = (): Date => options.now ?? new Date();
    const globals = makeGlobals(now, () => prefixes?.watch.note(Number.POSITIVE_INFINITY));
    const runtime = new Runtime(variables, globals, now, prefixes);
    const activation = new Activation(runtime, this.frame.unit.size, null);
    try {
      this.enter(activation);
      this.run(activation);
    } catch (error) {
      throw atLine(error, runtime.line);
    }
    return { text: runtime.out.text, spans: runtime.out.spans };
  }
}
