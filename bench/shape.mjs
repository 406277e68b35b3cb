/**
 * The shape of the sources: long files, long functions, functions of many parameters, casts by way of unknown, files that import one another.
 * node bench/shape.mjs [REVISION] [--json]     (of this tree, or of a revision of git; as rows of a table, or everything that was found)
 * Functions and parameters are counted by Biome; tests and generated code are not counted as files or functions of the library.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';

const repo = join(import.meta.dirname, '..');
/** Bounds of docs/decisions, shape: what one reads in one go, and what a call can say by place. */
const maxFileLines = 300;
const maxFunctionLines = 50;
const maxParameters = 4;
/** Folders with sources of any kind; src is the library. */
const folders = ['src', 'test', 'bench', 'examples'];
/** Of Biome's report, in bytes: a few hundred per finding. */
const maxReport = 64e6;
/** Of a tree with its fixtures. */
const maxArchive = 1 << 30;

const slashes = (path) => path.split(sep).join('/');
const isLibrary = (name) => name.startsWith('src/') && !/\.(test|d)\.ts$|\/gen\//.test(name);

function sourcesOf(root) {
  const present = new Set(readdirSync(root));
  const names = folders
    .filter((folder) => present.has(folder))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${slashes(name)}`))
    .filter((name) => name.endsWith('.ts'));
  return new Map(names.sort().map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

/** Findings of Biome's rules for shape in a copy of a tree, which gets a configuration of its own: what the tree's leaves out counts too. */
function biome(copy) {
  const rules = {
    preset: 'none',
    complexity: {
      useMaxParams: { level: 'error', options: { max: maxParameters } },
      noExcessiveLinesPerFunction: { level: 'error', options: { maxLines: maxFunctionLines } },
    },
  };
  const includes = ['**/*.ts', '!**/gen'];
  writeFileSync(join(copy, 'biome.json'), JSON.stringify({ root: true, files: { includes }, linter: { rules } }));
  const program = join(repo, 'node_modules/@biomejs/biome/bin/biome');
  const args = [program, 'lint', '--reporter=json', '--max-diagnostics=none', ...folders.filter((name) => existsSync(join(copy, name)))]; // biome-ignore format: one line
  const { stderr, stdout } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', maxBuffer: maxReport });
  const report = JSON.parse(stdout.slice(stdout.indexOf('{')));
  if (report.summary.unchanged === 0) throw new Error(`Biome looked at no file: ${stderr}`);
  return report.diagnostics.map(({ category, location }) => {
    const file = slashes(location.path);
    return { rule: category.split('/').at(-1), file, at: `${file}:${location.start.line}` };
  });
}

/** Groups of files that import one another, of types and by import() too. */
function cyclesOf(sources) {
  const edges = new Map(
    [...sources].map(([name, text]) => {
      const found = text.matchAll(/^(?:import|export)\s[^;]*?from\s+'(\.[^']+)'|^import\s+'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm);
      const targets = [...found].map(([, from, bare, later]) => slashes(relative('.', join(dirname(name), from ?? bare ?? later))));
      return [name, targets];
    }),
  );
  const reach = (name) => {
    const seen = new Set();
    const pending = [...edges.get(name)];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      pending.push(...(edges.get(next) ?? []));
    }
    return seen;
  };
  const reached = new Map([...edges.keys()].map((name) => [name, reach(name)]));
  const groups = [...edges.keys()]
    .filter((name) => reached.get(name).has(name))
    .map((name) => [...reached.keys()].filter((other) => reached.get(name).has(other) && reached.get(other).has(name)).join(' '));
  return [...new Set(groups)];
}

/** Everything found in the tree, by the rows of the table. */
function shapeOf(root) {
  const sources = sourcesOf(root);
  const library = new Map([...sources].filter(([name]) => isLibrary(name)));
  const findings = biome(root);
  const of = (rule) => findings.filter((found) => found.rule === rule);
  const lines = (text) => text.split('\n').length - 1;
  const places = ([name, text]) =>
    [...text.matchAll(/\bas\s+unknown\s+as\b/g)].map(({ index }) => `${name}:${lines(text.slice(0, index)) + 1}`);
  return {
    longFiles: [...library].filter(([, text]) => lines(text) > maxFileLines).map(([name, text]) => `${name}: ${lines(text)}`),
    longFunctions: of('noExcessiveLinesPerFunction').filter(({ file }) => isLibrary(file)).map(({ at }) => at),
    manyParameters: of('useMaxParams').map(({ at }) => at),
    casts: [...sources].flatMap(places),
    cycles: cyclesOf(library),
    files: library.size,
    lines: [...library.values()].reduce((sum, text) => sum + lines(text), 0),
  };
}

/** A copy of this tree's sources, or of a revision. */
function copyOf(revision) {
  const copy = mkdtempSync(join(tmpdir(), 'nomoat-shape-'));
  if (revision === undefined) {
    const isSource = (path) => !/\/(fixtures|results)$/.test(slashes(path));
    for (const name of folders) cpSync(join(repo, name), join(copy, name), { recursive: true, filter: isSource });
  } else {
    const archive = execFileSync('git', ['archive', '--format=tar', revision], { cwd: repo, maxBuffer: maxArchive });
    execFileSync('tar', ['-x', '-C', copy], { input: archive });
  }
  return copy;
}

const [revision] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const copy = copyOf(revision);
try {
  const shape = shapeOf(copy);
  const rows = [
    [`files over ${maxFileLines} lines`, shape.longFiles.length],
    [`functions over ${maxFunctionLines} lines`, shape.longFunctions.length],
    [`functions with ${maxParameters + 1} or more positional parameters`, shape.manyParameters.length],
    ['`as unknown as`', shape.casts.length],
    ['import cycles', shape.cycles.length],
    ['files and lines of src', `${shape.files}, ${shape.lines}`],
  ].map(([what, count]) => `| ${what} | ${count} |`);
  console.log(process.argv.includes('--json') ? JSON.stringify(shape) : [`| | ${revision ?? 'this tree'} |`, '|---|---|', ...rows].join('\n')); // biome-ignore format: one line
} finally {
  rmSync(copy, { recursive: true });
}
