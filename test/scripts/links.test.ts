/** Links between documents lead to files that are there and to headings that stand in them, as GitHub names headings. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { documents } from './documented.ts';
import { repo } from './small-inputs.ts';

const text = (file: string): string => readFileSync(join(repo, file), 'utf8');
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');
const headings = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => slug(heading!));

/** Targets of `[text](target)` and of `[name]: target`. */
const targets = (markdown: string): string[] =>
  [...markdown.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(([, inline, named]) => inline ?? named!);

/** Names used in `[text][name]` that no line defines. */
function undefinedNames(markdown: string): string[] {
  const defined = new Set([...markdown.matchAll(/^\[([^\]]+)\]: /gm)].map(([, name]) => name!));
  return [...markdown.matchAll(/\]\[([^\]]+)\]/g)].map(([, name]) => name!).filter((name) => !defined.has(name));
}

function brokenLinks(file: string, markdown: string): string[] {
  const isBroken = (target: string): boolean => {
    if (/^https?:/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const other = path === '' ? file : relative(repo, join(repo, dirname(file), path));
    if (!existsSync(join(repo, other))) return true;
    return anchor !== undefined && !headings(text(other)).includes(anchor);
  };
  return [...targets(markdown).filter(isBroken), ...undefinedNames(markdown)];
}

test.each(documents)('links of %s', (file) => {
  expect(brokenLinks(file, text(file))).toEqual([]);
});

test('links are found, and broken ones would be', () => {
  expect(documents.flatMap((file) => targets(text(file))).length).toBeGreaterThan(100);
  const broken = '[a](gone.md) [b](README.md#gone) [c][gone]\n[d]: docs/gone.md\n[e](README.md#measured)';
  expect(brokenLinks('README.md', broken)).toEqual(['gone.md', 'README.md#gone', 'docs/gone.md', 'gone']);
});
