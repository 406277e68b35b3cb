/**
 * A stack that a request names by the names of models: `a@0.7+b`, or `BASE+a@0.7`. Promises: each part is a name of the list, never a path;
 * scales and their number are bounded as those of `lora` are.
 */

import { NomoatError } from '../errors.ts';
import { parseModelStack, stackText } from '../store/stack.ts';
import { wrongParameter } from './api-error.ts';
import { mostAdapters, mostScale } from './parameters.ts';
import type { ServedModel } from './served-model.ts';

function assertBounds(name: string, scales: readonly number[]): void {
  const fault =
    scales.length > mostAdapters + 1
      ? `a stack of ${scales.length}, and ${mostAdapters + 1} are the most`
      : scales.some((scale) => scale < 0 || scale > mostScale)
        ? `scales are 0 to ${mostScale}`
        : null;
  if (fault !== null) throw wrongParameter('model', 'invalid_value', `Invalid value for 'model': '${name}': ${fault}.`);
}

function partsOf(name: string, find: (name: string) => ServedModel | null) {
  try {
    return parseModelStack(name, (part) => find(part) !== null);
  } catch (error) {
    // A part whose number is none is a name that nobody has.
    if (error instanceof NomoatError) return null;
    throw error;
  }
}

/** The stack as one model; null where `name` is none, or one of its parts is not there. Throws ApiError where it is out of bounds. */
export function namedStack(name: string, find: (name: string) => ServedModel | null): ServedModel | null {
  const named = partsOf(name, find);
  if (named === null) return null;
  const all = [named.first, ...named.adapters].map(({ path, scale }) => ({ served: find(path), scale }));
  const stack = all.flatMap(({ scale, served }) => (served === null ? [] : [{ path: served.path, scale, served }]));
  if (stack.length < all.length) return null;
  assertBounds(
    name,
    stack.map(({ scale }) => scale),
  );
  const [first, ...others] = stack.map(({ served }) => served) as [ServedModel, ...ServedModel[]];
  const base = others.find((each) => each.parent === null && each.base === null);
  if (base) throw wrongParameter('model', 'invalid_value', `Invalid value for 'model': '${base.id}' is no adapter.`);
  const created = Math.max(first.created, ...others.map((each) => each.created));
  return { ...first, id: name, aliases: [], path: stackText(stack), created, parent: first.parent ?? first.id };
}
