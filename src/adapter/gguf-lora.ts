/**
 * Adapters as GGUF LoRA files, which llama.cpp applies to a GGUF model.
 * Promises: llama.cpp's scale (alpha / rank) equals ours, also under rsLoRA; q and k rows stand in the base file's order; reading
 * back gives the adapter that was written. Refuses an adapter whose shapes are not the model's.
 * Format: https://github.com/ggml-org/llama.cpp/blob/master/convert_lora_to_gguf.py
 */
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile, GgufValue } from '../formats/gguf/types.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { type LoraAdapter, type LoraPair, loraScale, scalesOf } from '../lora/adapter.ts';
import { readModelConfig } from '../models/config.ts';
import { collectPairs, type LooseTensor, type RankedPair, withAlpha } from './collect-pairs.ts';
import { lineageKey } from './lineage.ts';
import { ggufTensorName, ggufWeightName, parseGgufTensorName } from './module-names.ts';
import { mostFrequent } from './most-frequent.ts';
import { scaledB } from './pair-forms.ts';
import { fromFileRows, reorderedHeadDim, toFileRows } from './rope-row-order.ts';

/** Our own keys: what PEFT's settings were before alpha took rsLoRA in. llama.cpp ignores keys that it does not know. */
const ownKeys = {
  alpha: 'nomoat.lora_alpha',
  rslora: 'nomoat.use_rslora',
  dropout: 'nomoat.lora_dropout',
  baseModel: 'nomoat.base_model',
} as const;

/** float32 rounds alpha; anything farther off is another alpha. */
const alphaTolerance = 1e-5;

const floatBytes = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/**
 * Throws NomoatError unless every pair fits the model's matrix of that name. `part` names the adapter.
 */
export function checkAdapterFits(part: string, adapter: LoraAdapter, model: GgufFile): void {
  const remedy = 'Use the adapter with the base model that it was trained on.';
  const { layers } = readModelConfig(model);
  const last = adapter.pairs.at(-1)!.layer;
  if (last >= layers) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `adapts layer ${last}, but the last layer of ${model.path} is ${layers - 1}`,
      remedy,
    });
  }
  for (const { layer, projection, inFeatures, outFeatures } of adapter.pairs) {
    const shape = model.tensors.get(ggufWeightName(layer, projection))?.shape;
    if (shape?.length === 2 && shape[0] === outFeatures && shape[1] === inFeatures) continue;
    const base = shape ? `is [${shape.join(', ')}]` : 'does not exist';
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `layer ${layer} ${projection} is made for a matrix [${outFeatures}, ${inFeatures}], which in ${model.path} ${base}`,
      remedy,
    });
  }
}

/** B [out, rank] with its rows in the order of the model's file. */
export function ggufRowsOfB({ b, projection, rank }: LoraPair, model: GgufFile): Float32Array {
  const headDim = reorderedHeadDim(model, projection);
  return headDim === null ? b : toFileRows(b, rank, headDim);
}

/**
 * The file has one alpha, and llama.cpp scales each pair by alpha / its rank: what a pair's own scale is beyond that is
 * multiplied into its B, which float32 rounds. Pairs of one alpha without rsLoRA need none, whatever their ranks.
 */
function oneAlpha(adapter: LoraAdapter): { alpha: number; factors: readonly number[] } {
  const wanted = scalesOf(adapter).map((scale, i) => scale * adapter.pairs[i]!.rank);
  const alpha = mostFrequent(wanted);
  return { alpha, factors: wanted.map((own) => own / alpha) };
}

/** PEFT's own settings, where all modules have the same. */
function ownMetadata({ baseModel, dropout, pairs, rslora }: LoraAdapter): [string, GgufValue][] {
  const { alpha, rank } = pairs[0]!;
  const same = pairs.every((pair) => pair.alpha === alpha && (!rslora || pair.rank === rank));
  return [
    ...(same
      ? ([
          [ownKeys.alpha, { type: 'float64', value: alpha }],
          [ownKeys.rslora, { type: 'bool', value: rslora }],
        ] satisfies [string, GgufValue][])
      : []),
    [ownKeys.dropout, { type: 'float64', value: dropout }],
    [ownKeys.baseModel, { type: 'string', value: baseModel }],
  ];
}

function loraMetadata(adapter: LoraAdapter, alpha: number, model: GgufFile, lineage?: string): Map<string, GgufValue> {
  const name = adapter.baseModel || model.string('general.name') || 'adapter';
  return new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: readModelConfig(model).architecture }],
    ['general.type', { type: 'string', value: 'adapter' }],
    ['general.name', { type: 'string', value: `${name} LoRA` }],
    // 0 is ALL_F32 in llama.cpp's table of file types.
    ['general.file_type', { type: 'uint32', value: 0 }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    // llama.cpp multiplies by alpha / rank.
    ['adapter.lora.alpha', { type: 'float32', value: alpha }],
    ...ownMetadata(adapter),
    ...(lineage === undefined
      ? []
      : ([[lineageKey, { type: 'string', value: lineage }]] satisfies [string, GgufValue][])),
  ]);
}

