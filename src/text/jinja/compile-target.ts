/** What is assigned to: names, attributes of namespaces, and several of them at once. */
import { PythonError, valueError } from './errors.ts';
import type { Frame } from './frame.ts';
import { reader } from './frame.ts';
import { assertNamespaceName } from './globals.ts';
import type { Target } from './nodes.ts';
import type { Activation } from './runtime.ts';
import { toArray } from './types.ts';
import { Namespace, type Value } from './values.ts';

export type Assign = (activation: Activation, value: Value) => void;

/** Gives a value to a name, to an attribute of a namespace, or its elements to several of them. */
export function compileTarget(target: Target, frame: Frame): Assign {
  if (target.kind === 'name') {
    const { slot } = frame.place(target.name, target.line);
    return (a, value) => {
      a.locals[slot] = value;
    };
  }
  if (target.kind === 'namespace-ref') {
    const read = reader(frame.unit, frame.place(target.name, target.line));
    const { attribute } = target;
    return (a, value) => {
      assertNamespaceName(attribute);
      const namespace = namespaceOf(read(a));
      a.runtime.prefixes?.beforeChange(namespace, value);
      namespace.values.set(attribute, value);
    };
  }
  const targets = target.items.map((item) => compileTarget(item as Target, frame));
  return (a, value) => {
    const items = toArray(value);
    if (items.length > targets.length) throw valueError(`too many values to unpack (expected ${targets.length})`);
    if (items.length < targets.length)
      throw valueError(`not enough values to unpack (expected ${targets.length}, got ${items.length})`);
    targets.forEach((assign, i) => {
      assign(a, items[i]);
    });
  };
}

export function namespaceOf(value: Value): Namespace {
  if (value instanceof Namespace) return value;
  throw new PythonError('TemplateRuntimeError', 'cannot assign attribute on non-namespace object');
}

/** The namespaces that a target names. */
export function namespaceRefs(target: Target): string[] {
  if (target.kind === 'namespace-ref') return [target.name];
  return target.kind === 'tuple' ? target.items.flatMap((item) => namespaceRefs(item as Target)) : [];
}
