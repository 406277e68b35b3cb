/**
 * A model whose weights were trained, as a GGUF file: the base's metadata (tokenizer, template, shapes) with the new weights.
 * Promises: q and k rows stand in the base file's order, so that llama.cpp computes what the trainer did. Whole or not at all.
 */
import { NomoatError } from '../errors.ts';
import { quantize } from '../formats/gguf/quantize.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import type { Projection } from '../lora/adapter.ts';
import { ggufNames } from '../models/config.ts';
import type { ModelWeights } from '../models/weights.ts';
import { matrixType, type RewriteType } from './matrix-types.ts';
import { rewrittenMetadata } from './rewrite-model.ts';
import { reorderedHeadDim, toFileRows } from './rope-row-order.ts';

/** GGUF's name of a tensor after `blk.N.`, from the block graphs' input name. */
function fileName(input: string): string {
  const [projection, part] = input.split('.');
  return part ? `${ggufNames[projection as Projection]}.${part}` : `${input}.weight`;
}

/** The trained values by the file's tensor names, rows in the file's order. */
function fileValues(model: GgufFile, weights: ModelWeights): Map<string, () => Float32Array> {
  const values = new Map<string, () => Float32Array>([
    ['token_embd.weight', () => weights.embedding],
    ['output_norm.weight', () => weights.outputNorm],
    ['output.weight', () => weights.output],
  ]);
  weights.layers.forEach((layer, i) => {
    for (const [input, trained] of layer) {
      const name = `blk.${i}.${fileName(input)}`;
      const shape = model.tensors.get(name)?.shape;
      const headDim = /^[qk]_proj/.test(input) ? reorderedHeadDim(model, input.split('.')[0] as Projection) : null;
      const width = shape && shape.length > 1 ? shape.at(-1)! : 1;
      values.set(name, () => (headDim === null ? trained : toFileRows(trained, width, headDim)));
    }
  });
  return values;
}

export interface TrainedModelOptions {
  readonly path: string;
  /** The model that training began with. */
  readonly model: GgufFile;
  readonly weights: ModelWeights;
  readonly type: RewriteType;
  readonly overwrite?: boolean;
}

/** Writes the model. Throws NomoatError where a weight is not finite, or the file exists. */
export function writeTrainedModel({ path, model, weights, type, overwrite }: TrainedModelOptions): void {
  const values = fileValues(model, weights);
  const tensors = [...model.tensors.values()].map(({ name, shape, type: stored }) => {
    const to = shape.length < 2 ? 'F32' : matrixType(name, type, model);
    const trained = values.get(name);
    // Rope factors are no weights.
    if (!trained) return { name, shape, type: stored, bytes: () => model.readBytes(name) };
    const bytes = (): Uint8Array => {
      const array = trained();
      if (array.some((value) => !Number.isFinite(value))) {
        throw new NomoatError({
          part: name,
          fault: 'holds values that are not finite',
          remedy: 'Training went wrong: start again with a lower `learningRate`.',
          kind: 'failed',
        });
      }
      return quantize(to, array);
    };
    return { name, shape, type: to, bytes };
  });
  writeGguf(path, { metadata: rewrittenMetadata(model, type), tensors }, { overwrite: overwrite ?? false });
}
