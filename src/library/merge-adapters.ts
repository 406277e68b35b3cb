/** Several adapters on one base as one. Promises: each fits the base, or nothing is written; nothing that exists is overwritten. */
import { dirname } from 'node:path';
import type { z } from 'zod';
import { type FrozenStack, readAdapterBase, readFrozen } from '../adapter/adapter-base.ts';
import { exportAdapter, frozenNotes } from '../adapter/export.ts';
import { type Begotten, lineageMachine, type Parent } from '../adapter/lineage.ts';
import { parentAt } from '../adapter/lineage-files.ts';
import { lostText } from '../adapter/low-rank.ts';
import { readAdapter } from '../adapter/read-adapter.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { merged } from '../merge/merge.ts';
import { fittedToInputs } from '../merge/regmean.ts';
import type { TriedWeights } from '../merge/search-weights.ts';
import { baseWarning } from '../run/base-model.ts';
import { type ExportFormat, mergeSettings } from '../settings/adapter-settings.ts';
import { templateBeside } from '../settings/chat-template.ts';
import { averages, draws, type MergeMethod, prunes, readsInputs } from '../settings/merge-methods.ts';
import { type Given, parseSettings, settingsFault } from '../settings/parse-settings.ts';
import { heedSignal } from '../stop.ts';
import { resolveModel } from '../store/local-models.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import { callWith } from '../words/program-words.ts';
import type { ModuleProgress } from './convert-adapter.ts';
import type { Exported } from './export-run.ts';
import { lastCheckpoints } from './last-checkpoints.ts';
import { countFaults, methodFaults } from './merge-faults.ts';
import { adapterInputs, inputRows } from './merge-inputs.ts';
import { type Interference, interferences } from './merge-interference.ts';
import { lossesOn, type MeasuredModel, type MergeLosses, type NamedTest, readTests } from './merge-losses.ts';
import { type SearchMergeOptions, searchMerge, withMerge } from './search-merge.ts';

/** How adapters are merged, and what is written. */
export interface MergeAdaptersOptions {
  /** The model that the adapters are for: a name that `listModels()` lists, or a GGUF file, of any type. */
  readonly base: string;
  /** A new folder for peft, mlx and ollama, a new .gguf file for gguf and merged-gguf. */
  readonly out: string;
  /** What the result is written as (default: peft). */
  readonly to?: ExportFormat;
  /** How (default: svd; cat of checkpoints). */
  readonly method?: MergeMethod;
  /** One for each adapter (default: shares of 1; for methods that take the mean of those that agree, 1 each). */
  readonly weights?: readonly number[];
  /** Of each run its last checkpoints, this many, instead of its result (default: the result). Their average: of products, not of factors. */
  readonly lastCheckpoints?: number;
  /** Share of an update's elements that methods which prune keep, above 0 and up to 1 (default: 0.5). */
  readonly density?: number;
  /** At most this rank for each module (default: all of it for cat and linear, else the highest of the adapters). */
  readonly rank?: number;
  /** Of what dare and della draw, and of a search (default: 0). */
  readonly seed?: number;
  /** Test data with answers, such as each adapter's own: the losses of result, adapters and base on each (default: none). */
  readonly data?: string | readonly string[];
  /**
   * Data with answers, such as each adapter's own, on which weights are looked for without gradients (default: none). Losses on `data`, which
   * should be other examples, are compared with those of the usual weights.
   */
  readonly search?: string | readonly string[];
  /**
   * For regmean, data of each adapter, in their order: files or folders such as each was trained on; some thousand tokens of each are looked at (default: what each
   * run learnt).
   */
  readonly inputs?: string | readonly string[];
  /** Weights that a search tries, the usual ones and 1 each among them (default: 20). */
  readonly searchTries?: number;
  /** Ends it; nothing is written then, but for the result where it was being measured. */
  readonly signal?: AbortSignal;
  /** Told how far it is. */
  readonly onProgress?: (progress: ModuleProgress) => void;
}

/** What was merged and written. */
export interface MergedAdapters extends Exported {
  /** Share of the merged update's squared Frobenius norm that the rank leaves out, 0 to 1. */
  readonly discarded: number;
  /** Modules that the result adapts. */
  readonly modules: number;
  /** The highest rank of a module. */
  readonly rank: number;
  /** As they were used. */
  readonly weights: readonly number[];
  /** Of each two adapters. */
  readonly interference: readonly Interference[];
  /** What a search tried, the best first; null where none was asked for. */
  readonly searched: readonly TriedWeights[] | null;
  /** On each of `data`: the result, named `merged`, with each adapter and the base. */
  readonly losses: readonly MergeLosses[];
}

