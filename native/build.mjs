/**
 * Builds native/prebuilt/PLATFORM-ARCH/SET.node from native/src with the clang of Python's `ziglang`, one for each set of instructions, or with --check builds
 * them elsewhere and compares bytes and the manifest; with --everywhere also those that have never run, which are not in git. Nobody but who changes the sources needs it. NOMOAT_PYTHON names a Python that has `ziglang` 0.17.1.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileDigest, sourceDigest } from '../dist/runtime/native/sources.js';
import { zig } from './zig.mjs';

const here = import.meta.dirname;

const avx2 = '-march=x86_64_v3';
const avx512 = '-march=x86_64_v4+avx512vnni';
const avxVnni = '-march=x86_64_v3+avxvnni';
/** Any processor of the architecture, and no more of the C++ library than is called. */
const probe = (flag) => [flag, '-fno-exceptions', '-fno-rtti'];
const linux = (arch) => `${arch}-linux-gnu.2.17`;

/** What each binary may use, by its name in native/prebuilt: the target and the flags. The processor's set is asked for before one is loaded (src/runtime/native/load.ts). */
const builds = {
  'linux-x64/avx512-vnni': [linux('x86_64'), avx512],
  'linux-arm64/neon-dotprod': [linux('aarch64'), '-mcpu=generic+dotprod'],
  'linux-x64/avx2': [linux('x86_64'), avx2],
  'win32-x64/avx512-vnni': ['x86_64-windows-gnu', avx512],
  'win32-x64/avx2': ['x86_64-windows-gnu', avx2],
  'win32-x64/processor': ['x86_64-windows-gnu', ...probe('-march=x86_64')],
};

/** What no machine of ours, nor an emulator, has run: built by the release workflow, which tries what it has machines for. None for Macs with Intel's processors, which onnxruntime-node has none for. */
const neverRun = {
  'darwin-arm64/neon-dotprod': ['aarch64-macos', '-mcpu=apple_m1'],
  'linux-x64/avx-vnni': [linux('x86_64'), avxVnni],
  'win32-x64/avx-vnni': ['x86_64-windows-gnu', avxVnni],
  'win32-arm64/neon-dotprod': ['aarch64-windows-gnu', '-mcpu=generic+dotprod'],
  'win32-arm64/processor': ['aarch64-windows-gnu', ...probe('-mcpu=generic')],
};
const everywhere = process.argv.includes('--everywhere');
const wanted = everywhere ? { ...builds, ...neverRun } : builds;

const nodeHeaders = dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json'));
const scratch = mkdtempSync(join(tmpdir(), 'nomoat-native-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** On Windows a library names the program that has the functions it calls: what says that node.exe has Node-API's. */
function nodeLibrary(target) {
  const library = join(scratch, `${target}.lib`);
  const functions = ['js_native_api', 'node_api'].flatMap((name) => readFileSync(join(nodeHeaders, `def/${name}.def`), 'utf8').split('\n').slice(2));
  const definition = join(scratch, 'node.def');
  writeFileSync(definition, ['NAME NODE.EXE', 'EXPORTS', ...functions].join('\n'));
  const machine = target.startsWith('x86_64') ? 'i386:x86-64' : 'arm64';
  zig(['dlltool', '-m', machine, '-D', 'node.exe', '-d', definition, '-l', library], scratch);
  return library;
}

/**
 * How a system's library is linked. On Linux it must never be unloaded, since threads sleep in this code for as long as the process lives; a Mac unloads none that has
 * variables of threads, and on Windows pool.cpp sees to it.
 */
const linked = {
  linux: () => ['-fPIC', '-pthread', '-Wl,-z,nodelete'],
  darwin: () => ['-fPIC', '-pthread', '-Wl,-undefined,dynamic_lookup'],
  // What others would link with is nobody's here.
  win32: (target) => [nodeLibrary(target), `-Wl,--out-implib,${join(scratch, 'unused.lib')}`],
};

function build(name, to) {
  const [target, ...instructions] = wanted[name];
  const folder = join(here, name.endsWith('/processor') ? 'processor' : 'src');
  const sources = readdirSync(folder).filter((file) => file.endsWith('.cpp')).sort();
  zig(
    [
      ...['c++', '-target', target, ...instructions, '-shared', '-std=c++20', '-O3'],
      ...['-ffp-contract=off', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror'],
      ...['-s', '-isystem', join(nodeHeaders, 'include'), ...sources, ...linked[name.split('-')[0]](target), '-o', to],
    ],
    folder,
  );
}

const manifest = join(here, 'prebuilt/manifest.json');
const buildAll = (folder) => {
  const files = {};
  for (const name of Object.keys(wanted)) {
    const to = join(folder, `${name}.node`);
    mkdirSync(dirname(to), { recursive: true });
    build(name, to);
    files[name] = fileDigest(to);
  }
  const marked = everywhere ? { neverRun: Object.keys(neverRun) } : {};
  return `${JSON.stringify({ sources: sourceDigest(here), files, ...marked }, null, 2)}\n`;
};

if (process.argv.includes('--check')) {
  const same =
    buildAll(scratch) === readFileSync(manifest, 'utf8') &&
    Object.keys(builds).every((name) => fileDigest(join(scratch, `${name}.node`)) === fileDigest(join(here, 'prebuilt', `${name}.node`)));
  if (!same) throw new Error(`native: ${dirname(manifest)} is not what native/src builds; run npm run native:build`);
} else {
  rmSync(join(here, 'prebuilt'), { recursive: true, force: true });
  writeFileSync(manifest, buildAll(join(here, 'prebuilt')));
}
