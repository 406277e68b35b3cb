/** What an answer has that was not expected, and what it lacks, word by word. Pure. */
import { type Html, html } from './markup.ts';

/** Marks are for the eye: the table of the longest common subsequence grows with the product of the lengths. */
const mostWords = 600;
/** Where long texts share less than that, everything would be marked, which shows nothing. */
const leastShared = 0.2;
const shortText = 8;

const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });
const wordsOf = (text: string): string[] => [...segmenter.segment(text)].map(({ segment }) => segment);
const isSpace = (word: string): boolean => word.trim() === '';

/** For each word of both whether it is in the longest common subsequence. */
function common(a: readonly string[], b: readonly string[]): [boolean[], boolean[]] {
  const width = b.length + 1;
  // lengths[i * width + j]: of a from i on with b from j on.
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const [diagonal, down, right] = [
        lengths[(i + 1) * width + j + 1]!,
        lengths[(i + 1) * width + j]!,
        lengths[i * width + j + 1]!,
      ];
      lengths[i * width + j] = a[i] === b[j] ? diagonal + 1 : Math.max(down, right);
    }
  const found: [boolean[], boolean[]] = [a.map(() => false), b.map(() => false)];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      found[0][i++] = true;
      found[1][j++] = true;
    } else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return found;
}

/** Words that are not shared, with the spaces between them, each run of them in one mark. */
function marked(words: readonly string[], shared: readonly boolean[]): Html[] {
  const isMarked = (i: number): boolean => i < words.length && !shared[i] && !isSpace(words[i]!);
  const parts: Html[] = [];
  for (let i = 0; i < words.length; ) {
    let end = i + 1;
    if (isMarked(i)) while (isMarked(end) || (end < words.length && isSpace(words[end]!) && isMarked(end + 1))) end++;
    const text = words.slice(i, end).join('');
    parts.push(isMarked(i) ? html`<mark>${text}</mark>` : html`${text}`);
    i = end;
  }
  return parts;
}

/** Both texts with their differences marked; as they are where they are equal, too long, or have next to nothing in common. */
export function withDifferences(expected: string, answer: string): { readonly expected: Html; readonly answer: Html } {
  const plain = { expected: html`${expected}`, answer: html`${answer}` };
  const [wanted, given] = [wordsOf(expected), wordsOf(answer)];
  if (expected === answer || answer.trim() === '' || Math.max(wanted.length, given.length) > mostWords) return plain;
  const [inWanted, inGiven] = common(wanted, given);
  const real = (words: readonly string[]): number => words.filter((word) => !isSpace(word)).length;
  const both = real(wanted.filter((_, i) => inWanted[i]));
  const longest = Math.max(real(wanted), real(given));
  if (longest > shortText && both < leastShared * longest) return plain;
  return { expected: html`${marked(wanted, inWanted)}`, answer: html`${marked(given, inGiven)}` };
}
