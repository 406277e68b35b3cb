/** The studio's sentences: every language says each, with the same names to be filled in, and the page uses each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { languages } from '../studio/words.ts';

type Tree = { readonly [name: string]: string | readonly string[] | Tree };

/** Sentences by their places. */
function sentences(tree: Tree, place = ''): [string, string][] {
  return Object.entries(tree).flatMap(([name, value]): [string, string][] => {
    const at = place === '' ? name : `${place}.${name}`;
    if (typeof value === 'string') return [[at, value]];
    return sentences(Object.fromEntries(Object.entries(value)), at);
  });
}

const { en, ...others } = languages;
const english = sentences(en.words);
const filled = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

test.each(Object.entries(others))('%s says all that is said in English, and nothing else', (name, { words }) => {
  const said = new Map(sentences(words));
  expect(english.length).toBeGreaterThan(150);
  expect([...said.keys()]).toEqual(english.map(([place]) => place));
  for (const [place, text] of english) {
    expect(said.get(place)?.trim(), place).not.toBe('');
    expect(filled(said.get(place)!), place).toEqual(filled(text));
    if (name === 'zh-Hans' && /[a-z]{4}/i.test(text.replace(/\{\w+\}|TypeScript/g, '')))
      expect(said.get(place), place).toMatch(/\p{Script=Han}/u);
  }
});

test('every sentence is used', () => {
  const root = join(import.meta.dirname, '../studio');
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.tsx?$/.test(name) && !name.startsWith('words'),
  );
  const text = sources.map((name) => readFileSync(join(root, name), 'utf8')).join('\n');
  // Those of tables are found by names that come from data.
  const tables =
    /^(?:run\.states|data\.kinds|data\.(?:prompt|completion|text)Column|plan\.settings|exported\.formats|home\.examples|compare\.measures|pull\.states|tour\.(?:steps|notes)|make\.kind(?:s|Notes)\.|data\.(?:severe|warning|note)$|steps\.|inside\.(?:how|states|measures)|combine\.methods|share\.(?:kinds|signatures)|proof\.(?:kinds|by)|serving\.scopes|tasks\.(?:cancelled|interrupted)$)|\.(?:one|other)$/;
  const unused = english
    .map(([place]) => place)
    .filter((place) => !tables.test(place) && !new RegExp(`\\.${place.split('.').at(-1)}\\b`).test(text));
  expect(unused).toEqual([]);
});
