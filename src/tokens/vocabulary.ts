/**
 * What a model file says of its vocabulary before llama.cpp loads it. Promises: bounded reading; a file without a vocabulary is named.
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { openGguf } from '../formats/gguf/read.ts';
import { assertVocabulary, tokenTexts } from '../formats/gguf/vocabulary.ts';

export interface Vocabulary {
  /** The file that llama.cpp opens: of a model in several, the first. */
  readonly path: string;
  /** Number of tokens. */
  readonly size: number;
  /** Texts of the tokens that may be control tokens; llama.cpp decides which are. */
  readonly controlCandidates: readonly string[];
  /** What llama.cpp's pre-tokeniser cannot split without recursion beyond the stack, and the words for it; null where it splits all. */
  readonly unsplittable: { readonly pattern: RegExp; readonly words: string } | null;
}

/** llama.cpp's token types: unknown and control ones are only found where special tokens are parsed. */
const controlTypes: readonly unknown[] = [2, 3];
/** Metadata that names tokens that llama.cpp treats as control tokens whatever their type. */
const namedTokens = ['bos', 'eos', 'eot', 'eom', 'unknown', 'padding'].map((name) => `tokenizer.ggml.${name}_token_id`);
/** Tokens that llama.cpp makes control tokens by their text. */
const controlByText = /^<[|｜/]?[\w｜▁ :]+[|｜]?>$/;

/**
 * How llama.cpp's pre-tokenisers split words: by code of its own or expressions that std::regex matches without recursion, for which
 * 100,000 characters were seen to pass; or by expressions that recurse for each character of a run of one kind, which ends the
 * process: of letters 20,000 passed on a stack of 8 MiB and 40,000 did not. One that is in neither list may recurse on any run.
 */
const withoutRecursion: readonly string[] = [
  'gpt-2',
  'llama-bpe',
  'llama3',
  'llama-v3',
  'qwen2',
  'qwen35',
  'smollm',
  'starcoder',
  'command-r',
  'olmo',
  'dbrx',
  'refact',
  'stablelm2',
];
const recursesByKind: readonly string[] = [
  'default',
  'tekken',
  'deepseek-llm',
  'deepseek-coder',
  'deepseek-v3',
  'gpt-4o',
  'falcon',
];
/** Half of what was seen to pass. */
const maxRecursion = 10_000;
const longer = maxRecursion + 1;
const ofOneKind = new RegExp(`\\p{L}{${longer}}|\\p{N}{${longer}}|\\s{${longer}}|[^\\s\\p{L}\\p{N}]{${longer}}`, 'u');
const ofAnyKind = new RegExp(`\\S{${longer}}|\\s{${longer}}`, 'u');

/** A run of characters that the vocabulary's pre-tokeniser cannot split; null where it splits any. */
function unsplittable(model: string | undefined, pre: string): Vocabulary['unsplittable'] {
  if (model !== 'gpt2' || withoutRecursion.includes(pre)) return null;
  const byKind = recursesByKind.includes(pre);
  return {
    pattern: byKind ? ofOneKind : ofAnyKind,
    words: `more than ${maxRecursion} characters ${byKind ? 'of one kind ' : ''}without a break`,
  };
}

/** Reads the vocabulary's facts of `modelPath` with our own bounded reader: node-llama-cpp's hangs on a broken file. Throws NomoatError. */
export function readVocabulary(modelPath: string): Vocabulary {
  const file = openGguf(modelPath);
  try {
    assertVocabulary(file);
    const tokens = tokenTexts(file)!;
    const types = file.metadata.get('tokenizer.ggml.token_type')?.value;
    const named = new Set(namedTokens.map((key) => file.number(key)));
    const controlCandidates = tokens.filter(
      (text, id): text is string =>
        typeof text === 'string' &&
        text !== '' &&
        ((Array.isArray(types) && controlTypes.includes(types[id])) || named.has(id) || controlByText.test(text)),
    );
    const splits = unsplittable(file.string('tokenizer.ggml.model'), file.string('tokenizer.ggml.pre') ?? 'default');
    return { path: file.path, size: tokens.length, controlCandidates, unsplittable: splits };
  } finally {
    file.close();
  }
}
