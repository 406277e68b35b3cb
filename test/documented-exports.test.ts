/**
 * Whatever src/index.ts exports says what it is, where it is declared. The whole check, of methods and of types that
 * signatures name too, is typedoc's (npm run docs:api); this one needs nothing installed.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../src');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** What a file hands on of others: the name there, and the file. */
const handedOn = (file: string): { readonly name: string; readonly from: string }[] =>
  [...read(file).matchAll(/^export\s+(?:type\s+)?\{([^}]*)\}\s+from\s+'([^']+)'/gm)].flatMap(([, names, from]) =>
    names!
      .split(',')
      .map((name) => name.trim().replace(/^type\s+/, ''))
      .filter((name) => name !== '')
      .map((name) => ({
        name: name.split(/\s+as\s+/)[0]!,
        from: relative(root, join(root, dirname(file), from!)),
      })),
  );

/** Whether a comment that is meant for readers of the reference stands before the declaration; null where there is none. */
function isDocumented(source: string, name: string): boolean | null {
  const declaration = new RegExp(
    `^export (?:declare )?(?:async )?(?:abstract )?(?:interface|type|class|const|function\\*?) ${name}\\b`,
    'm',
  );
  const at = source.search(declaration);
  return at < 0 ? null : source.slice(0, at).endsWith('*/\n');
}

function documentedIn(file: string, name: string): boolean {
  const here = isDocumented(read(file), name);
  if (here !== null) return here;
  const next = handedOn(file).find((other) => other.name === name);
  if (!next) throw new Error(`${file} declares no ${name}`);
  return documentedIn(next.from, name);
}

const exported = handedOn('index.ts');

test.each(exported.map(({ from, name }) => [name, from] as const))('%s of %s is documented', (name, from) => {
  expect(documentedIn(from, name)).toBe(true);
});

test('exports are found, and one without a comment would be', () => {
  expect(exported.length).toBeGreaterThan(80);
  expect(isDocumented('/** What. */\nexport interface A {', 'A')).toBe(true);
  expect(isDocumented('export const b = 1;\nexport async function A() {', 'A')).toBe(false);
  expect(isDocumented('export interface Another {', 'A')).toBe(null);
});
