/**
 * Every text of the page in the reader's language. A further language is one file beside these two, and a line here: the type of the English one is
 * that of all, so that a missing sentence does not compile.
 */
import { en, type Words } from './words/en.ts';
import { zh } from './words/zh.ts';

export type { Words } from './words/en.ts';

export const languages = { en: { name: 'EN', words: en }, 'zh-Hans': { name: '中文', words: zh } } as const;
export type LanguageName = keyof typeof languages;

let spoken: LanguageName = 'en';

export function setWords(language: LanguageName): void {
  spoken = language;
}
/** The words of now. */
export const w = (): Words => languages[spoken].words;
export const languageNow = (): LanguageName => spoken;

/** A text that has both languages, as the report's have. */
export const said = ({ en: english, zh: chinese }: { readonly en: string; readonly zh: string }): string =>
  spoken === 'en' ? english : chinese;

/** What `make` makes, once for each language: one of Intl's takes longer to make than to use, and a page has hundreds of numbers. */
function inEach<Made>(make: (language: LanguageName) => Made): () => Made {
  const known = new Map<LanguageName, Made>();
  return () => {
    const made = known.get(spoken) ?? make(spoken);
    known.set(spoken, made);
    return made;
  };
}

const numbers = inEach((language) => new Intl.NumberFormat(language));
const figures = inEach(() => new Map<number, Intl.NumberFormat>());
const shares = inEach((language) => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }));
const days = inEach((language) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }));
const plurals = inEach((language) => new Intl.PluralRules(language));

function figuresOf(digits: number): Intl.NumberFormat {
  const format = figures().get(digits) ?? new Intl.NumberFormat(spoken, { maximumSignificantDigits: digits });
  figures().set(digits, format);
  return format;
}

export const count = (value: number): string => numbers().format(value);
export const figure = (value: number | null | undefined, digits = 4): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '–' : figuresOf(digits).format(value);
/** A share of 1 as percent. */
export const share = (value: number): string => shares().format(value);
export const day = (iso: string): string => days().format(new Date(iso));
/** `one` or `other` by the language's plurals, with the number in it. */
export const plural = (n: number, forms: { readonly one: string; readonly other: string }): string =>
  forms[plurals().select(n) === 'one' ? 'one' : 'other'].replace('{n}', count(n));
