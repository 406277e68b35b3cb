/** Expressions of a template as closures. */
import { attributeOf, itemOf, sliceOf, textMethods } from './access.ts';
import { PyDict } from './dict.ts';
import { PythonError, typeError } from './errors.ts';
import { filterNamed, isFilter, testNamed } from './filters.ts';
import type { Frame } from './frame.ts';
import { keywords, positional } from './globals.ts';
import { SyntaxFault } from './lexer.ts';
import { LoopContext } from './loop-context.ts';
import { Macro } from './macro.ts';
import { isStr, Markup, type Str, TextBuilder } from './marked-text.ts';
import type { CallArguments, CallNode, CompareOperator, Expression, FilterNode } from './nodes.ts';
import { add, binary, compare, equal, negative, positive } from './operators.ts';
import type { Evaluate } from './runtime.ts';
import { tests } from './tests.ts';
import { str } from './to-text.ts';
import { isTrue, typeName } from './types.ts';
import { Callable, type Kwargs, noKwargs, PyFloat, Tuple, Undefined, type Value } from './values.ts';

/** Operators of one operand. */
const ofOne = { not: (value: Value): Value => !isTrue(value), negative, positive } as const;

export function compileExpression(node: Expression, frame: Frame): Evaluate {
  switch (node.kind) {
    case 'name':
      return frame.load(node.name, node.line);
    case 'constant': {
      const { value } = node;
      const constant = typeof value === 'object' && value !== null ? new PyFloat(value.float) : value;
      return () => constant;
    }
    case 'list':
      return list(node.items, frame);
    case 'tuple': {
      const items = list(node.items, frame);
      return (a) => new Tuple(items(a));
    }
    case 'dict':
      return dict(node.items, frame);
    case 'conditional':
      return conditional(node, frame);
    case 'and':
    case 'or':
      return logical(node.kind === 'and', node.left, node.right, frame);
    case 'not':
    case 'negative':
    case 'positive': {
      const [apply, value] = [ofOne[node.kind], compileExpression(node.node, frame)];
      return (a) => apply(value(a));
    }
    case 'binary': {
      const left = compileExpression(node.left, frame);
      const right = compileExpression(node.right, frame);
      const { operator } = node;
      return operator === '+' ? (a) => add(left(a), right(a)) : (a) => binary(operator, left(a), right(a));
    }
    case 'concat':
      return concatenation(node.items, frame);
    case 'compare':
      return comparison(node.first, node.rest, frame);
    case 'attribute': {
      const value = compileExpression(node.node, frame);
      const { name } = node;
      return (a) => attributeOf(value(a), name);
    }
    case 'item':
      return item(node.node, node.key, frame);
    case 'filter':
      return filterCall(node, compileExpression(node.node!, frame), frame);
    case 'test':
      return testCall(node, compileExpression(node.node, frame), frame);
    case 'call':
      return compileCall(node, frame, null);
    case 'slice':
    case 'namespace-ref':
      throw new SyntaxFault(`a ${node.kind} cannot stand here`, node.line);
  }
}

function list(nodes: readonly Expression[], frame: Frame): (...args: Parameters<Evaluate>) => Value[] {
  const items = nodes.map((node) => compileExpression(node, frame));
  return (a) => items.map((item) => item(a));
}

function dict(nodes: readonly (readonly [Expression, Expression])[], frame: Frame): Evaluate {
  const items = nodes.map(([key, value]) => [compileExpression(key, frame), compileExpression(value, frame)] as const);
  return (a) => PyDict.of(items.map(([key, value]) => [key(a), value(a)]));
}

function conditional(node: Expression & { kind: 'conditional' }, outer: Frame): Evaluate {
  const frame = outer.branch();
  const test = compileExpression(node.test, frame);
  const then = compileExpression(node.then, frame);
  const otherwise = node.otherwise
    ? compileExpression(node.otherwise, frame)
    : () => new Undefined('the inline if-expression evaluated to false and no else section was defined.');
  return (a) => (isTrue(test(a)) ? then(a) : otherwise(a));
}

function logical(isAnd: boolean, leftNode: Expression, rightNode: Expression, frame: Frame): Evaluate {
  const left = compileExpression(leftNode, frame);
  const right = compileExpression(rightNode, frame);
  return (a) => {
    const value = left(a);
    return isTrue(value) === isAnd ? right(a) : value;
  };
}

function concatenation(nodes: readonly Expression[], frame: Frame): Evaluate {
  const items = nodes.map((node) => compileExpression(node, frame));
  return (a) => {
    const builder = new TextBuilder();
    for (const item of items) builder.write(str(item(a)));
    return builder.finish();
  };
}

type Operand = { readonly operator: CompareOperator; readonly node: Expression };

