/**
 * DoRA (https://arxiv.org/abs/2402.09353): W' has the rows of W + s B A, brought to lengths of their own. Promises: merged,
 * it is computed as PEFT does. W' - W has full rank in general, so that no plain LoRA is the same: what was not asked
 * for is refused.
 */
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { LoraPair } from '../lora/adapter.ts';
import type { RankedPair } from './collect-pairs.ts';
import { ggufWeightName } from './module-names.ts';
import { fromFileRows, reorderedHeadDim } from './rope-row-order.ts';

/** Whether an adapter has pairs of DoRA. */
export const isDora = ({ pairs }: { readonly pairs: readonly Pick<LoraPair, 'magnitude'>[] }): boolean =>
  pairs.some(({ magnitude }) => magnitude !== undefined);

/** Throws where vectors are missing, not announced, or not wanted. */
export function checkDora(
  part: string,
  pairs: readonly RankedPair[],
  { stated, wanted }: { readonly stated: boolean | null; readonly wanted: boolean },
): void {
  const refuse = (fault: string, remedy: string): never => {
    throw new NomoatError({ code: 'unusable-adapter', part, fault, remedy });
  };
  const without = pairs.find(({ magnitude }) => !magnitude);
  const dora = isDora({ pairs });
  if (dora && without)
    refuse(
      `has a lora_magnitude_vector for some modules, and none for layer ${without.layer} ${without.projection}`,
      'Save it again with PEFT.',
    );
  if (stated === true && !dora)
    refuse('is DoRA by its config, and has no lora_magnitude_vector', 'Save it again with PEFT.');
  if (stated === false && dora)
    refuse(
      'has lora_magnitude_vector, and is no DoRA by its config',
      'Put the config and the weights of the same adapter side by side.',
    );
  if (dora && !wanted)
    refuse(
      'is DoRA (use_dora), whose update has full rank: no plain LoRA is the same',
      'Convert it first: `convertAdapter()` merges it exactly, or makes the nearest plain LoRA of a `rank` that you give.',
    );
}

/** Brings rows [*, width] of W + s B A to the lengths of `magnitude`, in place. */
export function scaleToMagnitude(merged: Float32Array, width: number, magnitude: Float32Array): void {
  for (let row = 0; row * width < merged.length; row++) {
    const values = merged.subarray(row * width, (row + 1) * width);
    let squares = 0;
    for (const value of values) squares += value * value;
    const factor = squares === 0 ? 0 : magnitude[row]! / Math.sqrt(squares);
    for (let i = 0; i < width; i++) values[i]! *= factor;
  }
}

/** W [out, in] of the pair's module, rows in transformers' order. */
export function baseMatrix(
  { inFeatures, layer, projection }: Pick<LoraPair, 'inFeatures' | 'layer' | 'projection'>,
  model: GgufFile,
): Float32Array {
  const values = model.readFloat32(ggufWeightName(layer, projection));
  const headDim = reorderedHeadDim(model, projection);
  return headDim === null ? values : fromFileRows(values, inFeatures, headDim);
}
