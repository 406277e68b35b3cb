/**
 * What the library says, in the reader's language: its sentences are looked up by their English, as gettext does, with what is filled in found again.
 * A sentence that is not known stays as it is. Catalogues come when their language is first spoken: the first page needs none.
 */
import { type LanguageName, languageNow } from '../words.ts';

/** By the English, in which `{}` is what is filled in; in the words `{}` is the next of these, `{2}` the second. */
type Catalogue = Readonly<Record<string, string>>;

const catalogues: Readonly<Record<Exclude<LanguageName, 'en'>, () => Promise<Catalogue>>> = {
  'zh-Hans': async () => (await import('./sentences/zh.ts')).zhSentences,
};

interface Form {
  /** The English around what is filled in. */
  readonly pieces: readonly string[];
  readonly words: string;
}

/** A catalogue, made for looking up: sentences as they are, and forms by the length of what is fixed in them, the longest first. */
export interface Sentences {
  readonly whole: ReadonlyMap<string, string>;
  readonly forms: readonly Form[];
}

const fixed = ({ pieces }: Form): number => pieces.reduce((sum, piece) => sum + piece.length, 0);

export function sentencesOf(catalogue: Catalogue): Sentences {
  const all = Object.entries(catalogue);
  const forms = all
    .filter(([english]) => english.includes('{}'))
    .map(([english, words]) => ({ pieces: english.split('{}'), words }));
  return {
    whole: new Map(all.filter(([english]) => !english.includes('{}'))),
    forms: forms.sort((a, b) => fixed(b) - fixed(a)),
  };
}

const loaded = new Map<LanguageName, Sentences>();

/** Resolves once the language's sentences are there. English has none. Where they do not come, the library's own stand there. */
export async function loadSentences(language: LanguageName): Promise<void> {
  if (language === 'en' || loaded.has(language)) return;
  const catalogue = await catalogues[language]().catch(() => null);
  if (catalogue) loaded.set(language, sentencesOf(catalogue));
}

/** Whether what was opened in it is closed in it: else a form reached over several phrases. */
const isClosed = (text: string): boolean => {
  let open = 0;
  for (const c of text) {
    open += c === '(' ? 1 : c === ')' ? -1 : 0;
    if (open < 0) return false;
  }
  return open === 0;
};

/** What stands in the places of a form; null where the text is none of it. */
function filledIn({ pieces }: Form, text: string): string[] | null {
  const [first = '', ...others] = pieces;
  const last = others.pop() ?? '';
  const end = text.length - last.length;
  if (!text.startsWith(first) || !text.endsWith(last) || end < first.length) return null;
  const values: string[] = [];
  let at = first.length;
  for (const piece of others) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return null;
    values.push(text.slice(at, found));
    at = found + piece.length;
  }
  values.push(text.slice(at, end));
  return values.every(isClosed) ? values : null;
}

/** Sentences in sentences: reasons in notes, parts in reasons. */
const deepest = 4;
/** Longer texts are those of data. */
const longest = 4000;

/** A text of one sentence or a part of one; null where it is not known. */
function phrase(text: string, sentences: Sentences, depth: number): string | null {
  const known = sentences.whole.get(text);
  if (known !== undefined) return known;
  if (depth > deepest) return null;
  for (const form of sentences.forms) {
    const values = filledIn(form, text);
    if (values === null) continue;
    // What stands in quotes is a name of the reader's data.
    const inner = values.map((value, i) =>
      /["'`“]$/.test(form.pieces[i]!) ? value : (translated(value, sentences, depth + 1)?.text ?? value),
    );
    let next = 0;
    return form.words.replace(/\{(\d?)\}/g, (_, n: string) => inner[n === '' ? next++ : Number(n) - 1] ?? '');
  }
  return null;
}

/** `whole`: nothing of it is left in English but names and what was filled in. */
export interface Translated {
  readonly text: string;
  readonly whole: boolean;
}

/** `part: fault`, as errors name what is at fault. */
function behindColon(text: string, sentences: Sentences, depth: number): string | null {
  for (let at = text.indexOf(': '); at >= 0; at = text.indexOf(': ', at + 1)) {
    const rest = phrase(text.slice(at + 2), sentences, depth + 1);
    if (rest !== null) return `${phrase(text.slice(0, at), sentences, depth + 1) ?? text.slice(0, at)}：${rest}`;
  }
  return null;
}

function sentence(text: string, sentences: Sentences, depth: number): string | null {
  const asIs = phrase(text, sentences, depth) ?? behindColon(text, sentences, depth);
  if (asIs !== null || !text.endsWith('.')) return asIs;
  const bare = text.slice(0, -1);
  const found = phrase(bare, sentences, depth) ?? behindColon(bare, sentences, depth);
  return found === null ? null : `${found}。`;
}

/** Several phrases in a row: a list of reasons, or of settings. */
function list(text: string, sentences: Sentences, depth: number): string | null {
  const parts = text.split(/, (?![^(]*\))/);
  if (parts.length === 1) return null;
  const each = parts.map((part) => phrase(part, sentences, depth + 1));
  return each.every((part) => part !== null) ? each.join('，') : null;
}

/** One sentence or several; null where none of them is known. */
export function translated(text: string, sentences: Sentences, depth = 0): Translated | null {
  if (text.length > longest || depth > deepest) return null;
  const one = sentence(text, sentences, depth) ?? list(text, sentences, depth);
  if (one !== null) return { text: one, whole: true };
  const parts = text.split(/(?<=[.!?])\s+/);
  if (parts.length === 1) return null;
  const each = parts.map((part) => sentence(part, sentences, depth));
  if (each.every((part) => part === null)) return null;
  return {
    text: parts.map((part, i) => each[i] ?? `${part} `).join(''),
    whole: each.every((part) => part !== null),
  };
}

/** What the library says, as the reader reads it best; `whole` is false where English is left. */
export function ofLibrary(text: string): Translated {
  const sentences = loaded.get(languageNow());
  if (languageNow() === 'en') return { text, whole: true };
  return (sentences && translated(text, sentences)) ?? { text, whole: false };
}
