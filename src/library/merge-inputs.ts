/**
 * What the projections of each adapter that is merged read, while it computes rows of its own data: what methods that look at inputs are given.
 * Promises: the adapters go through the model together, one layer of it in memory; only reads.
 */
import { evenAdapter } from '../adapter/even-adapter.ts';
import { shuffled } from '../batches/order.ts';
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { physicalCores } from '../machine/machine.ts';
import { merged } from '../merge/merge.ts';
import type { AdapterInputs } from '../merge/regmean.ts';
import { readModelConfig } from '../models/config.ts';
import { templateBeside } from '../settings/chat-template.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import type { EvaluationPass } from '../train/evaluation-pass.ts';
import { adapterRows } from './adapter-rows.ts';
import { findTarget } from './inspect-target.ts';

/** Tokens of each adapter's data that are looked at: what solving takes grows with the cube of their number, up to a matrix's inputs. */
export const inputTokens = 2048;

/** Some of the rows, whole, until there are enough tokens; of a single longer row its beginning. */
function chosenRows(rows: readonly TokenRow[], seed: number): PackedBatch {
  const chosen: TokenRow[] = [];
  let tokens = 0;
  for (const i of shuffled(rows.length, seed)) {
    const row = rows[i]!;
    if (chosen.length > 0 && tokens + row.tokens.length > inputTokens) continue;
    const end = Math.min(row.tokens.length, inputTokens);
    chosen.push({
      tokens: row.tokens.subarray(0, end),
      supervised: row.supervised.subarray(0, end),
      source: row.source,
    });
    tokens += end;
  }
  return packRows(chosen, { packing: true, microBatchSize: null, maxTokens: tokens, padToken: 0 })[0]!;
}

/** For each adapter rows of its own data: the files at its place, or else what its run learnt. Rejects with NomoatError. */
export async function inputRows(
  paths: readonly string[],
  { data, model, seed, signal }: InputRowsOptions,
): Promise<PackedBatch[]> {
  const batches: PackedBatch[] = [];
  for (const [k, path] of paths.entries()) {
    const { record } = await findTarget(path, model.path);
    const own = data[k] ?? null;
    if (own === null && record === null)
      throw new NomoatError({
        code: 'invalid-settings',
        part: '`inputs`',
        fault: `was not given, and ${path} is no run, whose own data is known`,
        remedy: 'Give data for each adapter, in their order: some of what it was trained on, or the like.',
      });
    // An adapter that is no run's may have the template that it was trained with beside it.
    const asked = record === null ? withChatTemplate(model, templateBeside(path)) : model;
    const rows = await adapterRows({ model: asked, record, signal }, own);
    if (rows.length === 0)
      throw new NomoatError({
        code: 'unusable-data',
        part: own ?? path,
        fault: 'has no row that can be looked at',
        remedy: 'Give other data as `inputs`.',
      });
    batches.push(chosenRows(rows, seed));
  }
  return batches;
}

/** Where the rows come from. */
export interface InputRowsOptions {
  /** One for each adapter, or none. */
  readonly data: readonly string[];
  readonly model: GgufFile;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

/** Adapters with the rows that each computes. */
export interface InputsOf {
  readonly adapters: readonly LoraAdapter[];
  /** What they stand on; null for the base alone. */
  readonly frozen: LoraAdapter | null;
  readonly batches: readonly PackedBatch[];
  readonly model: GgufFile;
  /** Told how many of the model's blocks are done. */
  readonly onBlock: (done: number, all: number) => void;
}

/** The adapter with what it stands on, as their exact sum. */
const withBelow = async (adapter: LoraAdapter, frozen: LoraAdapter | null): Promise<LoraAdapter> =>
  frozen === null
    ? adapter
    : (await merged([frozen, adapter], { method: 'cat', weights: [1, 1], density: 1, rank: null, seed: 0 })).adapter;

/** Block by block what each adapter's projections read. */
export async function* adapterInputs({ adapters, batches, frozen, model, onBlock }: InputsOf): AdapterInputs {
  const { EvaluationPass: Pass } = await import('../train/evaluation-pass.ts');
  const { fileWeights } = await import('../train/base-weights.ts');
  const config = readModelConfig(model);
  const { layers } = config;
  const base = fileWeights(model, config);
  const passes: EvaluationPass[] = [];
  try {
    for (const adapter of adapters) {
      const even = evenAdapter(await withBelow(adapter, frozen), { part: 'an adapter', layers });
      passes.push(await Pass.open({ config, base, adapter: even, threads: physicalCores() }));
    }
    const inputs = passes.map((pass, k) => pass.inputs(batches[k]!));
    for (let layer = 0; layer < layers; layer++) {
      const blocks = [];
      for (const each of inputs) blocks.push((await each.next()).value!);
      yield blocks;
      onBlock(layer + 1, layers);
    }
  } finally {
    for (const pass of passes) await pass.close();
    base.close();
  }
}
