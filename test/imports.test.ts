/** Imports go the way of the data: values, types and `import()` alike, to earlier folders only, and never in a circle. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';

/** The order of the data: a folder may import those before it and itself. */
const order = [
  'error-codes.ts',
  'errors.ts',
  'words',
  'similarity',
  'stop.ts',
  'event-history.ts',
  'kernels',
  'formats',
  'records',
  'store',
  'text',
  'tokens',
  'batches',
  'linear-algebra',
  'losses',
  'graph',
  'lora',
  'models',
  'settings',
  'sample-events.ts',
  'safety-event.ts',
  'verdict-event.ts',
  'events.ts',
  'runtime',
  'machine',
  'train',
  'adapter',
  'bundle',
  'chat',
  'client',
  'llama',
  'evaluate',
  'inspect',
  'merge',
  'data-checks',
  'safety',
  'dataset',
  'migrate',
  'plan',
  'report',
  'run',
  'library.ts',
  'library',
  'server',
  'index.ts',
  'cli',
];
const pure =
  /^(text|batches|similarity|kernels|linear-algebra|graph|models|lora)\/|^tokens\/(tokenizer|token-row|rows|same-rows|trainable|preview)\.|^train\/(optimizer|clip|schedule|dropout|step)\.|^(error-codes|errors|words\/shell-quote)\./;

const root = join(import.meta.dirname, '../src');
const slashes = (path: string): string => path.split(sep).join('/');
const isModule = (name: string): boolean => name.endsWith('.ts') && !/\.(test|d)\.ts$/.test(name);
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map(slashes).filter(isModule);
const topOf = (name: string): string => name.split('/')[0]!;

interface Import {
  readonly from: string;
  readonly isType: boolean;
}

/** What a file imports: whole statements, those over several lines too, and `import()`. */
function importsOf(name: string): Import[] {
  const text = readFileSync(join(root, name), 'utf8');
  const statements = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'/gm)];
  const bare = [...text.matchAll(/^import\s+'([^']+)'/gm)];
  const later = [...text.matchAll(/(typeof\s+)?\bimport\('([^']+)'\)/g)];
  return [
    ...statements.map(([, type, from]) => ({ from: from!, isType: type !== undefined })),
    ...bare.map(([, from]) => ({ from: from!, isType: false })),
    ...later.map(([, type, from]) => ({ from: from!, isType: type !== undefined })),
  ];
}

/** Path under src of what a file imports; null for packages. */
const targetOf = (name: string, from: string): string | null =>
  from.startsWith('.') ? slashes(relative(root, join(root, dirname(name), from))) : null;

const edges = new Map(
  files.map((name) => [name, importsOf(name).flatMap(({ from }) => targetOf(name, from) ?? [])] as const),
);

/** Everything that a file imports, and what that imports, and so on. */
function reach(name: string): Set<string> {
  const seen = new Set<string>();
  const pending = [...edges.get(name)!];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    pending.push(...(edges.get(next) ?? []));
  }
  return seen;
}

test('every source file is walked, and every folder has its place', () => {
  const walk = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? walk(path) : isModule(path) ? [path] : [];
    });
  expect([...files].sort()).toEqual(walk('').sort());
  expect(files.length).toBeGreaterThan(120);
  expect(files.filter((name) => !order.includes(topOf(name)))).toEqual([]);
  const edgeCount = [...edges.values()].reduce((sum, list) => sum + list.length, 0);
  expect(edgeCount).toBeGreaterThan(4 * files.length);
});

test.each(files)('%s imports only what comes before it', (name) => {
  const place = (path: string): number => order.indexOf(topOf(path));
  for (const { from, isType } of importsOf(name)) {
    if (pure.test(name) && !isType)
      expect(from, 'pure parts know neither Node nor an engine').not.toMatch(/^node:|onnxruntime|llama/);
    const target = targetOf(name, from);
    if (target === null) continue;
    // Generated code beside its types is JavaScript.
    if (!target.endsWith('.js')) expect(files, `${name} imports ${from}`).toContain(target);
    expect(place(target), `${name} imports ${target}`).toBeLessThanOrEqual(place(name));
  }
});

test('no file imports itself by way of others', () => {
  const found = files
    .filter((name) => reach(name).has(name))
    .map(
      (name) => `${name} with ${files.filter((other) => reach(name).has(other) && reach(other).has(name)).join(', ')}`,
    );
  expect(found).toEqual([]);
});

/** Packages and modules that are loaded with a file: what `import()` and types name is not. */
function loadedWith(name: string): Set<string> {
  const seen = new Set<string>([name]);
  const pending = [name];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const text = readFileSync(join(root, next), 'utf8');
    for (const [, type, from] of text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'/gm)) {
      const target = type ? null : (targetOf(next, from!) ?? from!);
      if (target === null || target.startsWith('node:') || seen.has(target)) continue;
      seen.add(target);
      if (files.includes(target)) pending.push(target);
    }
  }
  return seen;
}
const heavy = ['node-llama-cpp', 'onnxruntime-node', '@bufbuild/protobuf', 'csv-parse/sync'];

test('a command loads what it needs: the help no schemas, the process that shows a run no engine', () => {
  const help = loadedWith('cli/main.ts');
  for (const unneeded of [...heavy, 'zod', 'yaml']) expect(help).not.toContain(unneeded);
  expect(help).toContain('commander');
  for (const name of [
    'tune',
    'pretrain',
    'runs',
    'plan',
    'chat',
    'serve',
    'studio',
    'models',
    'doctor',
    'schema',
    'preview',
    'export',
    'pull',
  ])
    for (const unneeded of heavy) expect(loadedWith(`cli/${name}.ts`), name).not.toContain(unneeded);
  expect(loadedWith('run/run-training.ts')).toContain('onnxruntime-node');
});

test('a program that imports the library waits for no engine, and for no lists of languages, keys and phone numbers', () => {
  const loaded = loadedWith('index.ts');
  for (const unneeded of [
    'node-llama-cpp',
    'onnxruntime-node',
    'eld/extrasmall',
    '@secretlint/core',
    'libphonenumber-js/max',
    'validator',
  ])
    expect(loaded).not.toContain(unneeded);
  expect(loaded).toContain('zod');
});
