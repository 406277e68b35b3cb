/**
 * The model that a pretraining run begins with: a vocabulary trained on the text (or taken from another model), and random weights.
 * Promises: what cannot work is refused with its numbers, before anything is written.
 */
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufValue } from '../formats/gguf/types.ts';
import { assertVocabulary, tokenTexts } from '../formats/gguf/vocabulary.ts';
import type { GgufContent } from '../formats/gguf/write.ts';
import { randomModel } from '../models/random-model.ts';
import { type PretrainSizeName, pretrainSizes, weightCount } from '../models/sizes.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { trainBpe } from '../tokens/bpe.ts';
import { bpeMetadata, specialTokens } from '../tokens/bpe-metadata.ts';
import { withValues } from '../words/program-words.ts';

/** With less text than a byte for this many weights, a model only learns its text by heart. */
const weightsPerByte = 10;
/** The tokens of the bytes themselves. */
const byteTokens = 256;

const bytesOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

interface Vocabulary {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly size: number;
}

function borrowed(path: string): Vocabulary {
  const file = openGguf(path);
  try {
    assertVocabulary(file);
    const metadata = new Map([...file.metadata].filter(([key]) => key.startsWith('tokenizer.')));
    return { metadata, size: tokenTexts(file)!.length };
  } finally {
    file.close();
  }
}

function trained(texts: readonly string[], wanted: number): Vocabulary {
  const room = wanted - byteTokens - specialTokens.length;
  if (room < 0) {
    throw new NomoatError({
      part: '`vocabulary`',
      fault: `${wanted} tokens do not hold the ${byteTokens} bytes and ${specialTokens.length} special tokens`,
      remedy: `Give at least ${byteTokens + specialTokens.length}.`,
    });
  }
  const bpe = trainBpe(texts, { vocabularySize: wanted - specialTokens.length });
  const found = bpe.tokens.length + specialTokens.length;
  if (found < wanted) {
    throw new NomoatError({
      part: '`vocabulary`',
      fault: `the text supports ${found} tokens, not ${wanted}: no further pair of tokens occurs twice in it`,
      remedy: `Give ${withValues({ vocabulary: found })} or less, or more text.`,
    });
  }
  return { metadata: bpeMetadata(bpe), size: wanted };
}

/** The content of the starting file. Throws NomoatError. */
export function startModel(settings: RunSettings, texts: readonly string[]): GgufContent {
  const { init, size: sizeName, tokenizer, vocabulary: wanted } = settings.pretrain!;
  const size = pretrainSizes[sizeName];
  const bytes = bytesOf(texts);
  const needed = (name: PretrainSizeName, tokens: number): number =>
    weightCount(pretrainSizes[name], tokens) / weightsPerByte;
  const taken = tokenizer === null ? null : borrowed(tokenizer);
  const least = needed(sizeName, taken?.size ?? wanted);
  if (bytes < least) {
    const fitting = (Object.keys(pretrainSizes) as PretrainSizeName[]).filter(
      (name) => bytes >= needed(name, taken?.size ?? pretrainSizes[name].vocabulary),
    );
    const remedy =
      fitting.length > 0
        ? `Give more text, or take ${withValues({ size: fitting.at(-1) })}.`
        : 'Give more text: no size is small enough for so little.';
    throw new NomoatError({
      part: withValues({ size: sizeName }),
      fault: `has ${((least * weightsPerByte) / 1e6).toFixed(1)} million weights and needs ${Math.ceil(least / 1000)} KB of text; there are ${Math.floor(bytes / 1000)} KB`,
      remedy,
      fields: { bytes, neededBytes: Math.ceil(least) },
    });
  }
  const vocabulary = taken ?? trained(texts, wanted);
  return randomModel({
    name: `nomoat-${sizeName}`,
    size,
    tokenizer: vocabulary.metadata,
    vocabulary: vocabulary.size,
    contextLength: Math.max(size.contextLength, settings.sequenceLength),
    init,
    seed: settings.seed,
  });
}
