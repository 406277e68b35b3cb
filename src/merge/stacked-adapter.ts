/**
 * A stack as one adapter that is trained: the sum of its updates, each by its scale. Promises: exact, with ranks that add up, unless a
 * lower rank is asked for, and then it is said what that leaves out.
 */
import { readFrozen } from '../adapter/adapter-base.ts';
import { evenAdapter } from '../adapter/even-adapter.ts';
import { withFrozen } from '../adapter/frozen-stack.ts';
import { lostText } from '../adapter/low-rank.ts';
import type { PeftContext } from '../adapter/peft.ts';
import { readAdapter, readEvenAdapter } from '../adapter/read-adapter.ts';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { EvenAdapter, LoraAdapter } from '../lora/adapter.ts';
import { readModelConfig } from '../models/config.ts';
import { parseStack, type StackedAdapter, stackPaths } from '../store/stack.ts';
import { merged } from './merge.ts';

/** The sum of the stack's updates, factors side by side; reduced to `rank` where they have more. Rejects with NomoatError. */
async function summed(
  stack: readonly StackedAdapter[],
  model: GgufFile,
  rank: number | null,
  context: PeftContext,
): Promise<LoraAdapter> {
  const adapters = stack.map(({ path }) => readAdapter(path, model, context));
  const weights = stack.map(({ scale }) => scale);
  const exact = { method: 'cat', weights, density: 1, rank: null, seed: 0 } as const;
  const { adapter } = await merged(adapters, exact);
  const highest = Math.max(...adapter.pairs.map((pair) => pair.rank));
  if (rank === null || rank >= highest) {
    context.note?.(`The stack is merged exactly, with rank ${highest}.`);
    return { ...adapter, dropout: adapters[0]!.dropout };
  }
  const reduced = await merged(adapters, { ...exact, rank });
  context.note?.(`The stack has rank ${highest}; with rank ${rank} it leaves out ${lostText(reduced.energy)}.`);
  return { ...reduced.adapter, dropout: adapters[0]!.dropout };
}

/** The adapter, or the stack, that `text` names as it is trained: at most of `rank`, where that is given. Rejects with NomoatError. */
export async function readStackedAdapter(
  text: string,
  model: GgufFile,
  { rank, ...context }: PeftContext & { readonly rank: number | null },
): Promise<EvenAdapter> {
  const stack = parseStack(text);
  const [first, ...others] = stack as [StackedAdapter, ...StackedAdapter[]];
  if (others.length === 0 && first.scale === 1) return readEvenAdapter(first.path, model, context);
  const adapter = await summed(stack, model, rank, context);
  return evenAdapter(adapter, { part: text, layers: readModelConfig(model).layers, note: context.note });
}

/** The adapters that a new one is trained on top of, with what they stand on themselves, as their exact sum. Rejects with NomoatError. */
export async function readFrozenStack(text: string, model: GgufFile, context: PeftContext = {}): Promise<LoraAdapter> {
  const stack = await withFrozen(parseStack(text));
  const [first, ...others] = stack as [StackedAdapter, ...StackedAdapter[]];
  return others.length === 0 && first.scale === 1
    ? readAdapter(first.path, model, context)
    : summed(stack, model, null, context);
}

/**
 * What a run stands on: what it is told to, or what the adapter that it goes on from was trained on top of. Throws NomoatError where those are
 * not the same.
 */
export function frozenBelow(initial: string | null, given: string | null): string | null {
  const below = [...new Set(stackPaths(initial).map((path) => readFrozen(path)?.path ?? null))];
  if (below.length === 0 || (below.length === 1 && (below[0] === null || given === null || given === below[0])))
    return given ?? below[0] ?? null;
  throw new NomoatError({
    code: 'invalid-settings',
    part: '`initialAdapter`',
    fault: `${initial} was trained on top of ${below.map((path) => path ?? 'the base alone').join(' and of ')}${given === null ? '' : `, and \`frozenAdapter\` is ${given}`}`,
    remedy:
      'Go on from adapters that stand on the same, and leave `frozenAdapter` out; or give all of them as `frozenAdapter`.',
  });
}
