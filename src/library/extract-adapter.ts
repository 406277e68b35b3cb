/** An adapter of a fully tuned model. Promises: what an adapter cannot hold (embeddings, norms, biases) is named where it was changed. */
import { basename } from 'node:path';
import { baseMatrix } from '../adapter/dora.ts';
import { exportAdapter } from '../adapter/export.ts';
import { type Begotten, foundling, lineageMachine } from '../adapter/lineage.ts';
import { type Energy, lostText, nearestToUpdate, sumOfSquares } from '../adapter/low-rank.ts';
import { ggufWeightName } from '../adapter/module-names.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { type LoraModule, type LoraPair, projections } from '../lora/adapter.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import { type ExportFormat, extractSettings } from '../settings/adapter-settings.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { heedSignal } from '../stop.ts';
import { digestOf } from '../store/file-digest.ts';
import { resolveModel } from '../store/local-models.ts';
import type { ModuleProgress } from './convert-adapter.ts';
import type { Exported } from './export-run.ts';

/** What is taken of a tuned model, and where it goes. */
export interface ExtractAdapterOptions {
  /** A new folder for peft, mlx and ollama, a new .gguf file for gguf and merged-gguf. */
  readonly out: string;
  /** What the adapter is written as (default: peft). */
  readonly to?: ExportFormat;
  /** Of each module (default: 16). */
  readonly rank?: number;
  /** Ends it; nothing is written then. */
  readonly signal?: AbortSignal;
  /** Told how far it is. */
  readonly onProgress?: (progress: ModuleProgress) => void;
}

/** Refuses models whose tensors do not have the same names and shapes. */
function assertAlike(tuned: GgufFile, base: GgufFile): void {
  const other = [...base.tensors.values()].find(
    ({ name, shape }) => tuned.tensors.get(name)?.shape.join() !== shape.join(),
  );
  if (!other && tuned.tensors.size === base.tensors.size) return;
  const name = other?.name ?? [...tuned.tensors.keys()].find((key) => !base.tensors.has(key))!;
  const [theirs, ours] = [tuned, base].map((model) => model.tensors.get(name)?.shape.join(' x ') ?? 'not there');
  throw new NomoatError({
    code: 'unusable-model',
    part: tuned.path,
    fault: `is no tuned form of ${base.path}: ${name} is ${theirs}, and ${ours} in the base`,
    remedy: 'Give the model that it was tuned from.',
  });
}

/** Tensors outside the adapted ones that differ between the two. */
function otherChanges(tuned: GgufFile, base: GgufFile, modules: readonly LoraModule[]): string[] {
  const adapted = new Set(modules.map(({ layer, projection }) => ggufWeightName(layer, projection)));
  return [...base.tensors.values()]
    .filter(({ name }) => !adapted.has(name))
    .filter(({ name, type }) => {
      if (tuned.tensors.get(name)!.type === type)
        return Buffer.compare(tuned.readBytes(name), base.readBytes(name)) !== 0;
      const values = base.readFloat32(name);
      return tuned.readFloat32(name).some((value, i) => value !== values[i]);
    })
    .map(({ name }) => name);
}

/** Names that are listed; beyond, a count says enough. */
const namedTensors = 5;

async function extracted(
  tuned: GgufFile,
  base: GgufFile,
  rank: number,
  { onProgress, signal }: ExtractAdapterOptions,
): Promise<{ pairs: LoraPair[]; energy: Energy; notes: string[] }> {
  const config = readModelConfig(base);
  const modules = Array.from({ length: config.layers }, (_, layer) =>
    projections.map((projection) => ({ layer, projection })),
  ).flat();
  const pairs: LoraPair[] = [];
  const energy = { total: 0, discarded: 0 };
  for (const [i, module] of modules.entries()) {
    await heedSignal('the extraction', signal);
    const shaped = { ...module, ...projectionDimensions(config, module.projection) };
    const update = baseMatrix(shaped, tuned);
    const before = baseMatrix(shaped, base);
    for (let at = 0; at < update.length; at++) update[at]! -= before[at]!;
    if (sumOfSquares(update) > 0) {
      const found = await nearestToUpdate(shaped, update, rank);
      pairs.push(found.pair);
      energy.total += found.energy.total;
      energy.discarded += found.energy.discarded;
    }
    onProgress?.({ done: i + 1, total: modules.length });
  }
  const others = otherChanges(tuned, base, modules);
  const more = others.length > namedTensors ? ` and ${others.length - namedTensors} more` : '';
  const notes =
    others.length > 0
      ? [
          `Tuning changed what no adapter holds: ${others.slice(0, namedTensors).join(', ')}${more}. The adapter leaves it as in the base.`,
        ]
      : [];
  return { pairs, energy, notes };
}

/** Writes the adapter that comes nearest to what tuning made of `base` in `tuned`. Rejects with NomoatError. */
export async function extractAdapter(tuned: string, base: string, options: ExtractAdapterOptions): Promise<Exported> {
  const { onProgress: _, signal: __, ...given } = options;
  const { out, rank, to } = parseSettings(extractSettings, { given }, { command: 'extract' });
  const [tunedPath, basePath] = [(await resolveModel(tuned)).path, (await resolveModel(base)).path];
  const [model, baseModel] = [openGguf(tunedPath), openGguf(basePath)];
  try {
    assertAlike(model, baseModel);
    const { energy, notes, pairs } = await extracted(model, baseModel, rank, options);
    if (pairs.length === 0) {
      throw new NomoatError({
        code: 'unusable-model',
        part: tunedPath,
        fault: `has the matrices of ${basePath}: tuning changed none`,
        remedy: 'Give the tuned model first and its base second.',
      });
    }
    const adapter = { rslora: false, dropout: 0, baseModel: baseModel.string('general.name') ?? '', pairs };
    const described = { file: basename(basePath), bytes: baseModel.byteLength, sha256: await digestOf(basePath) };
    const tunedDigest = await digestOf(tunedPath);
    const source = foundling(basename(tunedPath), [{ file: basename(tunedPath), sha256: tunedDigest }], tunedDigest);
    const begotten: Begotten = {
      how: 'extract',
      settings: { rank },
      parents: [{ entries: [source] }],
      machine: lineageMachine(),
      created: new Date().toISOString(),
    };
    const files = await exportAdapter({ format: to, adapter, model: baseModel, out, base: described, begotten });
    return { files, notes: [...notes, `Rank ${rank} leaves out ${lostText(energy)}.`] };
  } finally {
    model.close();
    baseModel.close();
  }
}
