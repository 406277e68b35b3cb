/** A tokenizer of one token for each UTF-16 unit, for the control tokens given, and for two line ends in a row: quick, and with merges across boundaries. */
import type { Tokenizer } from '../src/tokens/tokenizer.ts';

export function fakeTokenizer(
  control: readonly string[],
  ends: readonly string[],
  more: Partial<Tokenizer> = {},
): Tokenizer {
  const spelled = [...new Set([...control, ...ends])].sort((a, b) => b.length - a.length);
  const merged = '\n\n';
  const first = spelled.length + 1;
  const escaped = spelled.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const special = new RegExp([...escaped, merged, '[^]'].join('|'), 'g');
  const plain = new RegExp(`${merged}|[^]`, 'g');
  const idOf = (part: string): number => (part === merged ? spelled.length : first + part.charCodeAt(0));
  return {
    vocabularySize: first + 0x10000,
    bosToken: null,
    eosToken: spelled.indexOf(ends[0]!),
    eotToken: null,
    addsBos: false,
    controlTexts: spelled,
    encode: (text, parseSpecial) =>
      (text.match(parseSpecial ? special : plain) ?? []).map((part) =>
        parseSpecial && part.length > 1 && part !== merged ? spelled.indexOf(part) : idOf(part),
      ),
    decode: (tokens) =>
      tokens
        .map((t) => (t < spelled.length ? spelled[t]! : t === spelled.length ? merged : String.fromCharCode(t - first)))
        .join(''),
    isEndOfGeneration: (token) => token < spelled.length && ends.includes(spelled[token]!),
    close: async () => {},
    ...more,
  };
}
