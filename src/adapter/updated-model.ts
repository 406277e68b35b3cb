/**
 * A model file as it is with an adapter added to its weights, without writing it: what reads weights gets W + s B A in float32. Promises:
 * only matrices that the adapter adapts differ, and say that they are F32; metadata, path and size are the file's own.
 */
import type { GgufFile, GgufTensorInfo } from '../formats/gguf/types.ts';
import { type LoraAdapter, type LoraPair, loraScale } from '../lora/adapter.ts';
import { checkAdapterFits, ggufRowsOfB } from './gguf-lora.ts';
import { ggufWeightName } from './module-names.ts';
import { addLowRank, type Merge } from './rewrite-model.ts';

/** The model with the adapter in its weights; it closes the file that it reads. Throws NomoatError where the adapter does not fit. */
export function withUpdates(model: GgufFile, adapter: LoraAdapter): GgufFile {
  checkAdapterFits('the frozen adapters', adapter, model);
  const pairs = new Map<string, LoraPair>(
    adapter.pairs.map((pair) => [ggufWeightName(pair.layer, pair.projection), pair]),
  );
  const updateOf = (pair: LoraPair): Merge => ({
    pair,
    b: ggufRowsOfB(pair, model),
    magnitude: null,
    scale: loraScale({ ...pair, rslora: adapter.rslora }),
  });
  const tensors = new Map<string, GgufTensorInfo>(
    [...model.tensors].map(([name, tensor]) => [name, pairs.has(name) ? { ...tensor, type: 'F32' } : tensor]),
  );
  const readFloat32: GgufFile['readFloat32'] = (name, options = {}) => {
    const values = model.readFloat32(name, options);
    const pair = pairs.get(name);
    if (pair) addLowRank(values, options.firstRow ?? 0, values.length / pair.inFeatures, updateOf(pair));
    return values;
  };
  const readBytes: GgufFile['readBytes'] = (name) => {
    if (!pairs.has(name)) return model.readBytes(name);
    const { buffer, byteLength, byteOffset } = readFloat32(name);
    return new Uint8Array(buffer, byteOffset, byteLength);
  };
  const changed = { tensors: { value: tensors }, readFloat32: { value: readFloat32 }, readBytes: { value: readBytes } };
  return Object.create(model, changed) as GgufFile;
}
