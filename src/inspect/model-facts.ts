/** What a model's file says of itself: shapes, types, vocabulary, chat template. Promises: reads metadata and one table alone; any architecture. */
import { createHash } from 'node:crypto';
import type { GgufFile } from '../formats/gguf/types.ts';
import { endTokenTexts, specialTexts, tokenTexts } from '../formats/gguf/vocabulary.ts';
import { parameterCount } from '../models/config.ts';
import { templateKey } from '../text/chat-template.ts';
import { namedTemplates, templateNames } from '../text/named-templates.ts';

/** A GGUF by its metadata. What it does not say is null. */
export interface ModelFacts {
  readonly name: string | null;
  readonly architecture: string | null;
  readonly license: string | null;
  /** What it says it was made of, by name. */
  readonly madeOf: readonly string[];
  readonly layers: number | null;
  readonly modelWidth: number | null;
  /** Tokens. */
  readonly contextLength: number | null;
  /** Numbers in all tensors. */
  readonly parameters: number;
  /** How they are stored, the type with most bytes first. */
  readonly types: readonly { readonly type: string; readonly tensors: number; readonly bytes: number }[];
  readonly tokenizer: {
    readonly model: string | null;
    /** How llama.cpp splits words before it looks for tokens. */
    readonly pre: string | null;
    readonly tokens: number;
    /** Those that are one token wherever they are spelled. */
    readonly special: number;
    /** The beginning-of-sequence token, and whether prompts get one; null where the file leaves it to llama.cpp. */
    readonly begin: string | null;
    readonly addsBegin: boolean | null;
    /** Texts at which generation ends. */
    readonly ends: readonly string[];
  };
  readonly template: {
    readonly sha256: string;
    readonly characters: number;
    /** The one of `chatTemplate`'s names that it is, to the letter. */
    readonly name: string | null;
    /** Whether it speaks of tools, of thoughts. */
    readonly tools: boolean;
    readonly thoughts: boolean;
  } | null;
}

function typesOf(model: GgufFile): ModelFacts['types'] {
  const found = new Map<string, { type: string; tensors: number; bytes: number }>();
  for (const { byteLength, type } of model.tensors.values()) {
    const { bytes, tensors } = found.get(type) ?? { bytes: 0, tensors: 0 };
    found.set(type, { type, tensors: tensors + 1, bytes: bytes + byteLength });
  }
  return [...found.values()].sort((a, b) => b.bytes - a.bytes);
}

function templateFacts(model: GgufFile): ModelFacts['template'] {
  const source = model.string(templateKey);
  if (source === undefined) return null;
  return {
    sha256: createHash('sha256').update(source).digest('hex'),
    characters: source.length,
    name: templateNames.find((name) => namedTemplates[name].trim() === source.trim()) ?? null,
    tools: /\btools?\b/.test(source),
    thoughts: /think|reasoning/.test(source),
  };
}

function tokenizerFacts(model: GgufFile): ModelFacts['tokenizer'] {
  const texts = tokenTexts(model) ?? [];
  return {
    model: model.string('tokenizer.ggml.model') ?? null,
    pre: model.string('tokenizer.ggml.pre') ?? null,
    tokens: texts.length,
    special: specialTexts(model).size,
    begin: texts[model.number('tokenizer.ggml.bos_token_id') ?? -1] ?? null,
    addsBegin: model.boolean('tokenizer.ggml.add_bos_token') ?? null,
    ends: endTokenTexts(model),
  };
}

export function modelFacts(model: GgufFile): ModelFacts {
  const architecture = model.string('general.architecture') ?? null;
  const bases = [...model.metadata.keys()].filter((key) => /^general\.base_model\.\d+\.name$/.test(key));
  return {
    name: model.string('general.name') ?? null,
    architecture,
    license: model.string('general.license') ?? null,
    madeOf: bases.flatMap((key) => model.string(key) ?? []),
    layers: model.number(`${architecture}.block_count`) ?? null,
    modelWidth: model.number(`${architecture}.embedding_length`) ?? null,
    contextLength: model.number(`${architecture}.context_length`) ?? null,
    parameters: parameterCount(model),
    types: typesOf(model),
    tokenizer: tokenizerFacts(model),
    template: templateFacts(model),
  };
}

/** Keys of metadata that say how a file is stored, not what model it is. */
const storageKeys: ReadonlySet<string> = new Set(['general.file_type', 'general.quantization_version']);

/** Keys of metadata whose values differ, or that one of the two lacks, sorted. */
export function changedMetadata(model: GgufFile, base: GgufFile): string[] {
  const text = (file: GgufFile, key: string): string | undefined => {
    const entry = file.metadata.get(key);
    return entry && JSON.stringify(entry, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
  };
  return [...new Set([...model.metadata.keys(), ...base.metadata.keys()])]
    .filter((key) => !storageKeys.has(key) && text(model, key) !== text(base, key))
    .sort();
}
