/**
 * Opens the train step of a model. What is trained is a parameter: an adapter (LoRA), or every weight. Knows the model's file; the step
 * itself (model-step.ts) does not.
 */
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { Device } from '../graph/onnx/emit.ts';
import type { EvenAdapter } from '../lora/adapter.ts';
import type { ActivationPolicy } from '../models/activation-policy.ts';
import type { BlockOptions } from '../models/block-options.ts';
import { type ModelConfig, projectionDimensions, readModelConfig } from '../models/config.ts';
import { type ModelWeights, readWeights } from '../models/weights.ts';
import { type Choice, chooseKernels } from '../runtime/native/choose.ts';
import { DeviceMemory } from '../runtime/onnxruntime-node/device-memory.ts';
import { type BaseWeights, fileWeights, float32Weights } from './base-weights.ts';
import { Buffers } from './buffers.ts';
import { DevicePass, toDevice } from './device-pass.ts';
import { HalfStore } from './half-store.ts';
import { ModelStep } from './model-step.ts';
import { adapterInputs, adapterSlots, inTensorMemory, weightInputs, weightSlots } from './slots.ts';
import { SmallModel } from './small-model.ts';
import { openStages } from './stages.ts';
import type { TrainStep } from './step.ts';

export interface StepOptions {
  readonly model: GgufFile;
  /** Threads of the engine; physical cores is best. Results are repeatable for equal numbers. */
  readonly threads: number;
  /** Noise on the embedded tokens in training (NEFTune's alpha); default: 0, none. */
  readonly neftuneAlpha?: number | undefined;
  /** Where the graphs run; default: cpu. WebGPU takes float32 weights only. */
  readonly device?: Device;
  /** Whether a small model may be taken in one call (train/small-model.ts); default: yes. No where a part stands for a larger model. */
  readonly oneCall?: boolean;
}
export interface LoraStepOptions extends StepOptions {
  readonly adapter: EvenAdapter;
  /** The frozen weights, the step's from now on: native kernels arrange int8 ones anew where they lie. Default: all in memory, float32. */
  readonly weights?: BaseWeights;
  /** Default: keep. */
  readonly activations?: ActivationPolicy;
  /** Our own kernels for what they compute, where they can be had: native in either precision, auto in int8 alone; default: onnxruntime. */
  readonly engine?: 'auto' | 'onnxruntime' | 'native';
  /** Hears what computes the step: onnxruntime or, as `native SET`, our own kernels for that instruction set; and a sentence for people where kernels were wanted. */
  readonly onEngine?: (engine: string, message: string | null) => void;
}

/** A step that trains every weight, and the weights themselves, which it changes in place. */
export interface FullStep extends TrainStep {
  readonly weights: ModelWeights;
}

function checkAdapter(adapter: EvenAdapter, config: ModelConfig): void {
  for (const pair of adapter.pairs) {
    const { inFeatures, outFeatures } = projectionDimensions(config, pair.projection);
    if (pair.layer >= config.layers || pair.inFeatures !== inFeatures || pair.outFeatures !== outFeatures) {
      throw new NomoatError({
        code: 'unusable-adapter',
        part: 'adapter',
        fault: `layer ${pair.layer} ${pair.projection} is ${pair.outFeatures} x ${pair.inFeatures}; the model has ${config.layers} layers of ${outFeatures} x ${inFeatures}`,
        remedy: 'Use an adapter that was trained on this base model.',
      });
    }
  }
  const expected = config.layers * adapter.targetModules.length;
  if (adapter.pairs.length !== expected) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part: 'adapter',
      fault: `holds ${adapter.pairs.length} pairs; ${adapter.targetModules.length} modules of ${config.layers} layers are ${expected}`,
      remedy: 'Use an adapter that adapts the same modules in every layer.',
    });
  }
}

