/**
 * Builds an adapter's pairs out of loose tensors, as PEFT's and GGUF's readers find them. Promises: every pair whole,
 * of one rank, with finite values; all else is refused by name. Knows nothing of files.
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

/** A pair with the rank that its own matrices have, and of which alpha nothing is known yet. */
export type RankedPair = Omit<LoraPair, 'alpha'>;

/** The pairs with the alpha that `alphaOf` gives each. */
export const withAlpha = (pairs: readonly RankedPair[], alphaOf: (pair: RankedPair) => number): LoraPair[] =>
  pairs.map((pair) => ({ ...pair, alpha: alphaOf(pair) }));

const remedy = 'Export the adapter again from where it was trained.';

function checkShape(part: string, tensor: LooseTensor): void {
  const dimensions = tensor.half === 'magnitude' ? 1 : 2;
  if (tensor.shape.length !== dimensions || tensor.shape.some((size) => size < 1)) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `${tensor.name} has shape [${tensor.shape.join(', ')}], not that of a ${dimensions === 1 ? 'vector' : 'matrix'}`,
      remedy,
    });
  }
}

function finite(part: string, tensor: LooseTensor): Float32Array {
  const values = tensor.float32();
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new NomoatError({
      code: 'unusable-adapter',
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
    checkShape(part, tensor);
    const layer = layers.get(tensor.layer) ?? new Map<Projection, Partial<Record<LoraHalf, LooseTensor>>>();
    layers.set(tensor.layer, layer);
    const halves = layer.get(tensor.projection) ?? {};
    layer.set(tensor.projection, halves);
    if (halves[tensor.half])
      throw new NomoatError({ code: 'unusable-adapter', part, fault: `${tensor.name} comes twice`, remedy });
    halves[tensor.half] = tensor;
  }
  return layers;
}

function toPair(
  part: string,
  layer: number,
  projection: Projection,
  { A, B, magnitude }: Partial<Record<LoraHalf, LooseTensor>>,
): RankedPair {
  if (!A || !B) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `layer ${layer} ${projection} has lora_${A ? 'A' : 'B'} but no lora_${A ? 'B' : 'A'}`,
      remedy,
    });
  }
  const rank = A.shape[0]!;
  if (B.shape[1] !== rank) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `layer ${layer} ${projection} has lora_A [${A.shape.join(', ')}] and lora_B [${B.shape.join(', ')}], which do not both have rank ${rank}`,
      remedy,
    });
  }
  if (magnitude && magnitude.shape[0] !== B.shape[0]) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `${magnitude.name} has ${magnitude.shape[0]} values, and the matrix has ${B.shape[0]} rows`,
      remedy,
    });
  }
  return {
    layer,
    projection,
    rank,
    a: finite(part, A),
    b: finite(part, B),
    inFeatures: A.shape[1]!,
    outFeatures: B.shape[0]!,
    ...(magnitude ? { magnitude: finite(part, magnitude) } : {}),
  };
}

/**
 * The pairs, ordered by layer and then as PEFT orders projections. `part` names the file in errors (NomoatError, kind
 * input).
 */
export function collectPairs(part: string, tensors: Iterable<LooseTensor>): RankedPair[] {
  const layers = group(part, tensors);
  if (layers.size === 0) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: 'holds no LoRA weights',
      remedy: 'Give an adapter for this model.',
    });
  }
  return [...layers.entries()]
    .sort(([left], [right]) => left - right)
    .flatMap(([layer, modules]) =>
      projections.flatMap((projection) => {
        const halves = modules.get(projection);
        return halves ? [toPair(part, layer, projection, halves)] : [];
      }),
    );
}
