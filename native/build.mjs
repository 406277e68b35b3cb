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

/** What each binary may use, by its name in native/prebuilt. The processor's set is asked for before one is loaded (src/runtime/native/load.ts). */
const builds = {
  'linux-x64/avx512-vnni': ['-target', 'x86_64-linux-gnu.2.17', '-march=x86_64_v4+avx512vnni'],
  'linux-arm64/neon-dotprod': ['-target', 'aarch64-linux-gnu.2.17', '-mcpu=generic+dotprod'],
  'linux-x64/avx2': ['-target', 'x86_64-linux-gnu.2.17', '-march=x86_64_v3'],
};

/** What no machine of ours, nor an emulator, has run: built by the release workflow, which tries them. Windows tells nobody without native code what its processor has. */
const neverRun = {
  'darwin-arm64/neon-dotprod': ['-target', 'aarch64-macos', '-mcpu=apple_m1'],
};
const everywhere = process.argv.includes('--everywhere');
const wanted = everywhere ? { ...builds, ...neverRun } : builds;

/** How a system's library is linked. On Linux it must never be unloaded, since threads sleep in this code for as long as the process lives; a Mac unloads none that has variables of threads. */
const linked = { linux: ['-Wl,-z,nodelete'], darwin: ['-Wl,-undefined,dynamic_lookup'] };

function build(name, to) {
  const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');
  const sources = readdirSync(join(here, 'src')).filter((file) => file.endsWith('.cpp')).sort();
  zig(
    [
      ...['c++', ...wanted[name], '-shared', '-fPIC', '-std=c++20', '-O3'],
      ...['-ffp-contract=off', '-fvisibility=hidden', '-pthread', '-Wall', '-Wextra', '-Werror'],
      ...['-s', ...linked[name.split('-')[0]], '-isystem', headers, ...sources, '-o', to],
    ],
    join(here, 'src'),
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
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-native-'));
  try {
    const same =
      buildAll(folder) === readFileSync(manifest, 'utf8') &&
      Object.keys(builds).every((name) => fileDigest(join(folder, `${name}.node`)) === fileDigest(join(here, 'prebuilt', `${name}.node`)));
    if (!same) throw new Error(`native: ${dirname(manifest)} is not what native/src builds; run npm run native:build`);
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  rmSync(join(here, 'prebuilt'), { recursive: true, force: true });
  writeFileSync(manifest, buildAll(join(here, 'prebuilt')));
}
