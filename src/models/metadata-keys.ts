/**
 * What llama.cpp does with each metadata key of the architectures that nomoat trains, held against what nomoat
 * computes. Promises: a key that llama.cpp would compute with otherwise, or not load at all, is refused by name; one
 * that neither of the two uses is listed. Knows nothing of tensors. As in llama.cpp's load_hparams (llama-model.cpp)
 * and llama_context (llama-context.cpp).
 */
import type { GgufFile, GgufScalarType, GgufValue } from '../formats/gguf/types.ts';

interface KeyRule {
  /** llama.cpp refuses to load a file with the key in another type. */
  readonly type: GgufScalarType;
  /** Where it is read for one of the architectures only. */
  readonly only?: string;
  /** One value a layer is possible as well. */
  readonly perLayer?: true;
  /** Values with which the key changes nothing; any is fine where this is left out. */
  readonly off?: (value: unknown) => boolean;
  /** What the model is where the key is not off. */
  readonly fault?: string;
}

const zero = (value: unknown): boolean => value === 0;
const experts = { type: 'uint32', off: zero, fault: 'is a mixture of experts' } as const;

/** Keys after `<architecture>.` that llama.cpp reads for llama, qwen2 and qwen3. */
const rules: ReadonlyMap<string, KeyRule> = new Map<string, KeyRule>(
  Object.entries({
    vocab_size: { type: 'uint32', only: 'llama' },
    context_length: { type: 'uint32' },
    embedding_length: { type: 'uint32' },
    block_count: { type: 'uint32' },
    feed_forward_length: { type: 'uint32', perLayer: true },
    'attention.head_count': { type: 'uint32', perLayer: true },
    'attention.head_count_kv': { type: 'uint32', perLayer: true },
    'attention.key_length': { type: 'uint32' },
    'attention.value_length': { type: 'uint32' },
    'attention.layer_norm_rms_epsilon': { type: 'float32' },
    'attention.causal': { type: 'bool', off: (value) => value === true, fault: 'attends to later tokens' },
    pooling_type: { type: 'uint32' },
    'rope.dimension_count': { type: 'uint32' },
    'rope.freq_base': { type: 'float32' },
    'rope.scaling.type': { type: 'string' },
    'rope.scaling.factor': { type: 'float32' },
    'rope.scale_linear': { type: 'float32' },
    'rope.scaling.original_context_length': { type: 'uint32' },
    'rope.scaling.finetuned': { type: 'bool' },
    'rope.scaling.attn_factor': { type: 'float32' },
    expert_count: experts,
    // llama.cpp ends the process where these are set without an expert_count.
    expert_used_count: { ...experts, perLayer: true },
    expert_group_count: experts,
    nextn_predict_layers: { type: 'uint32', off: zero, fault: 'has layers that predict several tokens at once' },
  } satisfies Record<string, KeyRule>),
);

/** Keys that say something of the file and enter no program's computation. */
const descriptive = new Set(['tensor_data_layout']);

/** Names of a prefix's keys, in file order. */
function keysOf(model: GgufFile, architecture: string): [string, GgufValue][] {
  const prefix = `${architecture}.`;
  return [...model.metadata].flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value] as [string, GgufValue]] : [],
  );
}

/** The one value of a key that may be an array with a value a layer; undefined where it is absent or layers differ. */
export function uniformNumber(model: GgufFile, key: string): number | undefined {
  const entry = model.metadata.get(key);
  if (entry?.type !== 'array') return model.number(key);
  const [first] = entry.value;
  const uniform =
    (typeof first === 'number' || typeof first === 'bigint') && entry.value.every((each) => each === first);
  return uniform ? Number(first) : undefined;
}

/** float32 holds no more digits. */
const floatDigits = 7;
/** Of a value, enough to know it by. */
const shownCharacters = 60;
const shownElements = 4;

const shown = (value: unknown): string => {
  if (typeof value === 'number') return String(Number(value.toPrecision(floatDigits)));
  const text = Array.isArray(value)
    ? `[${value.slice(0, shownElements).join(', ')}${value.length > shownElements ? ', ...' : ''}]`
    : String(value);
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}...` : text;
};

/** How a reader of the file's configuration refuses it. */
export type Refuse = (fault: string, remedy?: string) => never;

const otherModel =
  'Use another model: dense ones of these architectures, each layer of the same widths, can be trained.';
const convertAgain = "Convert the model again with llama.cpp's convert_hf_to_gguf.py, or take another file of it.";

interface Fault {
  readonly fault: string;
  readonly remedy: string;
}

/** What is wrong with an entry by its rule, or null. */
function faultOf(key: string, entry: GgufValue, rule: KeyRule, layers: unknown): Fault | null {
  const broken = (fault: string): Fault => ({ fault, remedy: convertAgain });
  const beyond = (fault: string): Fault => ({ fault: `${fault}, which nomoat cannot train`, remedy: otherModel });
  if (entry.type === 'array') {
    if (!rule.perLayer) return broken(`${key} is an array, where llama.cpp reads one ${rule.type}`);
    if (entry.value.length !== layers)
      return broken(`${key} has ${entry.value.length} values for ${String(layers)} layers`);
    if (entry.value.some((each) => each !== entry.value[0]))
      return beyond(`${key} is ${shown(entry.value)}: its layers differ in width`);
  } else if (entry.type !== rule.type) {
    return broken(`${key} is a ${entry.type}, and llama.cpp loads only a ${rule.type}`);
  }
  const value = entry.type === 'array' ? entry.value[0] : entry.value;
  if (!rule.off || rule.off(value)) return null;
  return beyond(`${rule.fault} (${key} is ${shown(value)})`);
}

/** Refuses what llama.cpp would not load, or would compute with otherwise than nomoat. */
export function checkMetadataKeys(model: GgufFile, architecture: string, refuse: Refuse): void {
  const layers = model.metadata.get(`${architecture}.block_count`)?.value;
  for (const [name, entry] of keysOf(model, architecture)) {
    const rule = rules.get(name);
    const applies = rule && (rule.only ?? architecture) === architecture;
    const fault = applies ? faultOf(`${architecture}.${name}`, entry, rule, layers) : null;
    if (fault) refuse(fault.fault, fault.remedy);
  }
}

/** Keys that may mean something for the model, and that neither llama.cpp nor nomoat computes with: `key = value`. */
export function unusedKeys(model: GgufFile, architecture: string): string[] {
  return keysOf(model, architecture).flatMap(([name, { value }]) =>
    rules.has(name) || descriptive.has(name) ? [] : [`${architecture}.${name} = ${shown(value)}`],
  );
}