/** Writes `adapter` for `model` to `path`, float32, whole or not at all; a file there is replaced. `lineage` stands in its metadata. */
export function writeGgufLora(path: string, adapter: LoraAdapter, model: GgufFile, lineage?: string): void {
  // llama.cpp takes an alpha of 0 for "no alpha given" and would then scale by 1.
  const none = adapter.pairs.find((pair) => !(pair.alpha > 0));
  if (none) {
    throw new NomoatError({
      code: 'unusable-export',
      part: path,
      fault: `alpha is ${none.alpha}, which GGUF cannot say`,
      remedy: 'Use an alpha above 0.',
    });
  }
  checkAdapterFits(path, adapter, model);
  const { alpha, factors } = oneAlpha(adapter);
  const tensors = adapter.pairs.flatMap((pair, i) => [
    {
      name: ggufTensorName({ ...pair, half: 'A' }),
      shape: [pair.rank, pair.inFeatures],
      type: 'F32' as const,
      bytes: () => floatBytes(pair.a),
    },
    {
      name: ggufTensorName({ ...pair, half: 'B' }),
      shape: [pair.outFeatures, pair.rank],
      type: 'F32' as const,
      bytes: () => floatBytes(ggufRowsOfB(scaledB(pair, factors[i]!), model)),
    },
  ]);
  writeGguf(path, { metadata: loraMetadata(adapter, alpha, model, lineage), tensors }, { overwrite: true });
}

function expectString(file: GgufFile, key: string, wanted: string, remedy: string): void {
  const found = file.string(key);
  if (found === wanted) return;
  throw new NomoatError({
    code: 'unusable-adapter',
    part: file.path,
    fault: `${key} is ${found ?? 'missing'}, not ${wanted}`,
    remedy,
  });
}

/** A tensor of the file with its rows back in transformers' order. */
function looseTensor(file: GgufFile, name: string, model: GgufFile): LooseTensor {
  const parsed = parseGgufTensorName(name);
  if (!parsed) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part: file.path,
      fault: `holds the tensor ${name}, which nomoat cannot use`,
      remedy: 'LoRA on attn_q, attn_k, attn_v, attn_output, ffn_gate, ffn_up and ffn_down is supported.',
    });
  }
  const { shape } = file.tensors.get(name)!;
  return {
    ...parsed,
    name,
    shape,
    float32: () => {
      const values = file.readFloat32(name);
      const headDim = parsed.half === 'B' ? reorderedHeadDim(model, parsed.projection) : null;
      // Shapes are checked against the model's only afterwards; rows that are no whole heads are refused there.
      return headDim === null || shape[0]! % headDim !== 0 ? values : fromFileRows(values, shape[1]!, headDim);
    },
  };
}

/** Alpha and rsLoRA: our own keys where they say the same as llama.cpp's alpha, else plain LoRA with that alpha. */
function readScale(file: GgufFile, pairs: readonly RankedPair[]): { alpha: (rank: number) => number; rslora: boolean } {
  const effective = file.number('adapter.lora.alpha') ?? 0;
  if (!(effective >= 0) || !Number.isFinite(effective)) {
    throw new NomoatError({
      code: 'unusable-adapter',
      part: file.path,
      fault: `adapter.lora.alpha is ${effective}`,
      remedy: 'Export the adapter again.',
    });
  }
  const alpha = file.number(ownKeys.alpha);
  const rslora = file.boolean(ownKeys.rslora);
  const { rank } = pairs[0]!;
  if (alpha !== undefined && rslora !== undefined) {
    const stated = loraScale({ alpha, rslora, rank }) * rank;
    if (Math.abs(stated - effective) <= alphaTolerance * effective) return { alpha: () => alpha, rslora };
  }
  // llama.cpp scales by 1 where alpha is 0 or missing.
  return { alpha: (own) => (effective === 0 ? own : effective), rslora: false };
}

/** llama.cpp switches such an adapter on only after these tokens. */
const invocationKey = 'adapter.alora.invocation_tokens';

/** Reads a GGUF LoRA made for `model`. Throws NomoatError where it is none, or does not fit. */
export function readGgufLora(path: string, model: GgufFile): LoraAdapter {
  const file = openGguf(path);
  try {
    expectString(file, 'general.type', 'adapter', 'Give a GGUF LoRA, not a model.');
    expectString(file, 'adapter.type', 'lora', 'Only LoRA adapters are supported.');
    const { architecture } = readModelConfig(model);
    expectString(file, 'general.architecture', architecture, 'Use the adapter with its own base model.');
    if (file.metadata.has(invocationKey)) {
      throw new NomoatError({
        code: 'unusable-adapter',
        part: path,
        fault: `has ${invocationKey}: it is switched on by tokens, which nomoat does not do`,
        remedy: 'Give a plain LoRA.',
      });
    }
    const ranked = collectPairs(
      path,
      [...file.tensors.keys()].map((name) => looseTensor(file, name, model)),
    );
    const { alpha, rslora } = readScale(file, ranked);
    const adapter: LoraAdapter = {
      pairs: withAlpha(ranked, ({ rank }) => alpha(rank)),
      rslora,
      dropout: file.number(ownKeys.dropout) ?? 0,
      baseModel: file.string(ownKeys.baseModel) ?? '',
    };
    checkAdapterFits(path, adapter, model);
    return adapter;
  } finally {
    file.close();
  }
}
