/**
 * What open models hold of the memory that they may take together. Promises: a base counts once, with the adapters that were loaded on it,
 * however many contexts are on it; what is about to open counts as it is expected to, and as measured once it is open. Pure.
 */
import type { OpenChatModel } from '../llama/chat-engine.ts';

/** What one context takes, and the base that it is on. */
export interface Needs {
  /** The base's file. */
  readonly base: string;
  /** Bytes of its weights, and of adapters that are loaded with this context. */
  readonly baseBytes: number;
  readonly contextBytes: number;
}

/** What an open model takes, as llama.cpp counts it. */
export const measured = (base: string, { memory }: OpenChatModel): Needs => ({
  base,
  baseBytes: memory.base,
  contextBytes: memory.context,
});

/** Bytes of all of them together. */
export function bytesOf(all: Iterable<Needs>): number {
  const bases = new Map<string, number>();
  let contexts = 0;
  for (const { base, baseBytes, contextBytes } of all) {
    bases.set(base, Math.max(bases.get(base) ?? 0, baseBytes));
    contexts += contextBytes;
  }
  return contexts + [...bases.values()].reduce((sum, each) => sum + each, 0);
}