function comparison(firstNode: Expression, rest: readonly Operand[], frame: Frame): Evaluate {
  const first = compileExpression(firstNode, frame);
  const others = rest.map(({ operator, node }) => ({ operator, value: compileExpression(node, frame) }));
  const [only] = others;
  if (only && others.length === 1) {
    const { operator, value } = only;
    if (operator === '==') return (a) => equal(first(a), value(a));
    if (operator === '!=') return (a) => !equal(first(a), value(a));
    return (a) => compare(operator, first(a), value(a));
  }
  return (a) => {
    let left = first(a);
    for (const { operator, value } of others) {
      const right = value(a);
      if (!compare(operator, left, right)) return false;
      left = right;
    }
    return true;
  };
}

function item(node: Expression, key: Expression, frame: Frame): Evaluate {
  const value = compileExpression(node, frame);
  if (key.kind === 'slice') {
    const bound = (part: Expression | null): Evaluate => (part ? compileExpression(part, frame) : () => null);
    const [start, stop, step] = [bound(key.start), bound(key.stop), bound(key.step)];
    return (a) => sliceOf(value(a), { start: start(a), stop: stop(a), step: step(a) });
  }
  const index = compileExpression(key, frame);
  return (a) => itemOf(value(a), index(a));
}

interface Arguments {
  readonly args: (...activation: Parameters<Evaluate>) => Value[];
  readonly kwargs: (...activation: Parameters<Evaluate>) => Kwargs;
}

function callArguments(node: CallArguments, frame: Frame): Arguments {
  const given = list(node.args, frame);
  const named = node.kwargs.map(({ key, value }) => [key, compileExpression(value, frame)] as const);
  const dynamicArgs = node.dynamicArgs && compileExpression(node.dynamicArgs, frame);
  const dynamicKwargs = node.dynamicKwargs && compileExpression(node.dynamicKwargs, frame);
  const args: Arguments['args'] = dynamicArgs ? (a) => [...given(a), ...positional(dynamicArgs(a))] : given;
  if (named.length === 0 && !dynamicKwargs) return { args, kwargs: () => noKwargs };
  const kwargs: Arguments['kwargs'] = (a) => {
    const values = new Map<string, Value>(named.map(([key, value]) => [key, value(a)]));
    if (dynamicKwargs)
      for (const [key, value] of keywords(dynamicKwargs(a))) {
        if (values.has(key)) throw typeError(`got multiple values for keyword argument '${key}'`);
        values.set(key, value);
      }
    return values;
  };
  return { args, kwargs };
}

/** A filter applied to a value, which a filter block gives as its text. */
export function filterCall(node: FilterNode, value: Evaluate, frame: Frame): Evaluate {
  const { name, line } = node;
  if (!frame.soft && !isFilter(name)) throw unknown(`No filter named '${name}'.`, line);
  const { args, kwargs } = callArguments(node, frame);
  if (!isFilter(name))
    return () => {
      throw new PythonError('TemplateRuntimeError', `No filter named '${name}' found.`);
    };
  if (node.args.length === 0 && !node.dynamicArgs) {
    return (a) => filterNamed(name)([value(a)], kwargs(a));
  }
  return (a) => {
    const first = value(a);
    return filterNamed(name)([first, ...args(a)], kwargs(a));
  };
}

const unknown = (message: string, line: number): SyntaxFault => new SyntaxFault(message, line);

function testCall(node: Expression & { kind: 'test' }, value: Evaluate, frame: Frame): Evaluate {
  const { name, line } = node;
  if (!frame.soft && !tests.has(name)) throw unknown(`No test named '${name}'.`, line);
  if (name === 'defined' && node.args.length === 0) return (a) => !(value(a) instanceof Undefined);
  const { args, kwargs } = callArguments(node, frame);
  return (a) => {
    const first = value(a);
    return testNamed(name)([first, ...args(a)], kwargs(a));
  };
}

/** A call; `caller` is what a call block hands over. */
export function compileCall(node: CallNode, frame: Frame, caller: Evaluate | null): Evaluate {
  const { args, kwargs: given } = callArguments(node, frame);
  const kwargs: Arguments['kwargs'] = caller ? (a) => new Map([...given(a), ['caller', caller(a)]]) : given;
  const called = node.node;
  if (called.kind === 'attribute') {
    // Methods of texts are called without making them values first.
    const value = compileExpression(called.node, frame);
    const { name } = called;
    const method = textMethods.get(name);
    return (a) => {
      const self = value(a);
      if (method && isStr(self) && !(self instanceof Markup)) return method(self, args(a), kwargs(a));
      return invoke(attributeOf(self, name), args(a), kwargs(a));
    };
  }
  const callee = compileExpression(called, frame);
  return (a) => invoke(callee(a), args(a), kwargs(a));
}

function invoke(callee: Value, args: readonly Value[], kwargs: Kwargs): Value | Str {
  if (callee instanceof Callable) return callee.call(args, kwargs);
  if (callee instanceof Macro || callee instanceof LoopContext) return callee.invoke(args, kwargs);
  if (callee instanceof Undefined) throw callee.error();
  throw typeError(`'${typeName(callee)}' object is not callable`);
}
