/**
 * What a run trains and what comes of it: an adapter (LoRA), or every weight (full fine-tuning and pretraining).
 * The rest of the run is the same for both.
 */

import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { carryFrozen, type FrozenStack, writeAdapterBase } from '../adapter/adapter-base.ts';
import { renderCard } from '../adapter/card.ts';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import { writePeft, writePeftConfig } from '../adapter/peft.ts';
import { writeTrainedModel } from '../adapter/trained-model.ts';
import { withUpdates } from '../adapter/updated-model.ts';
import { initialAdapter } from '../dataset/prepare.ts';
import { replaceFolderAtomic, writeFileAtomic } from '../formats/atomic-write.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { type EvenAdapter, type LoraAdapter, summarizeAdapter } from '../lora/adapter.ts';
import { initLora } from '../lora/init.ts';
import type { ActivationPolicy } from '../models/activation-policy.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import { chatTemplateFile } from '../settings/chat-template.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { frozenStackName } from '../store/shared-folder.ts';
import { parseStack, type StackedAdapter } from '../store/stack.ts';
import type { SpecialTokens } from '../tokens/encode-text.ts';
import { type BaseWeights, fileWeights } from '../train/base-weights.ts';
import { createFullStep, createLoraStep } from '../train/open-step.ts';
import type { TrainStep } from '../train/step.ts';
import type { TrainerState } from '../train/trainer-state.ts';
import { openProofBase } from './proof-place.ts';
import { runCard } from './run-card.ts';
import { modelFileName, type RunFolder } from './run-folder.ts';

/** What llama.cpp opens. */
export interface Runnable {
  readonly modelPath: string;
  readonly adapters: readonly StackedAdapter[];
  /** As in training, where it is not the model's own and what llama.cpp opens does not carry it. */
  readonly chatTemplate?: string | null;
  readonly specialTokens?: SpecialTokens;
}

export interface Method {
  readonly step: TrainStep;
  /** A step over the same parameters with float32 weights, for the parity proof; the step itself where it has those. */
  exactStep(): Promise<TrainStep>;
  /** The folder of the result, and its kind. */
  readonly result: { readonly adapter: string | null; readonly model: string | null };
  readonly before: Runnable;
  readonly after: Runnable;
  /** Writes into a checkpoint's folder what its weights mean to others, so that it is an adapter by itself. */
  describe(folder: string): void;
  /** Writes what is trained so far to `path`, as llama.cpp opens it; null where that takes too long: every weight. */
  readonly onTheWay: ((path: string) => Runnable) | null;
  /** Writes the result, whole or not at all. */
  write(state: TrainerState, stepsPerEpoch: number): void;
  /** What the parity proof compares with the trainer. */
  proofs(): Proofs;
}

export interface Proofs {
  /** Most exact first. */
  readonly files: readonly Runnable[];
  /** What a person should know of where they are, or null. */
  readonly notice: string | null;
  /** Lets go of what the proof alone needed. */
  readonly release: () => void;
}

export interface MethodOptions {
  readonly settings: RunSettings;
  readonly folder: RunFolder;
  readonly model: GgufFile;
  /** What the adapter is trained on top of. */
  readonly frozen: LoraAdapter | null;
  readonly threads: number;
  /** Frozen weights other than float32 ones in memory. */
  readonly weights: BaseWeights | null;
  readonly activations: ActivationPolicy;
  /** What is asked for to compute an adapter's step. */
  readonly engine: RunSettings['engine'];
  /** Hears what does, and a sentence for people where our own kernels were wanted. */
  readonly onEngine: (engine: string, message: string | null) => void;
}

/** The adapter that a run goes on from, as llama.cpp opens it: whatever form it came in, and whatever becomes of its file. */
const startAdapterName = 'start-adapter.gguf';

/** Opens the step of the run's method. */
export function openMethod(options: MethodOptions): Promise<Method> {
  return trainsAdapter(options.settings.method) ? openLora(options) : openFull(options);
}

async function startingAdapter(settings: RunSettings, model: GgufFile): Promise<EvenAdapter> {
  if (settings.initialAdapter)
    return { ...(await initialAdapter(settings, settings.initialAdapter, model)), dropout: settings.dropout };
  const config = readModelConfig(model);
  return initLora({
    ...settings,
    baseModel: settings.model,
    layers: config.layers,
    dimensions: (projection) => projectionDimensions(config, projection),
  });
}

