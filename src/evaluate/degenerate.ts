/** Answers that no user would want. Pure. */
import type { TestAnswer } from './ask.ts';
import { normalised } from './metrics/normalise.ts';
import { promptOf, type TestQuestion } from './test-set.ts';

/** A text's last words again and again: this many of the same in a row. */
const repeats = 4;
const longestLoop = 8;

function loops(text: string): boolean {
  const words = text.split(/\s+/).filter(Boolean);
  for (let size = 1; size <= longestLoop; size++) {
    const tail = words.slice(-size * repeats);
    if (tail.length === size * repeats && tail.every((word, i) => word === tail[i % size])) return true;
  }
  return false;
}

/** A question of fewer words may well be a part of its answer. */
const leastEchoWords = 4;

/** Whether an answer says its question again, which the expected one does not. */
function echoes(answer: string, question: TestQuestion): boolean {
  const asked = normalised(promptOf(question));
  if (asked.split(' ').length < leastEchoWords) return false;
  return normalised(answer).includes(asked) && !normalised(question.expected).includes(asked);
}

/** Scripts that people write whole texts in; Japanese is written in several, of which these two are its own. */
const scripts = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Arabic',
  'Hebrew',
  'Devanagari',
  'Bengali',
  'Tamil',
  'Thai',
  'Hangul',
  'Hiragana',
  'Katakana',
  'Han',
  'Armenian',
  'Georgian',
  'Ethiopic',
] as const;
const scriptPatterns = scripts.map((name) => ({ name, letters: new RegExp(`\\p{Script=${name}}`, 'gu') }));
/** Fewer letters than these may be a name or a sign. */
const leastLetters = 4;

/** The script of most of a text's letters; null where it has few. */
function scriptOf(text: string): string | null {
  const counts = scriptPatterns.map(({ letters, name }) => ({ name, count: text.match(letters)?.length ?? 0 }));
  const most = counts.reduce((best, each) => (each.count > best.count ? each : best));
  return most.count < leastLetters ? null : most.name;
}

/** Whether an answer is written in a script of which neither the question nor the expected answer has a letter. */
function isOtherScript(answer: string, question: TestQuestion): boolean {
  const script = scriptOf(answer);
  if (script === null) return false;
  const given = `${promptOf(question)} ${question.expected}`;
  return !new RegExp(`\\p{Script=${script}}`, 'u').test(given);
}

/** How languages are told; handed in, since its table takes a while to load. */
export interface Languages {
  /** Of a text, null where it cannot be told. */
  readonly languageOf: (text: string) => string | null;
  readonly mayBeIn: (text: string, language: string) => boolean;
}

/** Whether an answer in the same script is clearly in a language that is neither the question's nor the expected answer's. */
function isOtherLanguage(answer: string, question: TestQuestion, { languageOf, mayBeIn }: Languages): boolean {
  const own = languageOf(answer);
  if (own === null || isOtherScript(answer, question)) return false;
  const known = [promptOf(question), question.expected].map(languageOf).filter((language) => language !== null);
  return known.length > 0 && known.every((language) => language !== own && !mayBeIn(answer, language));
}

/** Answers that no user would want, by kind. */
export interface Degenerate {
  readonly empty: number;
  /** Cut at the most tokens. */
  readonly unended: number;
  /** The same words again and again at the end. */
  readonly repeating: number;
  /** The question is in the answer, and not in the expected one. */
  readonly echoing: number;
  /** Mostly in a script that neither the question nor the expected answer has a letter of: an answer in another language. */
  readonly otherScript: number;
  /** In the same script, and clearly in a language that is neither the question's nor the expected answer's. */
  readonly otherLanguage: number;
}

/** Counts them; answers are in the order of the questions. */
export function degenerateOf(
  answers: readonly TestAnswer[],
  questions: readonly TestQuestion[],
  languages: Languages,
): Degenerate {
  const count = (is: (answer: TestAnswer, question: TestQuestion) => boolean): number =>
    answers.filter((answer, i) => is(answer, questions[i]!)).length;
  return {
    empty: count(({ text }) => text.trim() === ''),
    unended: count(({ ended }) => !ended),
    repeating: count(({ text }) => loops(text)),
    echoing: count(({ text }, question) => echoes(text, question)),
    otherScript: count(({ text }, question) => isOtherScript(text, question)),
    otherLanguage: count(({ text }, question) => isOtherLanguage(text, question, languages)),
  };
}