function weightsOf(given: readonly number[], method: MergeMethod, count: number): readonly number[] {
  if (given.length > 0) return given;
  return Array.from({ length: count }, () => (averages(method) ? 1 : 1 / count));
}

async function readAll(
  paths: readonly string[],
  model: GgufFile,
  basePath: string,
): Promise<{ adapters: LoraAdapter[]; notes: string[] }> {
  const notes: string[] = [];
  const adapters = paths.map((path) => readAdapter(path, model, { note: (text) => notes.push(text) }));
  for (const path of paths) {
    const warning = await baseWarning(path, basePath);
    if (warning !== null) notes.push(warning);
  }
  return { adapters, notes };
}

/** What a search came to, in a sentence. */
function searchNote(searched: readonly TriedWeights[], usual: readonly number[], data: readonly string[]): string {
  const plain = searched.find(({ weights }) => String(weights) === String(usual))!;
  return `${searched.length} weights were tried on ${data.join(', ')}: loss ${searched[0]!.loss.toFixed(4)} with the best, ${plain.loss.toFixed(4)} with the usual ones, nats per token.`;
}

/** The chat template that the adapters were trained with; none where they differ, and that is said. */
function commonTemplate(paths: readonly string[], notes: string[]): string | null {
  const templates = [...new Set(paths.map(templateBeside))];
  if (templates.length === 1) return templates[0]!;
  notes.push("The adapters were trained with different chat templates: the result has the model's own.");
  return null;
}

/** What the result's lineage says: its settings, as far as the method heeds them. */
function begottenBy(
  parents: readonly Parent[],
  weights: readonly number[],
  { density, method, rank, seed }: { method: MergeMethod; density: number; rank: number | null; seed: number },
): Begotten {
  const settings = {
    method,
    weights,
    ...(prunes(method) ? { density } : {}),
    ...(draws(method) ? { seed } : {}),
    ...(rank === null ? {} : { rank }),
  };
  const weighted = parents.map((parent, i) => ({ ...parent, weight: weights[i]! }));
  return { how: 'merge', settings, parents: weighted, machine: lineageMachine(), created: new Date().toISOString() };
}

/** What all of them stand on; null for the base alone. Throws NomoatError where that is not the same. */
function commonFrozen(paths: readonly string[]): FrozenStack | null {
  const below = paths.map(readFrozen);
  if (new Set(below.map((frozen) => frozen?.sha256 ?? null)).size === 1) return below[0]!;
  throw new NomoatError({
    code: 'unusable-adapter',
    part: paths.join(', '),
    fault: 'were trained on top of different adapters, and their updates mean nothing together',
    remedy: 'Merge those that stand on the same, or ask them as a stack.',
  });
}

/** How the result is opened. */
function resultOf(to: ExportFormat, files: readonly string[], basePath: string): MeasuredModel {
  const whole = files.find((file) => file.endsWith('.gguf'));
  if (to === 'merged-gguf' || to === 'ollama') return { name: 'merged', model: whole!, adapter: null };
  return { name: 'merged', model: basePath, adapter: whole ?? dirname(files[0]!) };
}

/** A merge whose base is open and whose adapters are read. */
interface Merging {
  readonly paths: readonly string[];
  readonly settings: z.infer<typeof mergeSettings>;
  readonly adapters: readonly LoraAdapter[];
  readonly model: GgufFile;
  readonly tests: readonly NamedTest[];
  readonly searchOn: readonly NamedTest[];
  /** For methods that look at inputs, of each adapter; else none. */
  readonly batches: readonly PackedBatch[];
  readonly frozen: FrozenStack | null;
  readonly notes: string[];
  readonly onProgress: MergeAdaptersOptions['onProgress'];
  readonly signal: AbortSignal | undefined;
}

/** What is merged, how, and on what its weights are looked for. */
function lookingOf({ adapters, frozen, model, onProgress, paths, searchOn, settings, signal }: Merging) {
  const { density, method, rank, seed, searchTries: tries } = settings;
  const weights = weightsOf(settings.weights, method, paths.length);
  const onTry = (done: number, total: number): void => onProgress?.({ done, total, of: 'tries' });
  const tests = searchOn.map(({ test }) => test);
  return {
    ...{ adapters, below: frozen?.path ?? null, model, method, weights, density, rank, seed, signal },
    ...{ tests, tries, onTry },
  };
}

