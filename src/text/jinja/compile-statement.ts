/** Statements of a template as closures. */
import { compileCall, compileExpression, filterCall } from './compile-expression.ts';
import { compileFor } from './compile-loop.ts';
import { compileMacro } from './compile-macro.ts';
import { compileTarget, namespaceOf, namespaceRefs } from './compile-target.ts';
import { MissingConstruct } from './errors.ts';
import type { Frame } from './frame.ts';
import { reader } from './frame.ts';
import { SyntaxFault } from './lexer.ts';
import type { Macro } from './macro.ts';
import type {
  AssignBlockNode,
  CallBlockNode,
  Expression,
  FilterBlockNode,
  FilterNode,
  IfNode,
  OutputNode,
  Statement,
  Target,
  WithNode,
} from './nodes.ts';
import type { Activation, Evaluate, Execute } from './runtime.ts';
import { str } from './to-text.ts';
import { isTrue } from './types.ts';
import { noKwargs } from './values.ts';

export function compileBody(nodes: readonly Statement[], frame: Frame): Execute {
  const statements = nodes.map((node) => compileStatement(node, frame));
  const [only] = statements;
  if (only && statements.length === 1) return only;
  const { isTop } = frame;
  return (a) => {
    if (isTop && a.runtime.prefixes) return a.runtime.prefixes.body(statements, a);
    for (const statement of statements) {
      const signal = statement(a);
      if (signal !== 'done') return signal;
    }
    return 'done';
  };
}

function compileStatement(node: Statement, frame: Frame): Execute {
  const execute = compileKind(node, frame);
  const { line } = node;
  return (a) => {
    a.runtime.line = line;
    return execute(a);
  };
}

function compileKind(node: Statement, frame: Frame): Execute {
  switch (node.kind) {
    case 'output':
      return output(node, frame);
    case 'if':
      return branches(node, frame.branch());
    case 'for':
      return compileFor(node, frame, compileBody);
    case 'assign':
      return assignment(node.target, compileExpression(node.value, frame), frame);
    case 'assign-block':
      return assignBlock(node, frame);
    case 'macro': {
      const macro = compileMacro(node, frame, compileBody);
      const { slot } = frame.place(node.name, node.line);
      return (a) => {
        a.locals[slot] = macro(a);
        return 'done';
      };
    }
    case 'call-block':
      return callBlock(node, frame);
    case 'filter-block':
      return filterBlock(node, frame);
    case 'with':
      return withBlock(node, frame);
    case 'scope': {
      const macro = compileMacro(node, frame, compileBody);
      return (a) => {
        const text = (macro(a) as Macro).invoke([], noKwargs);
        a.runtime.out.write(text);
        return 'done';
      };
    }
    case 'break':
    case 'continue': {
      if (!frame.inLoop) throw new SyntaxFault(`'${node.kind}' outside loop`, node.line);
      const signal = node.kind;
      return () => signal;
    }
    case 'missing':
      return () => {
        throw new MissingConstruct(node.construct);
      };
  }
}

function output(node: OutputNode, frame: Frame): Execute {
  const writers = node.items.map((item) => writer(item, frame));
  const [only] = writers;
  if (only && writers.length === 1)
    return (a) => {
      only(a);
      return 'done';
    };
  return (a) => {
    for (const write of writers) write(a);
    return 'done';
  };
}

function writer(item: string | Expression, frame: Frame): (activation: Activation) => void {
  if (typeof item === 'string')
    return (a) => {
      a.runtime.out.text += item;
    };
  const { line } = item;
  const value = compileExpression(item, frame);
  return (a) => {
    a.runtime.line = line;
    const text = str(value(a));
    a.runtime.out.write(text);
  };
}

function branches(node: IfNode, frame: Frame): Execute {
  const arms = [node, ...node.elifs].map((arm) => ({
    test: compileExpression(arm.test, frame),
    body: compileBody(arm.body, frame),
  }));
  const otherwise = compileBody(node.otherwise, frame);
  return (a) => {
    for (const { test, body } of arms) if (isTrue(test(a))) return body(a);
    return otherwise(a);
  };
}

function assignment(target: Target, value: Evaluate, frame: Frame): Execute {
  const assign = compileTarget(target, frame);
  const refs = namespaceRefs(target).map((name) => reader(frame.unit, frame.place(name, target.line)));
  return (a) => {
    // What is no namespace is refused before the value is made.
    for (const read of refs) namespaceOf(read(a));
    assign(a, value(a));
    return 'done';
  };
}

/** A body whose text is a value, through filters where there are some. */
function captured(body: readonly Statement[], filter: FilterNode | null, frame: Frame): Evaluate {
  const inner = frame.inner();
  inner.symbols.visit(body);
  if (filter) inner.symbols.visit([filter]);
  const run = compileBody(body, inner);
  const enter = inner.enter();
  const text: Evaluate = (a) =>
    a.runtime.capture(() => {
      enter(a);
      run(a);
    });
  return filter ? filterChain(filter, text, inner) : text;
}

/** The innermost filter of a chain has no value of its own: it gets the text. */
function filterChain(filter: FilterNode, text: Evaluate, frame: Frame): Evaluate {
  const inner = filter.node;
  const value = inner && inner.kind === 'filter' ? filterChain(inner, text, frame) : text;
  return filterCall(filter, value, frame);
}

function assignBlock(node: AssignBlockNode, frame: Frame): Execute {
  return assignment(node.target, captured(node.body, node.filter, frame), frame);
}

function filterBlock(node: FilterBlockNode, frame: Frame): Execute {
  const value = captured(node.body, node.filter, frame);
  return (a) => {
    const text = str(value(a));
    a.runtime.out.write(text);
    return 'done';
  };
}

function callBlock(node: CallBlockNode, frame: Frame): Execute {
  const call = compileCall(node.call, frame, compileMacro(node, frame, compileBody));
  return (a) => {
    const text = str(call(a));
    a.runtime.out.write(text);
    return 'done';
  };
}

function withBlock(node: WithNode, frame: Frame): Execute {
  const inner = frame.inner();
  inner.symbols.visit(node.targets, true);
  inner.symbols.visit(node.body);
  const values = node.values.map((value) => compileExpression(value, frame));
  const assigns = node.targets.map((target) => compileTarget(target, inner));
  const body = compileBody(node.body, inner);
  const enter = inner.enter();
  return (a) => {
    enter(a);
    assigns.forEach((assign, i) => {
      assign(a, values[i]!(a));
    });
    return body(a);
  };
}
