/**
 * What a context will take, before it is opened: keys and values of every token of every sequence, and what one batch is computed in.
 * Pure. An upper bound: layers with a window, or without attention, take less than is counted for them here.
 */
import type { GgufFile } from '../formats/gguf/types.ts';
import { batchTokens } from './open-context.ts';

/** llama.cpp keeps keys and values as float16 here. */
const cellBytes = 2;
const floatBytes = 4;
/** What even a model of some thousand weights takes beside. */
const leastBytes = 0.5e6;
/** llama.cpp rounds the tokens of a sequence up to a multiple of this. */
const cellStep = 256;

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

/** A value for each layer of a key that has one for all, or a list of them; `other` where the file does not say. */
function perLayer(model: GgufFile, key: string, layers: number, other: number): number[] {
  const entry = model.metadata.get(key);
  const listed = entry?.type === 'array' ? entry.value.map(Number) : null;
  const one = model.number(key) ?? other;
  return Array.from({ length: layers }, (_, layer) => listed?.[layer] ?? one);
}

/** Bytes of a context for `model`, the file of a base; adapters add their weights, once for all contexts. */
export function contextBytes(
  model: GgufFile,
  { contextSize, sequences }: { readonly contextSize: number; readonly sequences: number },
): number {
  const of = (key: string): string => `${model.string('general.architecture')}.${key}`;
  const layers = model.number(of('block_count')) ?? 0;
  const width = model.number(of('embedding_length')) ?? 0;
  const heads = perLayer(model, of('attention.head_count'), layers, 1);
  const headWidth = width / Math.max(1, ...heads);
  const keyValueHeads = perLayer(model, of('attention.head_count_kv'), layers, Math.max(1, ...heads));
  const [key, value] = ['attention.key_length', 'attention.value_length'].map(
    (name) => model.number(of(name)) ?? headWidth,
  );
  const cells = Math.ceil(contextSize / cellStep) * cellStep * sequences;
  const perCell = sum(keyValueHeads) * (key! + value!) * cellBytes;
  const inner = Math.max(width, ...perLayer(model, of('feed_forward_length'), layers, 4 * width));
  const vocabulary = model.metadata.get('tokenizer.ggml.tokens');
  const words = vocabulary?.type === 'array' ? vocabulary.value.length : 0;
  // A few activations of a batch are alive at a time, and there is room for all its logits.
  const computing = floatBytes * Math.max(batchTokens, sequences) * (words + 3 * width + 2 * inner);
  return leastBytes + cells * perCell + computing;
}
