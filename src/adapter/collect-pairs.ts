/**
 * Builds an adapter's pairs out of loose tensors, as PEFT's and GGUF's readers find them.
 * Promises: every pair whole, one rank throughout, the same projections in every layer from 0, finite values; all else is
 * refused by name. Knows nothing of files.
 */
import { NomoatError } from '../errors.ts';
import { type LoraPair, type Projection, projections } from '../lora/adapter.ts';
import type { LoraHalf, LoraTensorName } from './module-names.ts';

export interface LooseTensor extends LoraTensorName {
  /** The name in its file, for messages. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Called once, after all shapes were found consistent. */
  float32(): Float32Array;
}

export interface CollectedPairs {
  readonly rank: number;
  readonly targetModules: readonly Projection[];
  readonly pairs: readonly LoraPair[];
}

const remedy = 'Export the adapter again from where it was trained.';

function checkMatrix(part: string, tensor: LooseTensor): void {
  if (tensor.shape.length !== 2 || tensor.shape.some((size) => size < 1)) {
    throw new NomoatError({
      part,
      fault: `${tensor.name} has shape [${tensor.shape.join(', ')}], not that of a matrix`,
      remedy,
    });
  }
}

function finite(part: string, tensor: LooseTensor): Float32Array {
  const values = tensor.float32();
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new NomoatError({
      part,
      fault: `${tensor.name} holds ${values[bad]} at element ${bad}`,
      remedy: 'The training that made it went wrong: use an earlier checkpoint.',
    });
  }
  return values;
}

/** Groups tensors into [layer][projection] -> halves; refuses a half that comes twice. */
function group(
  part: string,
  tensors: Iterable<LooseTensor>,
): Map<number, Map<Projection, Partial<Record<LoraHalf, LooseTensor>>>> {
  const layers = new Map<number, Map<Projection, Partial<Record<LoraHalf, LooseTensor>>>>();
  for (const tensor of tensors) {
    checkMatrix(part, tensor);
    const layer = layers.get(tensor.layer) ?? new Map<Projection, Partial<Record<LoraHalf, LooseTensor>>>();
    layers.set(tensor.layer, layer);
    const halves = layer.get(tensor.projection) ?? {};
    layer.set(tensor.projection, halves);
    if (halves[tensor.half]) throw new NomoatError({ part, fault: `${tensor.name} comes twice`, remedy });
    halves[tensor.half] = tensor;
  }
  return layers;
}

function toPair(
  part: string,
  layer: number,
  projection: Projection,
  halves: Partial<Record<LoraHalf, LooseTensor>>,
  rank: number,
): LoraPair {
  const { A, B } = halves;
  if (!A || !B) {
    throw new NomoatError({
      part,
      fault: `layer ${layer} ${projection} has lora_${A ? 'A' : 'B'} but no lora_${A ? 'B' : 'A'}`,
      remedy,
    });
  }
  if (A.shape[0] !== rank || B.shape[1] !== rank) {
    throw new NomoatError({
      part,
      fault: `layer ${layer} ${projection} has lora_A [${A.shape.join(', ')}] and lora_B [${B.shape.join(', ')}], which do not both have rank ${rank}`,
      remedy: 'Adapters with one rank for all modules are supported; train or convert it without a rank pattern.',
    });
  }
  return {
    layer,
    projection,
    a: finite(part, A),
    b: finite(part, B),
    inFeatures: A.shape[1]!,
    outFeatures: B.shape[0]!,
  };
}

/**
 * The pairs, ordered by layer and then as PEFT orders projections. `part` names the file in errors (NomoatError, kind input).
 */
export function collectPairs(part: string, tensors: Iterable<LooseTensor>): CollectedPairs {
  const layers = group(part, tensors);
  const first = layers.get(0);
  if (!first) {
    const fault = layers.size === 0 ? 'holds no LoRA weights' : 'holds no LoRA weights for layer 0';
    throw new NomoatError({ part, fault, remedy: 'Give an adapter that covers every layer of the model.' });
  }
  const targetModules = projections.filter((projection) => first.has(projection));
  const rank = [...first.values()][0]!.A?.shape[0] ?? [...first.values()][0]!.B!.shape[1]!;
  const pairs: LoraPair[] = [];
  for (let index = 0; index < layers.size; index++) {
    const layer = layers.get(index);
    const missing = layer
      ? (targetModules.find((projection) => !layer.has(projection)) ??
        [...layer.keys()].find((projection) => !first.has(projection)))
      : 'any module';
    if (!layer || missing) {
      throw new NomoatError({
        part,
        fault: `layers do not all adapt the same modules: layer ${index} differs from layer 0 in ${missing}`,
        remedy: 'Give an adapter that covers the same modules in every layer.',
      });
    }
    for (const projection of targetModules) pairs.push(toPair(part, index, projection, layer.get(projection)!, rank));
  }
  return { rank, targetModules, pairs };
}
