/**
 * What a text is compared by: its words, whatever their case, width, punctuation and white space. Runs of a script
 * that writes no spaces (Chinese, Japanese, Thai, Khmer, Lao, Burmese) give every two neighbouring characters, as is
 * usual in search. Pure.
 */

/** Scripts whose words are not parted by spaces. */
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
/** Longer ones count as several: V8 keeps something for each character of a match, and has no room for that of a line of 10 MB. */
const longestPiece = 4096;
/** A run of a script without spaces; a word, apostrophes within it too; a picture, which may be all that differs. */
const pieces = new RegExp(
  `([${unspaced}][${unspaced}\\p{M}\\u30fc]{0,${longestPiece}})|(?:(?![${unspaced}])[\\p{L}\\p{M}\\p{N}]){1,${longestPiece}}|\\p{Extended_Pictographic}`,
  'gu',
);
/** Those that are written within a word: "don't" and "don’t" are the word "dont". */
const apostrophes = /(?<=\p{L})['’‘ʼ](?=\p{L})/gu;

/** Every two neighbouring characters of a run; the character where there is one alone. */
function pairsOf(run: string): string[] {
  const characters = [...run];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, i) => `${characters[i]}${character}`);
}

/** The words of a text in their order, as comparisons want them; of a text without any, its characters. */
export function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKC').toLowerCase().replace(apostrophes, '');
  const words: string[] = [];
  for (const [word, run] of plain.matchAll(pieces)) {
    if (run === undefined) words.push(word);
    else words.push(...pairsOf(run));
  }
  return words.length > 0 ? words : [...plain.replace(/\s+/gu, '')];
}
