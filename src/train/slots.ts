/**
 * The trained tensors of a step: their names, values and gradients, and how they become inputs of the block graphs.
 * Base weights are inputs as they are; LoRA's matrices are merged and scaled first.
 */
import { type EvenAdapter, loraScale, type Projection } from '../lora/adapter.ts';
import { type ProjectionGroup, projectionGroups } from '../models/block-options.ts';
import type { ModelConfig } from '../models/config.ts';
import type { ModelWeights } from '../models/weights.ts';
import { floats, type Tensor } from '../runtime/onnxruntime-node/executor.ts';
import { shapeOf } from './base-weights.ts';
import type { Parameter } from './step.ts';
import { TensorMemory, zerosLike } from './tensor-memory.ts';

const moduleOf = (projection: string): string => (/^[qkvo]_/.test(projection) ? 'self_attn' : 'mlp');

/** A trainable tensor: where it stands (layer, or null for embedding, last norm and head) and the input of the graphs that is made of it. */
export interface Slot {
  readonly layer: number | null;
  readonly input: string;
  readonly parameter: Parameter;
}

/** With a gradient of zeros; matrices decay. */
function slot(place: Pick<Slot, 'layer' | 'input'>, tensor: Pick<Parameter, 'name' | 'shape' | 'value'>): Slot {
  const { name, shape, value } = tensor;
  return { ...place, parameter: { name, shape, value, gradient: zerosLike(value), decays: shape.length > 1 } };
}

/** PEFT's names; two slots a pair, A then B. */
export function adapterSlots(adapter: EvenAdapter): Slot[] {
  return adapter.pairs.flatMap(({ layer, projection, rank, a, b, inFeatures, outFeatures }) => {
    const base = `base_model.model.model.layers.${layer}.${moduleOf(projection)}.${projection}`;
    const matrix = (name: 'lora_A' | 'lora_B', shape: readonly number[], value: Float32Array): Slot =>
      slot({ layer, input: `${projection}.${name}` }, { name: `${base}.${name}.weight`, shape, value });
    return [matrix('lora_A', [rank, inFeatures], a), matrix('lora_B', [outFeatures, rank], b)];
  });
}

/** transformers' names of a block's norms, after `model.layers.N.`. */
const normNames: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm.weight',
  ffn_norm: 'post_attention_layernorm.weight',
  attn_q_norm: 'self_attn.q_norm.weight',
  attn_k_norm: 'self_attn.k_norm.weight',
};

/** The weights in a memory with room for their gradients and an optimizer's two moments too, or as they are where that is too much. */
export function inTensorMemory(weights: ModelWeights): ModelWeights {
  const { embedding, layers, output, outputNorm } = weights;
  const arrays = [...new Set([embedding, output, outputNorm, ...layers.flatMap((layer) => [...layer.values()])])];
  const memory = TensorMemory.for(arrays.flatMap(({ length }) => [length, length, length, length]));
  if (!memory) return weights;
  const moved = new Map(arrays.map((array) => [array, memory.take(array.length)!]));
  for (const [from, to] of moved) to.set(from);
  const move = (array: Float32Array): Float32Array => moved.get(array)!;
  return {
    ...weights,
    embedding: move(embedding),
    output: move(output),
    outputNorm: move(outputNorm),
    layers: layers.map((layer) => new Map([...layer].map(([name, array]) => [name, move(array)]))),
  };
}

