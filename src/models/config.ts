/**
 * What the GGUF metadata says about a model, checked. Knows the architectures that nomoat can train and refuses the others by name.
 */
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { tokenTexts } from '../formats/gguf/vocabulary.ts';
import type { Projection } from '../lora/adapter.ts';
import { checkMetadataKeys, type Refuse, uniformNumber } from './metadata-keys.ts';
import { type RopeScaling, readRopeScaling } from './rope-scaling.ts';

export const architectures = ['llama', 'qwen2', 'qwen3'] as const;
export type Architecture = (typeof architectures)[number];

export interface ModelConfig extends RopeScaling {
  readonly architecture: Architecture;
  readonly layers: number;
  readonly modelWidth: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly ropeBase: number;
  readonly normEpsilon: number;
  readonly tiedHead: boolean;
}

/** Reads and checks the configuration. Throws NomoatError naming the file and the field. */
export function readModelConfig(model: GgufFile): ModelConfig {
  const refuse = (fault: string, remedy = `Use a complete model of ${architectures.join(', ')}.`): never => {
    throw new NomoatError({ code: 'unusable-model', part: model.path, fault, remedy });
  };
  if (model.string('general.type') === 'adapter')
    return refuse('is an adapter, not a model', 'Give its base as `model`, and this as `adapter` or `initialAdapter`.');
  const architecture = architectures.find((name) => name === model.string('general.architecture'));
  if (!architecture) {
    return refuse(
      `has the architecture ${model.string('general.architecture') ?? '(none)'}, which nomoat cannot train`,
      `Supported: ${architectures.join(', ')} (Llama, SmolLM, TinyLlama, Mistral, Qwen2, Qwen2.5, Qwen3).`,
    );
  }
  checkMetadataKeys(model, architecture, refuse);
  const embedding = model.tensors.get('token_embd.weight') ?? refuse('has no tensor token_embd.weight');
  const numbers = numbersOf(model, architecture, refuse);
  const { above0, whole } = numbers;
  const shape = headShape(architecture, numbers, refuse);
  const contextLength = whole('context_length');
  const ropeBase = above0('rope.freq_base', 10000);
  const config: ModelConfig = {
    architecture,
    layers: whole('block_count'),
    ...shape,
    feedForward: whole('feed_forward_length'),
    vocabulary: embedding.shape[0]!,
    contextLength,
    ropeBase,
    ...readRopeScaling(model, architecture, { headDim: shape.headDim, contextLength, ropeBase }, refuse),
    normEpsilon: above0('attention.layer_norm_rms_epsilon'),
    tiedHead: !model.tensors.has('output.weight'),
  };
  checkShapes(model, config, refuse);
  // llama.cpp loads no other embedding than one row a token.
  const tokens = tokenTexts(model)?.length ?? config.vocabulary;
  if (tokens !== config.vocabulary)
    refuse(
      `has ${tokens} tokens and ${config.vocabulary} rows in token_embd.weight`,
      'Convert the model again, together with the tokenizer that it was trained with.',
    );
  return config;
}

interface Numbers {
  /** A whole number above 0, of all layers where there is one a layer. */
  readonly whole: (key: string, otherwise?: number) => number;
  readonly above0: (key: string, otherwise?: number) => number;
}

/** Readers of the architecture's keys. */
function numbersOf(model: GgufFile, architecture: Architecture, refuse: Refuse): Numbers {
  const bad = (key: string, value: number | undefined): never =>
    refuse(`${architecture}.${key} is ${value === undefined ? 'missing' : value}`);
  return {
    whole: (key, otherwise) => {
      const value = uniformNumber(model, `${architecture}.${key}`) ?? otherwise;
      return value !== undefined && Number.isInteger(value) && value >= 1 ? value : bad(key, value);
    },
    above0: (key, otherwise) => {
      const value = model.number(`${architecture}.${key}`) ?? otherwise;
      return value !== undefined && Number.isFinite(value) && value > 0 ? value : bad(key, value);
    },
  };
}

/** How a layer's width is divided into heads. */
function headShape(
  architecture: Architecture,
  { whole }: Numbers,
  refuse: Refuse,
): Pick<ModelConfig, 'modelWidth' | 'heads' | 'kvHeads' | 'headDim'> {
  const modelWidth = whole('embedding_length');
  const heads = whole('attention.head_count');
  const kvHeads = whole('attention.head_count_kv', heads);
  const headDim = whole('attention.key_length', modelWidth / heads);
  if (heads % kvHeads !== 0) refuse(`has ${heads} heads, no multiple of its ${kvHeads} key/value heads`);
  if (headDim % 2 !== 0 || whole('rope.dimension_count', headDim) !== headDim)
    refuse('rotates only a part of each head');
  if (whole('attention.value_length', headDim) !== headDim) refuse('has values of another width than its keys');
  // llama.cpp has one width for both of these in this architecture.
  if (architecture === 'qwen2' && heads * headDim !== modelWidth)
    refuse(`has ${heads} heads of ${headDim}, which do not add up to its width of ${modelWidth}`);
  return { modelWidth, heads, kvHeads, headDim };
}

