/**
 * What `npm run package` makes of a clean clone, and of one in which an older version was built: built modules, no more and no fewer.
 * Installed into an empty folder, it is lean, runs no script, trains and chats, from the command line and from a program.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';

const repo = join(import.meta.dirname, '../..');
const clone = mkdtempSync(join(tmpdir(), 'nomoat-pack-'));
afterAll(() => rmSync(clone, { recursive: true, force: true }));
/** What a clone does not have, and what is large and never packed. */
const left = new Set(['node_modules', 'dist', 'build', '.git', 'test', 'runs', 'coverage', 'tmp', '.venv']);

interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: { readonly '.': Readonly<Record<string, string>> };
  readonly files: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
const own = readManifest(repo);

/** Of the bundled packages' dependencies: what fetches CUDA files, compiles llama.cpp or reads a command line. */
const neverLoaded = /^(adm-zip|global-agent|cmake-js|ignore|node-addon-api|validate-npm-package-name|yargs)$/;

/** npm as the tests were started with, or the shell's. */
function npm(args: readonly string[], cwd: string): string {
  const path = process.env.npm_execpath;
  const [program, first] = path?.endsWith('.js') ? [process.execPath, [path]] : ['npm', []];
  return execFileSync(program, [...first, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: program === 'npm' && process.platform === 'win32',
  });
}

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}
let packed: string[] = [];
let tarball = '';

beforeAll(() => {
  cpSync(repo, clone, { recursive: true, filter: (path) => path === repo || !left.has(basename(path)) });
  symlinkSync(join(repo, 'node_modules'), join(clone, 'node_modules'), 'junction');
  mkdirSync(join(clone, 'dist'));
  writeFileSync(join(clone, 'dist/stale.js'), '');
  const out = npm(['run', 'package', '--', '--json'], clone);
  // What the scripts say comes first.
  const [{ filename, files }] = JSON.parse(out.slice(out.search(/^\[/m))) as [Packed];
  packed = files.map(({ path }) => path).sort();
  tarball = join(clone, filename);
}, 240_000);

test('every source module is there as JavaScript with its types and a map that holds its source, and nothing stale is', () => {
  const modules = readdirSync(join(repo, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.[jt]s$/.test(name) && !/\.(test|d)\.ts$/.test(name))
    .map((name) => `dist/${name.replace(/\.ts$/, '.js')}`);
  expect(modules.length).toBeGreaterThan(100);
  // The studio's pages are scripts that vite made, each with a map of its own (test/story/studio.test.ts).
  const page = packed.filter((path) => path.startsWith('dist/studio/'));
  expect(page).toEqual(expect.arrayContaining(['dist/studio/icon.svg', 'dist/studio/index.html']));
  const scripts = page.filter((path) => path.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(1);
  expect(page.filter((path) => path.endsWith('.js.map'))).toEqual(scripts.map((path) => `${path}.map`));
  expect(packed.filter((path) => /^dist\/.*\.js$/.test(path) && !page.includes(path))).toEqual(modules.sort());
  for (const path of modules) expect(packed).toContain(path.replace(/\.js$/, '.d.ts'));
  const mapped = modules.filter((path) => packed.includes(`${path}.map`));
  // Code that a generator wrote is taken as it is.
  expect(modules.filter((path) => !mapped.includes(path) && !path.includes('/gen/'))).toEqual([]);
  for (const path of mapped) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(clone, `${path}.map`), 'utf8')) as {
      readonly sources: readonly string[];
      readonly sourcesContent?: readonly string[];
    };
    const texts = sources.map((source) => readFileSync(join(clone, dirname(path), source), 'utf8'));
    expect(sourcesContent, path).toEqual(texts);
  }
});

