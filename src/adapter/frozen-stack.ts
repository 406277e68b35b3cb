/**
 * Adapters that others were trained on top of. Promises: whoever is asked with an adapter is asked with what is below it as well, once, and as
 * strongly as it was trained; a file that is not what it was is refused.
 */
import { existsSync } from 'node:fs';
import { NomoatError } from '../errors.ts';
import { digestOf } from '../store/file-digest.ts';
import type { StackedAdapter } from '../store/stack.ts';
import { type FrozenStack, readFrozen } from './adapter-base.ts';

/** An adapter that is loaded; `frozen` where it is there because of one that was trained on top of it. */
export interface LoadedAdapter extends StackedAdapter {
  readonly frozen?: true;
}

async function assertSame(path: string, { path: file, sha256 }: FrozenStack): Promise<void> {
  const fault = !existsSync(file)
    ? 'is not there'
    : (await digestOf(file)) === sha256
      ? null
      : 'is another file than the one that it was trained on top of';
  if (fault === null) return;
  throw new NomoatError({
    code: 'unusable-adapter',
    part: path,
    fault: `was trained on top of adapters, and their file ${file} ${fault}`,
    remedy: 'Put it back from a copy: the adapter is nothing without it.',
  });
}

/** The stack with what its adapters stand on, before them. Rejects with NomoatError where that is not what it was. */
export async function withFrozen(stack: readonly StackedAdapter[]): Promise<LoadedAdapter[]> {
  const below = new Map<string, LoadedAdapter>();
  for (const { path } of stack) {
    const frozen = existsSync(path) ? readFrozen(path) : null;
    if (!frozen || below.has(frozen.sha256)) continue;
    await assertSame(path, frozen);
    below.set(frozen.sha256, { path: frozen.path, scale: 1, frozen: true });
  }
  return [...below.values(), ...stack];
}