/** The result beside its parents and the base; beside a merge with the usual weights too, where others were looked for. */
async function measuredLosses(
  { paths, signal, tests, model }: Merging,
  result: MeasuredModel,
  looking: SearchMergeOptions | null,
): Promise<MergeLosses[]> {
  const others = [
    ...paths.map((path) => ({ name: path, model: model.path, adapter: path })),
    { name: 'base', model: model.path, adapter: null },
  ];
  if (looking === null || tests.length === 0) return await lossesOn(tests, [result, ...others], signal);
  return await withMerge(looking, (adapter) => {
    const usual = { name: 'with the usual weights', model: model.path, adapter };
    return lossesOn(tests, [result, usual, ...others], signal);
  });
}

/** The adapters as the method sums them: fitted to what they read, for methods that look at that. */
async function fitted({ adapters, batches, frozen, model, notes, onProgress, signal }: Merging) {
  if (batches.length === 0) return adapters;
  const tokens = batches.map((batch) => batch.tokens.length);
  notes.push(`Each adapter was fitted to data of its own: ${tokens.join(', ')} tokens.`);
  const onBlock = (done: number, total: number): void => onProgress?.({ done, total, of: 'blocks' });
  const below = frozen && readAdapter(frozen.path, model);
  return await fittedToInputs(adapters, adapterInputs({ adapters, batches, frozen: below, model, onBlock }), signal);
}

async function mergeNow(given: Merging): Promise<MergedAdapters> {
  const { frozen, model, notes, onProgress, paths, searchOn, settings, signal } = given;
  const { density, method, out, rank, seed, to } = settings;
  const chatTemplate = commonTemplate(paths, notes);
  // Before the merge, which may take long: a lineage that cannot be read ends it.
  const parents = paths.map((path) => parentAt(path, { note: (text) => notes.push(text) }));
  const adapters = await fitted(given);
  const merging = { ...given, adapters };
  const looking = lookingOf(merging);
  const searched = searchOn.length === 0 ? null : await searchMerge(looking);
  const weights = searched?.[0]?.weights ?? looking.weights;
  if (searched) notes.push(searchNote(searched, looking.weights, settings.search));
  const onModule = (done: number, total: number): void => onProgress?.({ done, total });
  const { adapter, energy } = await merged(adapters, { method, weights, density, rank, seed, signal, onModule });
  const begotten = begottenBy(parents, weights, { method, density, rank, seed });
  notes.push(...frozenNotes({ format: to, frozen }));
  const files = await exportAdapter({
    ...{ format: to, adapter, out, chatTemplate, begotten, frozen },
    model: withChatTemplate(model, chatTemplate),
    base: readAdapterBase(paths[0]!),
  });
  const highest = Math.max(...adapter.pairs.map((pair) => pair.rank));
  if (energy.discarded > 0) notes.push(`With rank ${highest} the result leaves out ${lostText(energy)}.`);
  return {
    files,
    notes,
    losses: await measuredLosses(merging, resultOf(to, files, model.path), searched && looking),
    discarded: energy.total === 0 ? 0 : energy.discarded / energy.total,
    modules: adapter.pairs.length,
    rank: highest,
    weights,
    searched,
    interference: interferences(paths, given.adapters),
  };
}

/** Checkpoints of one run are near each other, and a rank that is cut would cost what averaging wins: all of their sum is kept. */
const withMethod = (given: Given): Given =>
  (given['lastCheckpoints'] ?? null) === null ? given : { method: 'cat', ...given };

/** Merges the adapters at `given` and writes the result. Rejects with NomoatError, of kind `interrupted` where `signal` is aborted. */
export async function mergeAdapters(given: readonly string[], options: MergeAdaptersOptions): Promise<MergedAdapters> {
  const { onProgress, signal, ...wanted } = options;
  const settings = parseSettings(
    mergeSettings,
    { given: withMethod(wanted) },
    { command: 'merge', together: methodFaults },
  );
  const { lastCheckpoints: count } = settings;
  const paths = count === null ? given : lastCheckpoints(given, count);
  const faults = countFaults(paths, settings);
  if (faults.length > 0)
    throw settingsFault(faults, `${callWith('settingsSchema', 'merge')} lists every option with its default.`);
  const { path: basePath } = await resolveModel(settings.base);
  const model = openGguf(basePath);
  try {
    // What cannot be read is known before anything is computed.
    const [tests, searchOn] = [await readTests(settings.data, basePath), await readTests(settings.search, basePath)];
    const { adapters, notes } = await readAll(paths, model, basePath);
    const frozen = commonFrozen(paths);
    await heedSignal('the merge', signal);
    const { inputs, method, seed } = settings;
    const batches = readsInputs(method) ? await inputRows(paths, { data: inputs, model, seed, signal }) : [];
    const read = { adapters, batches, model, tests, searchOn, frozen, notes };
    return await mergeNow({ paths, settings, ...read, onProgress, signal });
  } finally {
    model.close();
  }
}
