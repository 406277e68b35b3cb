/**
 * Writes a GGUF model again with its matrices in another type, an adapter merged in where one is given: W + scale * B A,
 * or DoRA's rows.
 * Promises: all metadata is kept but the file type and the lineage; vectors (norms, biases, rope factors) keep their bytes; q and k rows stand as
 * the base file has them; memory stays at one encoded tensor and a chunk of rows.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { NomoatError } from '../errors.ts';
import { quantize } from '../formats/gguf/quantize.ts';
import type { GgmlType, GgufFile, GgufValue } from '../formats/gguf/types.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { type LoraAdapter, type LoraPair, loraScale } from '../lora/adapter.ts';
import { scaleToMagnitude } from './dora.ts';
import { checkAdapterFits, ggufRowsOfB } from './gguf-lora.ts';
import { lineageKey } from './lineage.ts';
import { matrixType, type RewriteType } from './matrix-types.ts';
import { ggufWeightName } from './module-names.ts';

/** llama.cpp's numbers of general.file_type, and of the block formats' version. */
const fileTypes: Readonly<Record<RewriteType, number>> = { F32: 0, F16: 1, Q8_0: 7, Q4_0: 2, Q4_K_M: 15 };
const quantizationVersion = 2;

/** Weights that are dequantized, merged and encoded at once: 16 MiB of float32. */
const chunkWeights = 1 << 22;
/** The largest finite float16. */
const maxFloat16 = 65504;

export interface Merge {
  readonly pair: LoraPair;
  /** [out, rank], rows in the file's order, and so are DoRA's lengths [out]. */
  readonly b: Float32Array;
  readonly magnitude: Float32Array | null;
  readonly scale: number;
}

/** Adds scale * B A to rows [firstRow, firstRow + rows) of W, in place. */
export function addLowRank(weights: Float32Array, firstRow: number, rows: number, { pair, b, scale }: Merge): void {
  const { inFeatures: width, rank } = pair;
  for (let row = 0; row < rows; row++) {
    const out = weights.subarray(row * width, (row + 1) * width);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[(firstRow + row) * rank + r]!;
      if (factor === 0) continue;
      const a = pair.a.subarray(r * width, (r + 1) * width);
      for (let i = 0; i < width; i++) out[i]! += factor * a[i]!;
    }
  }
}

function checkRange(part: string, name: string, values: Float32Array): void {
  for (const value of values) {
    if (Math.abs(value) <= maxFloat16) continue;
    throw new NomoatError({
      code: 'unusable-export',
      part,
      fault: `${name} holds ${value}, which float16 cannot`,
      remedy: "Export the adapter on its own (`to: 'gguf'`).",
    });
  }
}

/** The whole tensor in `type`, merged where `merge` says so. */
function encode(model: GgufFile, name: string, type: GgmlType, merge: Merge | null): Uint8Array {
  const { shape, type: stored } = model.tensors.get(name)!;
  if (stored === type && !merge) return model.readBytes(name);
  const width = shape.at(-1)!;
  const allRows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const step = Math.max(1, Math.floor(chunkWeights / width));
  let encoded: Uint8Array | null = null;
  for (let row = 0; row < allRows; row += step) {
    const rows = Math.min(step, allRows - row);
    const values = model.readFloat32(name, { firstRow: row, rows });
    if (merge) addLowRank(values, row, rows, merge);
    if (merge?.magnitude) scaleToMagnitude(values, width, merge.magnitude.subarray(row, row + rows));
    // Q8_0 holds its scales as float16.
    if (type !== 'F32') checkRange(model.path, name, values);
    const bytes = quantize(type, values);
    encoded ??= new Uint8Array((bytes.length / rows) * allRows);
    encoded.set(bytes, (bytes.length / rows) * row);
  }
  return encoded ?? new Uint8Array(0);
}

/** Metadata of `model` in another type; the lineage is that of what is written, not the one of `model`. */
export function rewrittenMetadata(model: GgufFile, type: RewriteType, lineage?: string): Map<string, GgufValue> {
  const metadata = new Map(model.metadata);
  metadata.delete(lineageKey);
  if (lineage !== undefined) metadata.set(lineageKey, { type: 'string', value: lineage });
  metadata.set('general.file_type', { type: 'uint32', value: fileTypes[type] });
  if (type.startsWith('Q'))
    metadata.set('general.quantization_version', { type: 'uint32', value: quantizationVersion });
  return metadata;
}

interface Rewriting {
  /** Of the matrices. */
  readonly type: RewriteType;
  /** Merged in. */
  readonly adapter?: LoraAdapter;
  /** Who begot the model, as `lineageText` writes it; default: it says nothing of that. */
  readonly lineage?: string | undefined;
  /** Whether a file that is there may be replaced. */
  readonly overwrite?: boolean;
}

/** Writes `model` to `path` as `rewriting` says. Throws NomoatError where the path exists, or the adapter does not fit the model. */
export function rewriteModel(path: string, model: GgufFile, rewriting: Rewriting): void {
  const { adapter, lineage, overwrite = false, type } = rewriting;
  if (!overwrite && existsSync(path)) {
    throw new NomoatError({
      code: 'path-exists',
      part: path,
      fault: 'exists already',
      remedy: 'Give another path, or remove it first.',
    });
  }
  if (adapter) checkAdapterFits(path, adapter, model);
  const merges = new Map<string, LoraPair>(
    adapter?.pairs.map((pair) => [ggufWeightName(pair.layer, pair.projection), pair]),
  );
  const mergeOf = (name: string): Merge | null => {
    const pair = merges.get(name);
    if (!adapter || !pair) return null;
    const magnitude = pair.magnitude ? ggufRowsOfB({ ...pair, b: pair.magnitude, rank: 1 }, model) : null;
    return { pair, b: ggufRowsOfB(pair, model), magnitude, scale: loraScale({ ...pair, rslora: adapter.rslora }) };
  };
  const tensors = [...model.tensors.values()].map(({ name, shape }) => {
    const to = matrixType(name, type, model);
    return { name, shape, type: to, bytes: () => encode(model, name, to, mergeOf(name)) };
  });
  mkdirSync(dirname(path), { recursive: true });
  writeGguf(path, { metadata: rewrittenMetadata(model, type, lineage), tensors }, { overwrite });
}