/** The frozen adapters as llama.cpp opens them, in the run's folder: whatever becomes of the files that they came in. */
function writeFrozen(folder: RunFolder, frozen: LoraAdapter, model: GgufFile, settings: RunSettings): FrozenStack {
  const path = folder.file(frozenStackName);
  writeGgufLora(path, frozen, model);
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  const adapters = parseStack(settings.frozenAdapter!).map((each) => ({
    name: basename(each.path),
    scale: each.scale,
  }));
  return { path, sha256, adapters };
}

async function openLora(options: MethodOptions): Promise<Method> {
  const { activations, engine, folder, frozen, model, onEngine, settings, threads, weights } = options;
  const adapter = await startingAdapter(settings, model);
  const base = frozen === null ? model : withUpdates(model, frozen);
  const { device, neftuneAlpha } = settings;
  const computed = { model: base, adapter, threads, ...(weights ? { weights } : {}) };
  const step = await createLoraStep({ ...computed, activations, device, neftuneAlpha, engine, onEngine });
  const adapterPath = join(folder.adapter, 'adapter.gguf');
  const before = settings.initialAdapter ? folder.file(startAdapterName) : null;
  // What cannot be written for llama.cpp would otherwise be known after the training only.
  if (before) writeGgufLora(before, adapter, model);
  const below = frozen === null ? null : writeFrozen(folder, frozen, model, settings);
  const beside = (path: string | null): StackedAdapter[] =>
    [below?.path ?? [], path ?? []].flat().map((each) => ({ path: each, scale: 1 }));
  const sha256 = folder.read().modelDigest;
  const askedWith = { modelPath: model.path, ...askedAs(settings) };
  const asked = (path: string | null): Runnable => ({ ...askedWith, adapters: beside(path) });
  const describe = (path: string): void => {
    writePeftConfig(path, adapter);
    writeAdapterBase(path, { file: basename(model.path), bytes: model.byteLength, sha256 });
    if (below) carryFrozen(path, below);
    if (settings.chatTemplate) writeFileAtomic(join(path, chatTemplateFile), settings.chatTemplate);
  };
  return {
    step,
    describe,
    onTheWay: (path) => {
      writeGgufLora(path, adapter, model);
      return asked(path);
    },
    exactStep: async () => {
      if (!weights) return step;
      await step.close();
      return createLoraStep({ model: base, adapter, threads, weights: fileWeights(base, readModelConfig(model)) });
    },
    result: { adapter: folder.adapter, model: null },
    before: asked(before),
    after: asked(adapterPath),
    write: (...trained) =>
      replaceFolderAtomic(folder.adapter, (temporary) => {
        writePeft(temporary, adapter);
        writeGgufLora(join(temporary, 'adapter.gguf'), adapter, model);
        writeFileAtomic(join(temporary, 'README.md'), cardOf(adapter, model, runCard(settings, ...trained)));
        describe(temporary);
      }),
    proofs: () => {
      const { notice, path, release } = openProofBase(model, sha256, folder);
      const files = [...new Set([path, model.path])].map((modelPath) => ({ modelPath, adapters: beside(adapterPath) }));
      return { files, notice, release };
    },
  };
}

const cardOf = (adapter: EvenAdapter, model: GgufFile, run: ReturnType<typeof runCard>): string =>
  renderCard({ ...run, adapter: summarizeAdapter(adapter), architecture: model.string('general.architecture')! });

/** As the trained model is to be asked. */
const askedAs = ({ chatTemplate, specialTokens }: RunSettings): Pick<Runnable, 'chatTemplate' | 'specialTokens'> => ({
  chatTemplate: chatTemplate ?? null,
  specialTokens: specialTokens === 'control' || specialTokens === undefined ? 'control' : 'text',
});

async function openFull({ settings, folder, model, threads }: MethodOptions): Promise<Method> {
  const { device, neftuneAlpha } = settings;
  const step = await createFullStep({ model, threads, device, neftuneAlpha });
  const modelPath = join(folder.model, modelFileName);
  const exact = folder.file('parity-f32.gguf');
  const save = (path: string, type: 'F32' | 'F16' | 'Q8_0'): void =>
    writeTrainedModel({ path, model, weights: step.weights, type, overwrite: true });
  return {
    step,
    describe: () => {},
    onTheWay: null,
    exactStep: async () => step,
    result: { adapter: null, model: modelPath },
    before: { modelPath: model.path, adapters: [], ...askedAs(settings) },
    after: { modelPath, adapters: [], ...askedAs(settings) },
    write: () =>
      replaceFolderAtomic(folder.model, (temporary) => {
        save(join(temporary, modelFileName), settings.outputType);
      }),
    proofs: () => {
      save(exact, 'F32');
      const files = [exact, modelPath].map((path) => ({ modelPath: path, adapters: [] }));
      return { files, notice: null, release: () => rmSync(exact, { force: true }) };
    },
  };
}
