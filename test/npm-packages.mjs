/** Packages of npm, installed into folders of their own: other versions of Node, and of clients. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Installs a package, such as `openai@7`, into `place`, which is made; returns its folder. `flags`: further ones of npm. Throws where npm fails. */
export function installPackage(spec, place, flags = []) {
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), '{}');
  const npm = process.env.npm_execpath;
  const [program, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const options = { cwd: place, stdio: ['ignore', 'ignore', 'pipe'], shell: npm === undefined && process.platform === 'win32' };
  execFileSync(program, [...first, 'install', '--ignore-scripts', '--no-audit', '--no-fund', ...flags, spec], options);
  return join(place, 'node_modules', spec.slice(0, spec.lastIndexOf('@')));
}

/** The package that the package `node` would fetch for this machine by an install script, which npm 12 does not run unasked. */
function nodePackage() {
  const { platform, arch } = process;
  const isAppleProcessor = platform === 'darwin' && arch === 'arm64';
  return `${isAppleProcessor ? 'node-bin' : 'node'}-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

/** Installs this version of Node and returns the program's path. */
export function installNode(version, place) {
  const installed = installPackage(`${nodePackage()}@${version}`, place);
  return join(installed, JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).bin.node);
}
