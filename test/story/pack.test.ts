/** What `npm pack` makes of a clean clone, and of one in which an older version was built: built modules, no more and no fewer. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const repo = join(import.meta.dirname, '../..');
const clone = mkdtempSync(join(tmpdir(), 'nomoat-pack-'));
afterAll(() => rmSync(clone, { recursive: true, force: true }));
/** What a clone does not have, and what is large and never packed. */
const left = new Set(['node_modules', 'dist', '.git', 'test', 'runs', 'coverage', 'tmp', '.venv']);

interface Packed {
  readonly files: readonly { readonly path: string }[];
}
let packed: string[] = [];

beforeAll(() => {
  cpSync(repo, clone, { recursive: true, filter: (path) => path === repo || !left.has(basename(path)) });
  symlinkSync(join(repo, 'node_modules'), join(clone, 'node_modules'));
  mkdirSync(join(clone, 'dist'));
  writeFileSync(join(clone, 'dist/stale.js'), '');
  const out = execFileSync('npm', ['run', 'package', '--', '--dry-run', '--json'], { cwd: clone, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }); // biome-ignore format: one line
  // What the scripts say comes first.
  const [{ files }] = JSON.parse(out.slice(out.search(/^\[/m))) as [Packed];
  packed = files.map(({ path }) => path).sort();
}, 240_000);

test('every source module is there as JavaScript with its types, and nothing stale is', () => {
  const modules = readdirSync(join(repo, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.[jt]s$/.test(name) && !/\.(test|d)\.ts$/.test(name))
    .map((name) => `dist/${name.replace(/\.ts$/, '.js')}`);
  expect(modules.length).toBeGreaterThan(100);
  expect(packed.filter((path) => /^dist\/.*\.js$/.test(path))).toEqual(modules.sort());
  for (const path of modules) expect(packed).toContain(path.replace(/\.js$/, '.d.ts'));
});

test('what package.json points to is there, and nothing that is no part of the package', () => {
  const manifest = JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8')) as {
    readonly bin: Readonly<Record<string, string>>;
    readonly exports: { readonly '.': Readonly<Record<string, string>> };
    readonly files: readonly string[];
  };
  const named = [...Object.values(manifest.bin), ...Object.values(manifest.exports['.'])];
  for (const path of named) expect(packed).toContain(relative('.', path));
  for (const path of manifest.files) expect(packed.some((name) => name === path || name.startsWith(`${path}/`)), path).toBe(true); // biome-ignore format: one line
  expect(packed.filter((path) => /^(src|test|bench|docs)\/|\.test\.|\.ts$(?<!\.d\.ts)/.test(path) && !path.startsWith('examples/'))).toEqual([]); // biome-ignore format: one line
  expect(readFileSync(join(clone, 'dist/cli/main.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(existsSync(join(clone, 'dist/stale.js'))).toBe(false);
});