/** Widths [in, out] of the seven projections. */
export function projectionDimensions(
  config: ModelConfig,
  projection: Projection,
): { inFeatures: number; outFeatures: number } {
  const q = config.heads * config.headDim;
  const kv = config.kvHeads * config.headDim;
  const { modelWidth: d, feedForward: ff } = config;
  const table: Record<Projection, readonly [number, number]> = {
    q_proj: [d, q],
    k_proj: [d, kv],
    v_proj: [d, kv],
    o_proj: [q, d],
    gate_proj: [d, ff],
    up_proj: [d, ff],
    down_proj: [ff, d],
  };
  const [inFeatures, outFeatures] = table[projection];
  return { inFeatures, outFeatures };
}

/** Weights of an adapter of that rank on those projections of every layer. */
export function loraWeights(
  config: ModelConfig,
  { rank, targetModules }: { readonly rank: number; readonly targetModules: readonly Projection[] },
): number {
  const perLayer = targetModules.reduce((sum, projection) => {
    const { inFeatures, outFeatures } = projectionDimensions(config, projection);
    return sum + rank * (inFeatures + outFeatures);
  }, 0);
  return config.layers * perLayer;
}

/** Weights of all projections of all layers: what int8 and streaming are about. */
export function projectionWeights(config: ModelConfig): number {
  return (Object.keys(ggufNames) as Projection[]).reduce((sum, projection) => {
    const { inFeatures, outFeatures } = projectionDimensions(config, projection);
    return sum + inFeatures * outFeatures * config.layers;
  }, 0);
}

/** GGUF's names of the projections, after `blk.N.`. */
export const ggufNames: Readonly<Record<Projection, string>> = {
  q_proj: 'attn_q',
  k_proj: 'attn_k',
  v_proj: 'attn_v',
  o_proj: 'attn_output',
  gate_proj: 'ffn_gate',
  up_proj: 'ffn_up',
  down_proj: 'ffn_down',
};

/** Biases of llama.cpp's graphs for these architectures that nomoat computes too. */
const biased: readonly Projection[] = ['q_proj', 'k_proj', 'v_proj'];

/** A tensor that is left out of the computation would make training another model than the one that runs later. */
function checkShapes(model: GgufFile, config: ModelConfig, refuse: (fault: string) => never): void {
  const known = new Set<string>();
  const expect = (name: string, ...shape: number[]): void => {
    known.add(name);
    const info = model.tensors.get(name);
    if (!info) refuse(`has no tensor ${name}`);
    else if (info.shape.join() !== shape.join())
      refuse(`tensor ${name} is [${info.shape.join(', ')}], not [${shape.join(', ')}]`);
  };
  expect('token_embd.weight', config.vocabulary, config.modelWidth);
  expect('output_norm.weight', config.modelWidth);
  if (!config.tiedHead) expect('output.weight', config.vocabulary, config.modelWidth);
  // llama.cpp reads them for this architecture alone.
  if (config.architecture === 'llama' && model.tensors.has('rope_freqs.weight'))
    expect('rope_freqs.weight', config.headDim / 2);
  const biases = model.tensors.has('blk.0.attn_q.bias');
  for (let layer = 0; layer < config.layers; layer++) {
    expect(`blk.${layer}.attn_norm.weight`, config.modelWidth);
    if (config.architecture === 'qwen3')
      for (const name of ['attn_q_norm', 'attn_k_norm']) expect(`blk.${layer}.${name}.weight`, config.headDim);
    expect(`blk.${layer}.ffn_norm.weight`, config.modelWidth);
    for (const [projection, name] of Object.entries(ggufNames)) {
      const { inFeatures, outFeatures } = projectionDimensions(config, projection as Projection);
      expect(`blk.${layer}.${name}.weight`, outFeatures, inFeatures);
      if (biases && biased.includes(projection as Projection)) expect(`blk.${layer}.${name}.bias`, outFeatures);
    }
  }
  const unknown = [...model.tensors.keys()].find((name) => !known.has(name));
  if (unknown) refuse(`has the tensor ${unknown}, which nomoat does not compute with`);
}

/** Trainable and frozen sizes for display: weights in all tensors of the file. */
export function parameterCount(model: GgufFile): number {
  let total = 0;
  for (const { shape } of model.tensors.values()) total += shape.reduce((a, b) => a * b, 1);
  return total;
}

/** The largest matrix of a model's tensors, by its name in the file. */
export function largestMatrix(tensors: Iterable<{ readonly name: string; readonly shape: readonly number[] }>): {
  name: string;
  rows: number;
  columns: number;
} {
  const matrices = [...tensors].map(({ name, shape }) => ({
    name,
    rows: shape[0] ?? 1,
    columns: shape[1] ?? 1,
  }));
  return matrices.reduce((a, b) => (b.rows * b.columns > a.rows * a.columns ? b : a));
}