/** Every weight of the model, as transformers names them; a tied embedding is one tensor. */
export function weightSlots(config: ModelConfig, weights: ModelWeights): Slot[] {
  const { modelWidth, tiedHead, vocabulary } = config;
  const layers = weights.layers.flatMap((layer, i) =>
    [...layer].map(([input, values]) => {
      const name = normNames[input] ?? `${moduleOf(input)}.${input}`;
      const shape = shapeOf(config, input, values);
      return slot({ layer: i, input }, { name: `model.layers.${i}.${name}`, shape, value: values });
    }),
  );
  const outer = (input: string, name: string, shape: readonly number[], value: Float32Array): Slot =>
    slot({ layer: null, input }, { name, shape, value });
  return [
    outer('embedding', 'model.embed_tokens.weight', [vocabulary, modelWidth], weights.embedding),
    ...layers,
    outer('output_norm', 'model.norm.weight', [modelWidth], weights.outputNorm),
    ...(tiedHead ? [] : [outer('output', 'lm_head.weight', [vocabulary, modelWidth], weights.output)]),
  ];
}

/** One graph input made of trained tensors: its values, its gradient as the graph gives it, and the way back. */
export interface TrainedInput {
  readonly name: string;
  readonly tensor: Tensor;
  /** Receives the graph's gradient `d.NAME`. */
  readonly gradient: Tensor;
  /** Brings the tensor up to date with the parameters. */
  refresh(): void;
  /** Adds the graph's gradient to the parameters'. */
  collect(): void;
}

/**
 * Base weights of one layer, in place. Graphs that add up gradients write into the parameters' own; for others `scratch` gives
 * arrays that layers share.
 */
export function weightInputs(
  slots: readonly Slot[],
  scratch: ((name: string, length: number) => Float32Array) | null,
): TrainedInput[] {
  return slots.map(({ input, parameter: { gradient, shape, value } }) => {
    const made = scratch?.(`d.${input}`, value.length) ?? gradient;
    return {
      name: input,
      tensor: floats(value, shape),
      gradient: floats(made, shape),
      refresh() {},
      collect() {
        if (made !== gradient) addTo(gradient, made);
      },
    };
  });
}

/** LoRA's matrices of one layer. The A matrices of a group are one input, multiplied by the adapter's scale. */
export function adapterInputs(adapter: EvenAdapter, slots: readonly Slot[]): TrainedInput[] {
  const scale = loraScale(adapter);
  const parameterOf = (input: string): Parameter => slots.find((s) => s.input === input)!.parameter;
  const inputs: TrainedInput[] = [];
  for (const group of Object.keys(projectionGroups) as ProjectionGroup[]) {
    const members = (projectionGroups[group] as readonly Projection[]).filter((p) => adapter.targetModules.includes(p));
    if (members.length === 0) continue;
    const parts = members.map((projection) => parameterOf(`${projection}.lora_A`));
    inputs.push(mergedRows(`lora_A.${group}`, parts, scale));
    for (const projection of members) inputs.push(asItIs(`${projection}.lora_B`, parameterOf(`${projection}.lora_B`)));
  }
  return inputs;
}

/** Matrices [r, in] one above the other, times a factor. */
function mergedRows(name: string, parts: readonly Parameter[], factor: number): TrainedInput {
  const total = parts.reduce((sum, { value }) => sum + value.length, 0);
  const merged = new Float32Array(total);
  const gradient = new Float32Array(total);
  const width = parts[0]!.shape[1]!;
  const shape = [total / width, width];
  return {
    name,
    tensor: floats(merged, shape),
    gradient: floats(gradient, shape),
    refresh() {
      let at = 0;
      for (const { value } of parts) for (let i = 0; i < value.length; i++) merged[at++] = value[i]! * factor;
    },
    collect() {
      let at = 0;
      for (const { gradient: own } of parts) for (let i = 0; i < own.length; i++) own[i]! += gradient[at++]! * factor;
    },
  };
}

/** A matrix as it is. */
function asItIs(name: string, { gradient: total, shape, value }: Parameter): TrainedInput {
  const gradient = new Float32Array(value.length);
  return {
    name,
    tensor: floats(value, shape),
    gradient: floats(gradient, shape),
    refresh() {},
    collect: () => addTo(total, gradient),
  };
}

export function addTo(total: Float32Array, part: Float32Array, at = 0): void {
  for (let i = 0; i < part.length; i++) total[at + i]! += part[i]!;
}
