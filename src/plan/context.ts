/**
 * What all plans of a run share: its model and rows, this machine, and how much a way of holding activations and weights needs. Reads of the
 * model's file only its header. Knows no times.
 */

import type { Prepared } from '../dataset/prepared.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { copyOf, findCopy } from '../llama/parity.ts';
import { diskFreeBytes, memoryBytes } from '../machine/machine.ts';
import type { ActivationPolicy } from '../models/activation-policy.ts';
import { loraWeights, type ModelConfig, parameterCount, readModelConfig } from '../models/config.ts';
import { chooseKernels } from '../runtime/native/choose.ts';
import type { KernelProbe } from '../runtime/onnxruntime-node/probe.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { cacheFolder } from '../store/cache.ts';
import { knownDigest } from '../store/file-digest.ts';
import { isSmall } from './arithmetic.ts';
import { runBytes } from './disk-space.ts';
import { memoryOf, type Tokens } from './memory.ts';
import type { Room } from './recommend.ts';
import { projectionWeightsPerBlock, type Setting, type Shape, type Work } from './work-shape.ts';

/** Share of a Mac's memory that counts as free: the system gives back what it keeps for files, but does not say so. */
const macShare = 0.7;

/** What a plan is made of. */
export interface Planned {
  readonly model: GgufFile;
  readonly prepared: Pick<Prepared, 'prefix' | 'train' | 'validation'>;
  readonly threads: number;
  /** Bytes that the process, and the one that shows progress, hold before anything is loaded. */
  readonly held: number;
  /** What this processor's kernels do, probed once; null where nothing is computed on it, or nothing depends on it. */
  readonly probe: KernelProbe | null;
}

export interface Context extends Planned {
  readonly config: ModelConfig;
  readonly shape: Shape;
  readonly parameters: number;
  /** Whether `auto` leaves the model in float32 for its size. */
  readonly small: boolean;
  /** The base's copy for the proof, as far as that is known without reading the base: a run has read it before. */
  readonly copy: { readonly bytes: number; readonly exists: boolean };
}

export function contextOf(planned: Planned): Context {
  const { model } = planned;
  const config = readModelConfig(model);
  const qkNorms = model.tensors.has('blk.0.attn_q_norm.weight');
  return {
    ...planned,
    config,
    shape: { ...config, qkNorms },
    parameters: parameterCount(model),
    small: isSmall(config),
    copy: plannedCopy(model),
  };
}

function plannedCopy(model: GgufFile): Context['copy'] {
  const digest = knownDigest(model.path);
  const copy = copyOf(model, digest ?? '');
  if (copy === null) return { bytes: 0, exists: true };
  return { bytes: copy.bytes, exists: digest !== null && findCopy(cacheFolder(), copy) !== null };
}

/** Where a run keeps its activations and its frozen weights. */
export interface Holding {
  /** Whether backward finds its activations kept, kept as float16, or computes them again (gradient checkpointing). */
  readonly activations: ActivationPolicy;
  /** Whether the blocks' weights come from the disk (weight offloading). */
  readonly streamed: boolean;
}

/** From fastest to leanest. Full fine-tuning changes its weights, float32 ones are not streamed, and a device keeps what it computes. */
const holdings: readonly Holding[] = [
  { activations: 'keep', streamed: false },
  { activations: 'float16', streamed: false },
  { activations: 'recompute', streamed: false },
  { activations: 'recompute', streamed: true },
];

/** The holdings that a run can have, from fastest to leanest. */
export const holdingsOf = (precision: 'f32' | 'int8', { device, method }: RunSettings): Holding[] =>
  holdings.filter(
    ({ streamed, activations }) =>
      (precision === 'int8' || !streamed) && ((trainsAdapter(method) && device !== 'webgpu') || activations === 'keep'),
  );

/** Every weight is trained in full fine-tuning and in pretraining. */
export const trainedIn = ({ method }: RunSettings): 'lora' | 'full' => (trainsAdapter(method) ? 'lora' : 'full');

export function settingOf(
  { config, copy, model, parameters, shape }: Context,
  settings: RunSettings,
  precision: 'f32' | 'int8',
  holding: Holding = holdings[0]!,
): Setting {
  const adapter = trainsAdapter(settings.method);
  return {
    method: trainedIn(settings),
    keepEpochs: settings.keepEpochs,
    precision,
    ...holding,
    kernels:
      adapter && chooseKernels(settings, config, { ...holding, precision, trainable: 'adapter' }).kernels !== null,
    trained: adapter ? loraWeights(config, settings) : parameters,
    parameters,
    fileBytes: model.byteLength,
    measuredBlocks: Math.min(2, shape.layers),
    copyBytes: adapter ? copy.bytes : parameters * Float32Array.BYTES_PER_ELEMENT,
    copyIsThere: adapter && copy.exists,
  };
}

export const heldTokens = ({ largestMicroBatch, tokensPerStep, validationTokens }: Work): Tokens => ({
  microBatch: largestMicroBatch,
  step: tokensPerStep,
  validation: validationTokens,
});

/** Bytes that training needs in that arithmetic and holding, where nothing was measured. */
export function trainingMemory(
  context: Context,
  settings: RunSettings,
  { precision, ...holding }: Holding & { readonly precision: 'f32' | 'int8' },
  work: Work,
): number {
  const setting = settingOf(context, settings, precision, holding);
  return memoryOf({ shape: context.shape, setting, rates: null, tokens: heldTokens(work), held: context.held })
    .training;
}

/** Bytes on the disk of the run, and of the cache. */
export const diskNeeds = (
  { copyBytes, copyIsThere, keepEpochs, method, streamed, trained }: Setting,
  shape: Shape,
): { run: number; copy: number } => ({
  run: runBytes(trained, method, { keepEpochs }) + (streamed ? shape.layers * projectionWeightsPerBlock(shape) : 0),
  // What a trained model is compared with is in its run, and counted there.
  copy: copyIsThere || method === 'full' ? 0 : copyBytes,
});

/** Memory that the run may take. */
export const budgetOf = (context: Context, settings: RunSettings): number =>
  roomOf(context, settings).memoryBytes ?? Number.POSITIVE_INFINITY;

/** What there is for a run: the memory that it was given, as far as the machine has it, or what is free beyond what it holds already, and its disks. */
export function roomOf(context: Context, settings: RunSettings): Room {
  const { available, total } = memoryBytes();
  const unused = process.platform === 'darwin' ? total * macShare : available + context.held;
  // More than the machine has is not there, whoever says so.
  const memory = settings.memory === null ? unused : Math.min(settings.memory, total);
  const { copy, run } = diskNeeds(settingOf(context, settings, 'f32'), context.shape);
  const [runFree, cacheFree] = [diskFreeBytes(settings.run), diskFreeBytes(cacheFolder())];
  // Equal to the byte: one disk has to hold both.
  if (runFree === null || cacheFree === null || runFree === cacheFree) {
    return { memoryBytes: memory, diskBytes: runFree };
  }
  // A cache that cannot hold the copy does not: it is made beside the run then (proof-place.ts).
  return { memoryBytes: memory, diskBytes: cacheFree < copy ? runFree : Math.min(runFree + copy, cacheFree + run) };
}
