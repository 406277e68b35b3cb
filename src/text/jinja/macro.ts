/** A macro as a value: how arguments find their parameters, as jinja2.runtime.Macro has it. */
import { PyDict } from './dict.ts';
import { typeError } from './errors.ts';
import type { Str } from './marked-text.ts';
import { Attributed, type Kwargs, Tuple, Undefined, type Value } from './values.ts';

export interface MacroShape {
  /** null for the body of a call block. */
  readonly name: string | null;
  readonly arguments: readonly string[];
  readonly catchesKwargs: boolean;
  readonly catchesVarargs: boolean;
  readonly callsCaller: boolean;
}

export class Macro extends Attributed {
  readonly typeName = 'Macro';
  private readonly shape: MacroShape;
  private readonly run: (values: readonly (Value | undefined)[]) => Str;

  /**
   * `run` gets the arguments in order, undefined where one is missing, then caller, kwargs and varargs where they are
   * used.
   */
  constructor(shape: MacroShape, run: (values: readonly (Value | undefined)[]) => Str) {
    super();
    this.shape = shape;
    this.run = run;
  }

  attribute(name: string): Value | undefined {
    const { shape } = this;
    switch (name) {
      case 'name':
        return shape.name;
      case 'arguments':
        return new Tuple(shape.arguments);
      case 'catch_kwargs':
        return shape.catchesKwargs;
      case 'catch_varargs':
        return shape.catchesVarargs;
      case 'caller':
        return shape.callsCaller;
      case 'explicit_caller':
        return shape.arguments.includes('caller');
      case '__repr__':
        return shape.name === null ? '<Macro anonymous>' : `<Macro '${shape.name}'>`;
      default:
        return undefined;
    }
  }

  invoke(args: readonly Value[], kwargs: Kwargs): Str {
    const { shape } = this;
    const count = shape.arguments.length;
    const left = new Map(kwargs);
    const values: (Value | undefined)[] = args.slice(0, count);
    let foundCaller = shape.arguments.includes('caller') && values.length === count;
    for (const name of shape.arguments.slice(values.length)) {
      values.push(left.get(name));
      left.delete(name);
      if (name === 'caller') foundCaller = true;
    }
    if (shape.callsCaller && !foundCaller) {
      values.push(left.get('caller') ?? new Undefined('No caller defined'));
      left.delete('caller');
    }
    if (shape.catchesKwargs) values.push(PyDict.of(left));
    else if (left.size > 0) throw this.unexpected(left);
    if (shape.catchesVarargs) values.push(new Tuple(args.slice(count)));
    else if (args.length > count) throw typeError(`macro '${shape.name}' takes not more than ${count} argument(s)`);
    return this.run(values);
  }

  private unexpected(left: Kwargs): Error {
    if (left.has('caller'))
      return typeError(
        `macro '${this.shape.name}' was invoked with two values for the special caller argument. This is most likely a bug.`,
      );
    return typeError(`macro '${this.shape.name}' takes no keyword argument '${[...left.keys()][0]}'`);
  }
}
