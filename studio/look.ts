/** The reader's language and colours: theirs until they choose, and kept for the next time. */
import { useEffect, useState } from 'preact/hooks';
import { loadSentences } from './words/sentences.ts';
import { type LanguageName, languages, setWords } from './words.ts';

const changed = 'studio-look';

function kept(name: string, value?: string): string | null {
  try {
    if (value !== undefined) localStorage.setItem(`nomoat-studio-${name}`, value);
    return localStorage.getItem(`nomoat-studio-${name}`);
  } catch {
    return value ?? null;
  }
}

const isLanguage = (name: string | null): name is LanguageName => name !== null && Object.hasOwn(languages, name);

export type Theme = 'auto' | 'light' | 'dark';

export function speak(language: LanguageName, keep = true): void {
  if (keep) kept('language', language);
  document.documentElement.lang = language;
  setWords(language);
  dispatchEvent(new Event(changed));
  // What the library says comes behind the page's own words.
  void loadSentences(language).then(() => dispatchEvent(new Event(changed)));
}

export function paint(theme: Theme, keep = true): void {
  if (keep) kept('theme', theme);
  const root = document.documentElement;
  if (theme === 'auto') delete root.dataset.theme;
  else root.dataset.theme = theme;
  dispatchEvent(new Event(changed));
}

export const themeNow = (): Theme => (document.documentElement.dataset.theme as Theme | undefined) ?? 'auto';

export function begin(): void {
  const language = kept('language');
  speak(isLanguage(language) ? language : /^zh\b/i.test(navigator.language) ? 'zh-Hans' : 'en', false);
  const theme = kept('theme');
  paint(theme === 'light' || theme === 'dark' ? theme : 'auto', false);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => dispatchEvent(new Event(changed)));
}

/** Counts changes of the look, so that what is drawn by hand is drawn anew. */
export function useLook(): number {
  const [count, set] = useState(0);
  useEffect(() => {
    const hear = (): void => set((each) => each + 1);
    addEventListener(changed, hear);
    return () => removeEventListener(changed, hear);
  }, []);
  return count;
}
