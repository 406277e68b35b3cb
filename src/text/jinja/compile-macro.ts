/** Macros, and what is a macro without a name: the bodies of call blocks and of {% generation %}. */
import { undeclared } from './children.ts';
import { compileExpression } from './compile-expression.ts';
import type { CompileBody, Frame } from './frame.ts';
import { SyntaxFault } from './lexer.ts';
import { Macro, type MacroShape } from './macro.ts';
import type { CallBlockNode, MacroNode, ScopeNode, Signature } from './nodes.ts';
import { Activation, type Evaluate } from './runtime.ts';
import { Undefined, type Value } from './values.ts';

/** Makes the macro as a value, bound to the names around it. */
export function compileMacro(
  node: MacroNode | CallBlockNode | ScopeNode,
  outer: Frame,
  compileBody: CompileBody,
): Evaluate {
  const frame = outer.called();
  const { symbols } = frame;
  const parameters: Signature = node.kind === 'scope' ? { args: [], defaults: [] } : node;
  symbols.visit(parameters.args);
  symbols.visit(parameters.defaults);
  symbols.visit(node.body);
  const names = parameters.args.map(({ name }) => name);
  const used = undeclared(node.body, ['caller', 'kwargs', 'varargs']);
  const explicitCaller = names.indexOf('caller');
  if (used.has('caller') && explicitCaller >= 0 && explicitCaller < names.length - parameters.defaults.length)
    throw new SyntaxFault(
      'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.',
      node.line,
    );
  const shape: MacroShape = {
    name: node.kind === 'macro' ? node.name : null,
    arguments: names,
    callsCaller: used.has('caller'),
    catchesKwargs: used.has('kwargs') && !names.includes('kwargs'),
    catchesVarargs: used.has('varargs') && !names.includes('varargs'),
  };
  const extra = [
    ...(shape.callsCaller && explicitCaller < 0 ? ['caller'] : []),
    ...(shape.catchesKwargs ? ['kwargs'] : []),
    ...(shape.catchesVarargs ? ['varargs'] : []),
  ].map((name) => symbols.declareParameter(name).slot);
  const slots = [...names.map((name) => frame.place(name, node.line).slot), ...extra];
  const defaults = parameters.defaults.map((value) => compileExpression(value, frame));
  const body = compileBody(node.body, frame);
  const enter = frame.enter();
  const firstDefault = names.length - defaults.length;
  return (a) =>
    new Macro(shape, (values) =>
      a.runtime.call(() => {
        const local = new Activation(a.runtime, frame.unit.size, a);
        slots.forEach((slot, i) => {
          local.locals[slot] = values[i];
        });
        enter(local);
        names.forEach((name, i) => {
          const slot = slots[i]!;
          if (local.locals[slot] !== undefined) return;
          const otherwise = defaults[i - firstDefault];
          local.locals[slot] = otherwise ? otherwise(local) : missing(name);
        });
        body(local);
      }),
    );
}

const missing = (name: string): Value => new Undefined(`parameter '${name}' was not provided`);
