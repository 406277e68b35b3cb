/**
 * The instructions of IFEval (arXiv 2311.07911) that can be checked by a program, each by its name, as lm-evaluation-harness checks them. Three
 * differ by what they stand on: sentences are ended by punctuation and a list of abbreviations where the harness has NLTK's Punkt, words in
 * capitals are found by their borders where it has NLTK's tokenizer, and languages are told by eld where it has langdetect. Pure.
 */
import { eld } from 'eld/extrasmall';

/** What an instruction says, by name; what is null there says nothing. */
export type Arguments = Readonly<Record<string, unknown>>;
type Check = (answer: string, given: Arguments) => boolean;

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');
const numberOf = (value: unknown): number => Number(value ?? 0);
const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** `relation` is "less than" or "at least". */
const holds = (count: number, relation: unknown, wanted: unknown): boolean =>
  relation === 'less than' ? count < numberOf(wanted) : count >= numberOf(wanted);

/** As Python reads it; what is no expression here stands for itself. */
function pattern(source: string, flags: string): RegExp {
  for (const each of [`${flags}u`, flags]) {
    try {
      return new RegExp(source, each);
    } catch {
      // The next way to read it.
    }
  }
  return new RegExp(source.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), flags);
}

const matches = (text: string, source: string): number => [...text.matchAll(pattern(source, 'gi'))].length;
const isUpper = (text: string): boolean => text === text.toUpperCase() && text !== text.toLowerCase();
const isLower = (text: string): boolean => text === text.toLowerCase() && text !== text.toUpperCase();

/** A text without anything that says its language is of every language, as the harness counts it. */
const isIn = (language: string, text: string): boolean => {
  if (!/\p{L}/u.test(text)) return true;
  return eld.detect(text).language === language.split('-')[0];
};

const abbreviations = new Set(
  'mr mrs ms dr prof st jr sr vs etc e.g i.e inc ltd co corp no gen col lt sen rep gov mt u.s u.k u.n a.m p.m ph.d fig al jan feb mar apr jun jul aug sept oct nov dec'.split(
    ' ',
  ),
);

