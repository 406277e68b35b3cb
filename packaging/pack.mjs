/**
 * Puts the package together in build/package and packs it: `npm run package`, which builds first. Further arguments go to `npm pack`.
 * `--unbundled` leaves the bundled packages out, for checks of nomoat's own files.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { bundled, bundledManifest, leanManifest, leftOut } from './lean-manifest.mjs';

const repo = join(import.meta.dirname, '..');
const stage = join(repo, 'build/package');
const args = process.argv.slice(2);
const unbundled = args.includes('--unbundled');

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}

function bundle(name) {
  const from = join(repo, 'node_modules', name);
  const to = join(stage, 'node_modules', name);
  const skipped = [...(leftOut[name] ?? []), 'node_modules'].map((path) => join(from, path));
  for (const path of skipped.slice(0, -1)) if (!existsSync(path)) throw new Error(`${path} is not there`);
  cpSync(from, to, { recursive: true, filter: (path) => !skipped.includes(path) });
  writeJson(join(to, 'package.json'), bundledManifest(readJson(join(from, 'package.json'))));
  const license = join(import.meta.dirname, `${name}.LICENSE`);
  if (existsSync(license)) copy(license, join(to, 'LICENSE'));
}

rmSync(stage, { recursive: true, force: true });
const own = readJson(join(repo, 'package.json'));
for (const path of own.files) copy(join(repo, path), join(stage, relative('.', path)));
const manifest = leanManifest(own, bundled.map((name) => readJson(join(repo, 'node_modules', name, 'package.json'))));
if (unbundled) delete manifest.bundleDependencies;
else bundled.forEach(bundle);
writeJson(join(stage, 'package.json'), manifest);

const rest = args.filter((arg) => arg !== '--unbundled');
if (!rest.some((arg) => arg.startsWith('--pack-destination'))) rest.push('--pack-destination', repo);
const npm = process.env.npm_execpath;
const [program, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
execFileSync(program, [...first, 'pack', '--ignore-scripts', ...rest], { cwd: stage, stdio: 'inherit' });
