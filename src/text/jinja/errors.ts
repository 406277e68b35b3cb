/**
 * What can go wrong in a template. Inside the engine short errors are thrown, without lines; a template turns them into
 * the classes that callers see, with the line where it happened.
 */
import { NomoatError } from '../../errors.ts';

/** Python would raise the like: `kind` is the name of its exception. */
export class PythonError extends Error {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** This engine cannot do what Python can. */
export class MissingConstruct extends Error {
  readonly construct: string;

  constructor(construct: string) {
    super(construct);
    this.construct = construct;
  }
}

/** The template called raise_exception(message). */
export class Raised extends Error {}

export const typeError = (message: string): PythonError => new PythonError('TypeError', message);
export const valueError = (message: string): PythonError => new PythonError('ValueError', message);

const part = 'the chat template';

/** What the engine cannot do, named: "the filter `urlize`", "the statement `include`", "str.translate". */
export class TemplateConstructError extends NomoatError {
  readonly construct: string;
  readonly line: number;

  constructor(construct: string, line: number, cause?: unknown) {
    super({
      part,
      fault: `asks in line ${line} for what nomoat cannot do: ${construct}`,
      remedy: 'Nothing in the data will help; give another template.',
      fields: { construct, line },
      cause,
    });
    this.construct = construct;
    this.line = line;
  }
}

/** The template itself refused its input by raise_exception(message). */
export class TemplateRaised extends NomoatError {
  readonly raised: string;
  readonly line: number;

  constructor(raised: string, line: number, cause?: unknown) {
    super({
      part,
      fault: `refuses its input: ${raised}`,
      remedy: 'Give messages, tools and variables as the template asks for them.',
      fields: { raised, line },
      cause,
    });
    this.raised = raised;
    this.line = line;
  }
}

/** What Python's jinja2 would refuse, too: bad syntax, an attribute of an undefined value, a text plus a number. */
export class TemplateFailed extends NomoatError {
  readonly python: string;
  readonly reason: string;
  readonly line: number;

  constructor(python: string, reason: string, line: number, cause?: unknown) {
    super({
      part,
      fault: `fails in line ${line}, as it would in Python (${python}: ${reason})`,
      remedy: 'Give messages, tools and variables as the template asks for them, or another template.',
      fields: { python, reason, line },
      cause,
    });
    this.python = python;
    this.reason = reason;
    this.line = line;
  }
}

/** The caller's error for one thrown inside the engine. */
export function atLine(error: unknown, line: number): unknown {
  if (error instanceof MissingConstruct) return new TemplateConstructError(error.construct, line, error);
  if (error instanceof Raised) return new TemplateRaised(error.message, line, error);
  if (error instanceof PythonError) return new TemplateFailed(error.kind, error.message, line, error);
  // Texts and integers that JavaScript cannot hold, where no bound of limits.ts came first.
  if (error instanceof RangeError && !error.message.includes('call stack'))
    return new TemplateConstructError('a text, list or integer that is too long', line, error);
  // The stack of JavaScript is at its end where Python's is, too: endless recursion, values nested thousandfold.
  if (error instanceof RangeError)
    return new TemplateFailed('RecursionError', 'maximum recursion depth exceeded', line, error);
  return error;
}
