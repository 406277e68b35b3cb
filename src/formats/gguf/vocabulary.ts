/**
 * The vocabulary in a GGUF file's metadata, as llama.cpp takes it. Promises: what llama.cpp would not load, or would
 * end the process on, is refused by name before llama.cpp sees it. Knows nothing of how text is tokenised.
 */
import { NomoatError } from '../../errors.ts';
import { type GgufFile, type GgufValue, stringIn } from './types.ts';

type Source = Pick<GgufFile, 'metadata' | 'path' | 'number'>;

const listKey = 'tokenizer.ggml.tokens';

/** llama.cpp's numbers of token types. */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4 } as const;

/** The tokens' texts by id; null where the file has none. */
export function tokenTexts(file: Pick<GgufFile, 'metadata'>): readonly string[] | null {
  const entry = file.metadata.get(listKey);
  return entry?.type === 'array' && entry.elementType === 'string' ? (entry.value as readonly string[]) : null;
}

const arrayOf = (entry: GgufValue | undefined, ...types: readonly string[]): readonly unknown[] | null =>
  entry?.type === 'array' && types.includes(entry.elementType) ? entry.value : null;

/** What llama.cpp calls a token: its text up to a zero byte, and one without a text by its id. */
function named(text: string, id: number): string {
  const end = text.indexOf('\0');
  const name = end < 0 ? text : text.slice(0, end);
  return name === '' ? `[EMPTY_${id}]` : name;
}

function fault(path: string, text: string, remedy = 'Convert or download the model again.'): NomoatError {
  return new NomoatError({ code: 'unusable-model', part: path, fault: text, remedy });
}

/** Throws NomoatError where the file has no vocabulary, or one that llama.cpp does not load. */
export function assertVocabulary(file: Source): void {
  if (stringIn(file.metadata, 'general.type') === 'adapter')
    throw fault(
      file.path,
      'is an adapter, not a model',
      'Give it with `adapter`, and the model that it was trained on in its place.',
    );
  const texts = tokenTexts(file);
  if (!texts || texts.length === 0) {
    throw fault(file.path, `has no vocabulary (${listKey})`, 'Use a complete language model with its tokenizer.');
  }
  for (const [key, ...types] of [
    ['tokenizer.ggml.scores', 'float32', 'int32'],
    ['tokenizer.ggml.token_type', 'int32'],
  ] as const) {
    const entry = file.metadata.get(key);
    const values = arrayOf(entry, ...types);
    if (entry && !values) throw fault(file.path, `${key} is no array of ${types.join(' or ')}`);
    if (values && values.length < texts.length)
      throw fault(file.path, `${key} has ${values.length} values for ${texts.length} tokens`);
  }
  const ids = new Map<string, number>();
  texts.forEach((text, id) => {
    const name = named(text, id);
    // Bytes that are no UTF-8 all read as this character: whether they differ is not known here.
    if (name.includes('\uFFFD')) return;
    const other = ids.get(name);
    // llama.cpp ends the process.
    if (other !== undefined)
      throw fault(file.path, `has the token ${JSON.stringify(name)} twice, as ${other} and ${id}`);
    ids.set(name, id);
  });
}

/** `eos` and the like, and the ids that the file gives them, where these are none of its tokens. */
export function strayTokenIds(file: Source): { readonly name: string; readonly id: number }[] {
  const size = tokenTexts(file)?.length ?? 0;
  return [...file.metadata.keys()].flatMap((key) => {
    const name = /^tokenizer\.ggml\.(\w+)_token_id$/.exec(key)?.[1];
    const id = file.number(key);
    return name === undefined || id === undefined || (id >= 0 && id < size) ? [] : [{ name, id }];
  });
}

/** Texts at which llama.cpp ends a generation, whatever the file's ids say, where they are tokens. */
const endTexts: ReadonlySet<string> = new Set([
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<end_of_turn>',
  '<|endoftext|>',
  '</s>',
  '<|eom_id|>',
  '<EOT>',
  '_<EOT>',
  '[EOT]',
  '<|end_of_text|>',
  '<end_of_utterance>',
  '<eos>',
  '<｜end▁of▁sentence｜>',
]);
const endKeys = ['eos', 'eot', 'eom'].map((name) => `tokenizer.ggml.${name}_token_id`);

/** Texts of the tokens at which generation ends. */
export function endTokenTexts(file: Source): string[] {
  const texts = tokenTexts(file) ?? [];
  const stated = endKeys.flatMap((key) => texts[file.number(key) ?? -1] ?? []);
  return [...new Set([...stated, ...texts.filter((text) => endTexts.has(text))])];
}

/** Texts that are read as one token wherever they are spelled. */
export function specialTexts(file: Source): ReadonlySet<string> {
  const types = arrayOf(file.metadata.get('tokenizer.ggml.token_type'), 'int32') ?? [];
  const ends = new Set(endTokenTexts(file));
  const special: readonly unknown[] = [tokenTypes.unknown, tokenTypes.control, tokenTypes.userDefined];
  return new Set((tokenTexts(file) ?? []).filter((text, id) => special.includes(types[id]) || ends.has(text)));
}