test('what package.json points to is there, and nothing that is no part of the package', () => {
  const named = [...Object.values(own.bin), ...Object.values(own.exports['.'])];
  for (const path of named) expect(packed).toContain(relative('.', path).replaceAll('\\', '/'));
  for (const path of own.files)
    expect(
      packed.some((name) => name === path || name.startsWith(`${path}/`)),
      path,
    ).toBe(true);
  const others = /^(src|studio|test|bench|docs|packaging)\/|\.test\.|\.ts$(?<!\.d\.ts)/;
  expect(packed.filter((path) => others.test(path) && !/^(examples|node_modules)\//.test(path))).toEqual([]);
  expect(readFileSync(join(clone, 'dist/cli/main.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(existsSync(join(clone, 'dist/stale.js'))).toBe(false);
});

test('llama.cpp and onnxruntime come inside it, with licences, without scripts, sources and GPU builds', () => {
  const inside = packed.filter((path) => path.startsWith('node_modules/'));
  expect(new Set(inside.map((path) => path.split('/')[1]))).toEqual(new Set(['node-llama-cpp', 'onnxruntime-node']));
  const stage = join(clone, 'build/package');
  const published = readManifest(stage);
  expect(published).not.toHaveProperty('private');
  expect(published).not.toHaveProperty('devDependencies');
  for (const name of ['node-llama-cpp', 'onnxruntime-node']) {
    expect(inside).toContain(`node_modules/${name}/LICENSE`);
    const manifest = readManifest(join(stage, 'node_modules', name));
    expect(manifest.version).toBe(own.dependencies[name]);
    for (const field of ['scripts', 'dependencies', 'optionalDependencies']) expect(manifest).not.toHaveProperty(field);
    const { dependencies } = readManifest(join(repo, 'node_modules', name));
    const needed = Object.keys(dependencies).filter((wanted) => !neverLoaded.test(wanted));
    expect(Object.keys(published.dependencies)).toEqual(expect.arrayContaining(needed));
  }
  expect(published).not.toHaveProperty('scripts');
  expect(inside.filter((path) => path.endsWith('.bundle'))).toEqual([]);
  const builds = Object.entries(published.optionalDependencies!);
  expect(builds.length).toBeGreaterThan(4);
  for (const [build, version] of builds) {
    expect(build).not.toMatch(/cuda|vulkan/);
    expect(version).toBe(own.dependencies['node-llama-cpp']);
  }
});

/** What a CPU user on Linux x64 is asked for at most: docs/install-size.md says what it is made of. */
const mostInstalledBytes = 450e6;
/** npm asks again and again; a mirror nearby answers in one second. */
const registryMilliseconds = 30_000;

function whyNoRegistry(): string | null {
  try {
    npm(
      [
        'view',
        `node-llama-cpp@${own.dependencies['node-llama-cpp']}`,
        'version',
        '--prefer-online',
        `--fetch-timeout=${registryMilliseconds}`,
        '--fetch-retries=0',
      ],
      clone,
    );
    return null;
  } catch (error) {
    return `the npm registry cannot be reached: ${String((error as { readonly stderr?: string }).stderr).split('\n')[0]}`;
  }
}

/** Bytes on the disk, as `du` counts them. */
function diskBytes(path: string): number {
  const { blocks, size } = lstatSync(path);
  const below = lstatSync(path).isDirectory() ? readdirSync(path).map((name) => diskBytes(join(path, name))) : [];
  return below.reduce((sum, bytes) => sum + bytes, process.platform === 'win32' ? size : blocks * 512);
}

const program = `
import { NomoatError, openModel, type RunEvent, type TuneOptions, tune } from 'nomoat';

const [model] = process.argv.slice(2) as [string];
const options: TuneOptions = { model, data: 'data.jsonl', run: 'run', epochs: 1, batchSize: 4, rank: 4, validation: 0.2 };
const run = tune(options);
const types: RunEvent['type'][] = [];
for await (const event of run) types.push(event.type);
const { parity } = await run.result;
const tuned = await openModel({ model: run.folder });
const { tokens } = await tuned.generate([{ role: 'user', content: 'number 3' }], { maxTokens: 4, temperature: 0 });
await tuned[Symbol.asyncDispose]();
const missing: unknown = await tune({ model, data: 'nowhere.jsonl' }).result.catch((error: unknown) => error);
const code = missing instanceof NomoatError ? missing.code : null;
console.log(JSON.stringify({ steps: types.filter((type) => type === 'step-end').length, parity: parity?.passed, tokens, code }));
`;
const compileOptions = [
  '--module',
  'nodenext',
  '--target',
  'es2023',
  '--lib',
  'esnext,dom',
  '--strict',
  '--types',
  'node',
];
const data = Array.from({ length: 20 }, (_, i) => ({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }));

/** Every file below `folder` with its bytes. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${relative(folder, path)} ${lstatSync(path).size}`)
    .filter((line) => !line.startsWith('.package-lock.json '))
    .sort();

const folders = {
  plainly: mkdtempSync(join(tmpdir(), 'nomoat-install-')),
  'with ignore-scripts': mkdtempSync(join(tmpdir(), 'nomoat-install-')),
};
afterAll(() => {
  for (const folder of Object.values(folders)) rmSync(folder, { recursive: true, force: true });
});

describe.each([
  { name: 'plainly', flag: '--ignore-scripts=false' },
  { name: 'with ignore-scripts', flag: '--ignore-scripts' },
] as const)('installed $name into an empty folder', ({ name, flag }) => {
  const folder = folders[name];
  const node = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      input: '',
      env: { ...process.env, NOMOAT_HOME: join(folder, 'home') },
    });
  let missing: string | null = null;

  beforeAll(() => {
    missing = whyNoRegistry();
    if (missing !== null) return;
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    npm(['install', flag, tarball], folder);
  }, 240_000);

  test('it is small, and the same whether scripts may run or not', (context) => {
    if (missing !== null) context.skip(missing);
    const modules = join(folder, 'node_modules');
    const bytes = diskBytes(modules);
    expect(bytes).toBeGreaterThan(100e6);
    expect(bytes).toBeLessThan(mostInstalledBytes);
    expect(filesIn(modules)).toEqual(filesIn(join(folders.plainly, 'node_modules')));
  });

  const trainsAndChats = (context: TestContext): void => {
    if (missing !== null) context.skip(missing);
    const main = join(folder, 'node_modules/nomoat/dist/cli/main.js');
    const { status, stderr } = node(main, 'quickstart');
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('280 examples to learn from, 140 held out');
    const [, before] = stderr.match(/\nBefore: (\d+) of 140 right/)!;
    const [, right, low] = stderr.match(/\nAfter: {2}(\d+) of 140 right \(\d+%, 95% interval (\d+) to \d+%\)/)!;
    expect(Number(low)).toBeGreaterThan((100 * Number(before)) / 140 + 20);
    expect(Number(right)).toBeGreaterThan(70);
    expect(Number(right)).toBeGreaterThan(Number(before));
    expect(stderr).toContain(`Chat with it:  npx nomoat chat ${join('runs', 'quickstart')}`);
    expect(existsSync(join(folder, 'runs/quickstart/adapter/adapter.gguf'))).toBe(true);
    const answer = node(main, 'chat', 'runs/quickstart', '--prompt', 'how cold will it be here', '--temperature', '0');
    expect(answer.stdout).toBe('GetWeather\n');
  };
  test('the kernels in it are those of its manifest: they load, or the processor is what is lacking', (context) => {
    if (missing !== null) context.skip(missing);
    const program = `import { loadKernels } from './node_modules/nomoat/dist/runtime/native/load.js';
    const loaded = loadKernels();
    console.log(loaded.reason ?? loaded.instructionSet);`;
    const { stdout } = node('--input-type=module', '--eval', program);
    const isBuilt = process.platform === 'linux' && process.arch === 'x64';
    expect(stdout).toMatch(
      isBuilt ? /^(avx512-vnni|avx2|this processor lacks [\w, ]+)\n$/ : /^no kernels are built for /,
    );
  });

  test('a TypeScript program compiles against its types, trains and chats', { timeout: 240_000 }, (context) => {
    if (missing !== null) context.skip(missing);
    writeFileSync(join(folder, 'program.ts'), program);
    writeFileSync(join(folder, 'data.jsonl'), data.map((row) => JSON.stringify(row)).join('\n'));
    const tsc = join(repo, 'node_modules/typescript/bin/tsc');
    const compiled = node(tsc, 'program.ts', ...compileOptions, '--typeRoots', join(repo, 'node_modules/@types'));
    expect(compiled.stdout + compiled.stderr).toBe('');
    const ran = node('program.js', join(repo, 'test/fixtures/reference/llama/base.gguf'));
    expect(ran.stderr).toBe('');
    expect(JSON.parse(ran.stdout)).toEqual({
      steps: 4,
      parity: true,
      tokens: expect.any(Number),
      code: 'data-not-found',
    });
  });

  // Once is enough for the same files.
  if (name === 'plainly')
    test('quickstart: before, training, after, how to chat; and chat answers', { timeout: 400_000 }, trainsAndChats);
});
