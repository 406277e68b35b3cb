/** The trainer's step over an adapter that is looked at: its losses and gradients, in float32, without dropout. */
import { evenAdapter } from '../adapter/even-adapter.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { machineFacts, physicalCores } from '../machine/machine.ts';
import { parameterCount, readModelConfig } from '../models/config.ts';
import type { TrainStep } from '../train/step.ts';
import type { InspectTarget } from './inspect-target.ts';

/** Weights in float32 may take this share of free memory; else they are read anew for each row. */
const memoryShare = 0.5;

/** Close it. */
export async function openAdapterStep(
  adapter: LoraAdapter,
  { model, name }: Pick<InspectTarget, 'model' | 'name'>,
): Promise<TrainStep> {
  // With its engine, which a program that imports the library does not wait for.
  const { createLoraStep } = await import('../train/open-step.ts');
  const { fileWeights } = await import('../train/base-weights.ts');
  const config = readModelConfig(model);
  const even = { ...evenAdapter(adapter, { layers: config.layers, part: name }), dropout: 0 };
  const fits =
    Float32Array.BYTES_PER_ELEMENT * parameterCount(model) < memoryShare * machineFacts().memoryAvailableBytes;
  return createLoraStep({
    model,
    adapter: even,
    threads: physicalCores(),
    ...(fits ? {} : { weights: fileWeights(model, config) }),
  });
}