/** Tells what computes the step, and where kernels were wanted, in a sentence what they do of it or why there are none. */
function sayEngine({ onEngine }: LoraStepOptions, choice: Choice, fallbacks: readonly string[]): void {
  const rest = fallbacks.length > 0 ? `, onnxruntime ${fallbacks.join(' and ')}` : '';
  if (choice.kernels) onEngine?.(`native ${choice.instructionSet}`, `native kernels compute the step${rest}`);
  else {
    const why = choice.reason && `onnxruntime computes the step, not the native kernels: ${choice.reason}`;
    onEngine?.('onnxruntime', why);
  }
}

/** Opens the engine and reads the weights; the adapter is trained. Throws NomoatError when adapter and model do not fit. */
export async function createLoraStep(options: LoraStepOptions): Promise<TrainStep> {
  const { activations = 'keep', adapter, device, engine = 'onnxruntime', model, neftuneAlpha, ...rest } = options;
  const { oneCall = true, threads, weights } = rest;
  const config = readModelConfig(model);
  checkAdapter(adapter, config);
  const memory = device === 'webgpu' ? await DeviceMemory.open() : null;
  const base = memory
    ? await toDevice(weights ?? fileWeights(model, config), config.layers, memory)
    : (weights ?? float32Weights(config, readWeights(model, config)));
  const { biases, qkNorms, precision } = base;
  const { rank, targetModules } = adapter;
  const trained = { trainable: 'adapter', targets: targetModules, rank, dropout: adapter.dropout > 0 } as const;
  const block = { ...trained, biases, qkNorms, precision };
  const choice = chooseKernels({ engine, device }, config, { ...block, streamed: base.streamed });
  const { kernels } = choice;
  const stages = await openStages(config, block, { threads, device, kernels });
  if (stages.arrange) await base.arrange?.(stages.arrange);
  sayEngine(options, choice, stages.fallbacks);
  const slots = adapterSlots(adapter);
  const trainedInputs = Array.from({ length: config.layers }, (_, layer) => {
    const own = slots.filter((s) => s.layer === layer);
    return adapterInputs(adapter, own);
  });
  const onDevice = memory && (await DevicePass.open(memory));
  const fits =
    oneCall && !kernels && !onDevice && activations === 'keep' && !base.streamed && SmallModel.suits(config, block);
  const small = fits ? new SmallModel(config, block, threads, base) : null;
  const held = activations === 'float16' ? await HalfStore.open(threads) : activations;
  const { dropout } = adapter;
  return new ModelStep({
    config,
    base,
    stages,
    trainedInputs,
    dropout,
    neftuneAlpha,
    activations: held,
    slots,
    device: onDevice,
    small,
  });
}

/** Opens the engine and reads the weights, all of which are trained, in float32. */
export async function createFullStep(options: StepOptions): Promise<FullStep> {
  const { device, model, neftuneAlpha, oneCall = true, threads } = options;
  const config = readModelConfig(model);
  const weights = inTensorMemory(readWeights(model, config));
  const base = float32Weights(config, weights);
  const { biases, qkNorms } = base;
  const block: BlockOptions = {
    trainable: 'all',
    // A device keeps no sums.
    accumulates: device !== 'webgpu',
    targets: [],
    rank: 0,
    dropout: false,
    precision: 'f32',
    biases,
    qkNorms,
  };
  const stages = await openStages(config, block, { threads, device });
  const slots = weightSlots(config, weights);
  const scratch = new Buffers();
  const trainedInputs = weights.layers.map((_, layer) =>
    weightInputs(
      slots.filter((s) => s.layer === layer),
      device !== 'webgpu' ? null : (name, length) => scratch.take(name, length),
    ),
  );
  const onDevice = device === 'webgpu' ? await DevicePass.open(await DeviceMemory.open()) : null;
  const fits = oneCall && !onDevice && SmallModel.suits(config, block);
  const small = fits ? new SmallModel(config, block, threads, base) : null;
  const parts = {
    config,
    base,
    stages,
    trainedInputs,
    dropout: 0,
    neftuneAlpha,
    activations: 'keep',
    slots,
    device: onDevice,
    small,
  } as const;
  return Object.assign(new ModelStep(parts), { weights });
}
