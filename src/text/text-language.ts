/** Which language a text is in, by eld's smallest table: short texts are often too little to tell. Loads that table. */
import { eld } from 'eld/extrasmall';

/** Shorter ones are too often taken for another language. */
const fewestLetters = 20;
/** What is enough to tell a language. */
const lookedAt = 1000;
/** Difference of eld's scores, which are 0 to 1, from which a language is clearly likelier. */
const clearly = 0.1;

/** ISO 639-1 of a text; null where it is too short, or could be several. */
export function languageOf(text: string): string | null {
  const start = text.slice(0, lookedAt);
  if ((start.match(/\p{L}/gu)?.length ?? 0) < fewestLetters)
    return /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]{4}/u.test(start)
      ? eld.detect(start).language || null
      : null;
  const found = eld.detect(start);
  return found.isReliable() ? found.language || null : null;
}

/** Whether a text is as likely of this language as of the one that it was taken for: names of places are of any language. */
export const mayBeIn = (text: string, language: string): boolean => {
  const scores = eld.detect(text.slice(0, lookedAt)).getScores();
  return Math.max(...Object.values(scores)) - (scores[language] ?? 0) < clearly;
};
