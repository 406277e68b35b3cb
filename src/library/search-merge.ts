/** The weights of a merge, found on data: each try is merged and scored as it would be used. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import type { TestSet } from '../evaluate/test-set.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { type MergeOptions, merged } from '../merge/merge.ts';
import { searchWeights, type TriedWeights } from '../merge/search-weights.ts';
import { mergeLosses } from './merge-losses.ts';

export interface SearchMergeOptions extends Omit<MergeOptions, 'onModule'> {
  readonly adapters: readonly LoraAdapter[];
  /** What the adapters stand on, as llama.cpp loads it; null for the base alone. */
  readonly below: string | null;
  readonly model: GgufFile;
  /** Each counts the same, however many examples it has. */
  readonly tests: readonly TestSet[];
  readonly tries: number;
  readonly onTry: (done: number, all: number) => void;
}

/** Merges with these weights into a file of its own, calls with it, and removes it. */
export async function withMerge<T>(options: SearchMergeOptions, call: (adapter: string) => Promise<T>): Promise<T> {
  const { adapters, below, model, signal } = options;
  const { adapter } = await merged(adapters, { ...options, signal, onModule: undefined });
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-search-'));
  try {
    const path = join(folder, 'adapter.gguf');
    writeGgufLora(path, adapter, model);
    return await call(below === null ? path : `${below}+${path}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The mean over the data of the loss of the expected answers, nats per token. */
function lossOf(options: SearchMergeOptions): Promise<number> {
  const { model, signal, tests } = options;
  return withMerge(options, async (adapter) => {
    let sum = 0;
    for (const test of tests) {
      const { models } = await mergeLosses(test, [{ name: 'merged', model: model.path, adapter }], signal);
      sum += models[0]!.loss;
    }
    return sum / tests.length;
  });
}

/** What was tried, the best first: the usual weights, the adapters as they were trained, and from the better of them on. Rejects with NomoatError. */
export function searchMerge(options: SearchMergeOptions): Promise<TriedWeights[]> {
  const { adapters, onTry, seed, tries, weights } = options;
  const start = [weights, adapters.map(() => 1)].filter(
    (each, i, all) => all.findIndex((other) => String(other) === String(each)) === i,
  );
  return searchWeights({ start, tries, seed, onTry, loss: (tried) => lossOf({ ...options, weights: tried }) });
}