/** Sentences of a text. */
export function countSentences(text: string): number {
  const words = text.trim().split(/\s+/).filter(Boolean);
  const ends = words.filter((word, i) => {
    if (i === words.length - 1) return true;
    const bare = word.replace(/["'”’)\]*]+$/, '');
    if (/[!?]$/.test(bare)) return true;
    if (!bare.endsWith('.')) return false;
    const name = bare
      .slice(0, -1)
      .replace(/^["'“‘([]+/, '')
      .toLowerCase();
    return !abbreviations.has(name) && !/^\p{L}$/u.test(name);
  });
  return ends.length;
}

function countCapitalWords(text: string): number {
  const words = text
    .replace(/(n't|'(?:s|m|d|ll|re|ve))(?![\p{L}\p{N}])/giu, ' $1')
    .split(/\s+|[,;:@#$%&?!"()[\]{}<>`]|--/);
  return words.filter(isUpper).length;
}

function paragraphsAre(answer: string, wanted: unknown): boolean {
  const paragraphs = answer.split(/\s?\*\*\*\s?/);
  const isEmpty = paragraphs.map((paragraph) => paragraph.trim() === '');
  if (isEmpty.slice(1, -1).some(Boolean)) return false;
  const ends = Number(isEmpty[0]) + Number(paragraphs.length > 1 && isEmpty.at(-1)!);
  return paragraphs.length - ends === numberOf(wanted);
}

function firstWordIs(
  answer: string,
  { first_word: wanted, nth_paragraph: nth, num_paragraphs: count }: Arguments,
): boolean {
  const paragraphs = answer.split('\n\n');
  const filled = paragraphs.filter((paragraph) => paragraph.trim() !== '').length;
  const paragraph = numberOf(nth) <= filled ? paragraphs[numberOf(nth) - 1]?.trim() : undefined;
  if (!paragraph) return false;
  const word = paragraph.split(/\s+/)[0]!.replace(/^'+/, '').replace(/^"+/, '');
  return filled === numberOf(count) && word.split(/[.,?!'"]/)[0]!.toLowerCase() === textOf(wanted).toLowerCase();
}

function hasHighlights(answer: string, wanted: unknown): boolean {
  const single = (answer.match(/\*[^\n*]*\*/g) ?? []).filter((each) => each.replace(/^\*+|\*+$/g, '').trim() !== '');
  const double = (answer.match(/\*\*[^\n*]*\*\*/g) ?? []).filter((each) => each.slice(2, -2).trim() !== '');
  return single.length + double.length >= numberOf(wanted);
}

function hasPostscript(answer: string, marker: string): boolean {
  const text = answer.toLowerCase();
  if (marker === 'P.P.S') return /\s*p\.\s?p\.\s?s.*$/m.test(text);
  if (marker === 'P.S.') return /\s*p\.\s?s\..*$/m.test(text);
  return pattern(`\\s*${marker.toLowerCase()}.*$`, 'm').test(text);
}

function isJson(answer: string): boolean {
  const bare = answer
    .trim()
    .replace(/^```(?:json|Json|JSON)?/, '')
    .replace(/```$/, '')
    .trim();
  try {
    JSON.parse(bare);
    return true;
  } catch {
    // Python reads these as numbers.
    return ['NaN', 'Infinity', '-Infinity'].includes(bare);
  }
}

function areTwoResponses(answer: string): boolean {
  const parts = answer.split('******');
  if (parts.slice(1, -1).some((part) => part.trim() === '')) return false;
  const [first, second, ...more] = parts.map((part) => part.trim()).filter(Boolean);
  return second !== undefined && more.length === 0 && first !== second;
}

/** By the names of the data. */
export const checks: Readonly<Record<string, Check>> = {
  'keywords:existence': (answer, { keywords }) => listOf(keywords).every((keyword) => matches(answer, keyword) > 0),
  'keywords:frequency': (answer, { frequency, keyword, relation }) => holds(matches(answer, textOf(keyword)), relation, frequency),
  'keywords:forbidden_words': (answer, { forbidden_words: words }) => listOf(words).every((word) => matches(answer, `(?<![\\p{L}\\p{N}_])(?:${word})(?![\\p{L}\\p{N}_])`) === 0),
  'keywords:letter_frequency': (answer, { let_frequency: frequency, let_relation: relation, letter }) => holds([...answer.toLowerCase()].filter((each) => each === textOf(letter).toLowerCase()).length, relation, frequency),
  'language:response_language': (answer, { language }) => isIn(textOf(language), answer),
  'length_constraints:number_sentences': (answer, { num_sentences: count, relation }) => holds(countSentences(answer), relation, count),
  'length_constraints:number_paragraphs': (answer, { num_paragraphs: count }) => paragraphsAre(answer, count),
  'length_constraints:number_words': (answer, { num_words: count, relation }) => holds(answer.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0, relation, count),
  'length_constraints:nth_paragraph_first_word': firstWordIs,
  'detectable_content:number_placeholders': (answer, { num_placeholders: count }) => (answer.match(/\[.*?\]/g)?.length ?? 0) >= numberOf(count),
  'detectable_content:postscript': (answer, { postscript_marker: marker }) => hasPostscript(answer, textOf(marker)),
  'detectable_format:number_bullet_lists': (answer, { num_bullets: count }) => (answer.match(/^\s*\*[^*].*$/gm)?.length ?? 0) + (answer.match(/^\s*-.*$/gm)?.length ?? 0) === numberOf(count),
  'detectable_format:constrained_response': (answer) => ['My answer is yes.', 'My answer is no.', 'My answer is maybe.'].some((each) => answer.includes(each)),
  'detectable_format:number_highlighted_sections': (answer, { num_highlights: count }) => hasHighlights(answer, count),
  'detectable_format:multiple_sections': (answer, { num_sections: count, section_spliter: splitter }) => answer.split(pattern(`\\s?${textOf(splitter)}\\s?\\d+\\s?`, '')).length - 1 >= numberOf(count),
  'detectable_format:json_format': isJson,
  'detectable_format:title': (answer) => (answer.match(/<<[^\n]+>>/g) ?? []).some((title) => title.replace(/^<+|>+$/g, '').trim() !== ''),
  'combination:two_responses': areTwoResponses,
  'combination:repeat_prompt': (answer, { prompt_to_repeat: prompt }) => answer.trim().toLowerCase().startsWith(textOf(prompt).toLowerCase()),
  'startend:end_checker': (answer, { end_phrase: end }) => answer.trim().replace(/^"+|"+$/g, '').toLowerCase().endsWith(textOf(end).toLowerCase()),
  'startend:quotation': (answer) => answer.trim().length > 1 && answer.trim().startsWith('"') && answer.trim().endsWith('"'),
  'change_case:capital_word_frequency': (answer, { capital_frequency: frequency, capital_relation: relation }) => holds(countCapitalWords(answer), relation, frequency),
  'change_case:english_capital': (answer) => isUpper(answer) && isIn('en', answer),
  'change_case:english_lowercase': (answer) => isLower(answer) && isIn('en', answer),
  'punctuation:no_comma': (answer) => !answer.includes(','),
}; // biome-ignore format: a table
