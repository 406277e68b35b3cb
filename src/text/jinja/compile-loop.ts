/** For loops: over lists, lazily over generators and filtered loops, and recursive ones. */
import { undeclared } from './children.ts';
import { compileExpression } from './compile-expression.ts';
import { type Assign, compileTarget } from './compile-target.ts';
import type { CompileBody, Frame } from './frame.ts';
import { SyntaxFault } from './lexer.ts';
import { LazyLoop, ListLoop, type Recurse, ViewLoop } from './loop-context.ts';
import type { ForNode, Target } from './nodes.ts';
import { Activation, type Evaluate, type Execute } from './runtime.ts';
import { isTrue, iterate, toArray } from './types.ts';
import { admit, Lazy, type Value } from './values.ts';
import { type View, viewOf } from './watched-list.ts';

/** One loop over what is iterable, in the activation of its body; `depth` counts the recursion. */
type Run = (activation: Activation, iterable: Value, depth: number, recurse: Recurse | null) => void;

export function compileFor(node: ForNode, frame: Frame, compileBody: CompileBody): Execute {
  assertLoopNotSet(node.target);
  const iterable = compileExpression(node.iterable, frame);
  if (!node.recursive) {
    const run = compileRun(node, frame, compileBody);
    return (a) => {
      run(a, iterable(a), 0, null);
      return 'done';
    };
  }
  const called = frame.called();
  const run = compileRun(node, called, compileBody);
  return (a) => {
    const recurse: Recurse = (inner, depth) =>
      a.runtime.call(() => run(new Activation(a.runtime, called.unit.size, a), inner, depth, recurse));
    a.runtime.out.write(recurse(iterable(a), 0) as string);
    return 'done';
  };
}

function assertLoopNotSet(target: Target): void {
  if (target.kind === 'name' && target.name === 'loop')
    throw new SyntaxFault("Can't assign to special loop variable in for-loop target", target.line);
  if (target.kind === 'tuple') for (const item of target.items) assertLoopNotSet(item as Target);
}

/** `home` is the frame in whose unit the body runs. */
function compileRun(node: ForNode, home: Frame, compileBody: CompileBody): Run {
  const bodyFrame = home.loop();
  const usesLoop = node.recursive || undeclared(node.body, ['loop']).size > 0;
  const loopSlot = usesLoop ? bodyFrame.symbols.declareParameter('loop').slot : null;
  bodyFrame.symbols.visitLoop(node, 'body');
  const filtered = node.test ? compileTest(node, home) : null;
  const assign = compileTarget(node.target, bodyFrame);
  const otherwise = compileOtherwise(node, home, compileBody);
  const body = compileBody(node.body, bodyFrame);
  const enter = bodyFrame.enter();
  const round = (a: Activation, value: Value): 'done' | 'break' | 'continue' => {
    a.runtime.step();
    assign(a, value);
    enter(a);
    return body(a);
  };
  return (a, iterable, depth, recurse) => {
    const lazy = filtered || iterable instanceof Lazy;
    const view = Array.isArray(iterable) && !lazy ? viewOf(iterable) : undefined;
    if (view) return overView(a, view, { depth, recurse, loopSlot, round, isTop: home.isTop, otherwise });
    const done = lazy
      ? overLazy(a, filtered ? filtered(a, iterable) : iterate(iterable), { depth, recurse, loopSlot, round })
      : overList(a, Array.isArray(iterable) ? iterable : toArray(iterable), { depth, recurse, loopSlot, round });
    if (!done) otherwise(a);
  };
}

interface Rounds {
  readonly depth: number;
  readonly recurse: Recurse | null;
  readonly loopSlot: number | null;
  readonly round: (activation: Activation, value: Value) => 'done' | 'break' | 'continue';
}

/** Whether some round came to its end: as in jinja2, one left by break or continue does not keep the else part away. */
function overList(a: Activation, items: readonly Value[], { depth, recurse, loopSlot, round }: Rounds): boolean {
  const loop = loopSlot === null ? null : new ListLoop(items, depth, recurse);
  let done = false;
  for (let i = 0; i < items.length; i++) {
    if (loop) {
      loop.index0 = i;
      a.locals[loopSlot!] = loop;
    }
    const signal = round(a, admit(items[i]));
    if (signal === 'break') break;
    if (signal === 'done') done = true;
  }
  return done;
}

interface ViewRounds extends Rounds {
  readonly isTop: boolean;
  readonly otherwise: (activation: Activation) => void;
}

/** Over a list whose beginnings are rendered, too, where the loop stands at the top of the template. */
function overView(a: Activation, view: View, { depth, isTop, loopSlot, otherwise, recurse, round }: ViewRounds): void {
  const loop = new ViewLoop(view, depth, recurse);
  let done = false;
  const finish = (): void => {
    if (!done) otherwise(a);
  };
  for (let i = 0; i < view.size; i++) {
    if (isTop) a.runtime.prefixes?.before(view.place(i), a, finish);
    loop.index0 = i;
    if (loopSlot !== null) a.locals[loopSlot] = loop;
    const signal = round(a, admit(view.at(i)));
    if (signal === 'break') {
      finish();
      return;
    }
    if (signal === 'done') done = true;
  }
  view.reaches(view.size);
  finish();
}

function overLazy(a: Activation, iterator: Iterator<Value>, { depth, recurse, loopSlot, round }: Rounds): boolean {
  const loop = new LazyLoop(iterator, depth, recurse);
  let done = false;
  for (let value = loop.next(); value !== undefined; value = loop.next()) {
    if (loopSlot !== null) a.locals[loopSlot] = loop;
    const signal = round(a, value);
    if (signal === 'break') break;
    if (signal === 'done') done = true;
  }
  return done;
}

/** The elements that pass the loop's test; it has names of its own, since it runs ahead of the body. */
function compileTest(node: ForNode, home: Frame): (activation: Activation, iterable: Value) => Iterator<Value> {
  const frame = home.called();
  frame.symbols.visitLoop(node, 'test');
  const assign: Assign = compileTarget(node.target, frame);
  const test: Evaluate = compileExpression(node.test!, frame);
  const enter = frame.enter();
  return function* passing(a, iterable) {
    const local = new Activation(a.runtime, frame.unit.size, a);
    enter(local);
    const iterator = iterate(iterable);
    for (let step = iterator.next(); !step.done; step = iterator.next()) {
      a.runtime.step();
      const value = admit(step.value);
      assign(local, value);
      if (isTrue(test(local))) yield value;
    }
  };
}

function compileOtherwise(node: ForNode, home: Frame, compileBody: CompileBody): (activation: Activation) => void {
  if (node.otherwise.length === 0) return () => {};
  const frame = home.inner();
  frame.symbols.visitLoop(node, 'otherwise');
  const body = compileBody(node.otherwise, frame);
  const enter = frame.enter();
  return (a) => {
    enter(a);
    body(a);
  };
}
