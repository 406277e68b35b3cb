/**
 * Builds native/prebuilt/PLATFORM-ARCH/SET.node from native/src with the clang of Python's `ziglang`, one for each set of instructions, or with --check builds
 * them elsewhere and compares bytes and the manifest. Nobody but who changes the sources needs it. NOMOAT_PYTHON names a Python that has `ziglang` 0.17.1.
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

function build(name, to) {
  const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');
  const sources = readdirSync(join(here, 'src')).filter((file) => file.endsWith('.cpp')).sort();
  zig(
    [
      ...['c++', ...builds[name], '-shared', '-fPIC', '-std=c++20', '-O3'],
      ...['-ffp-contract=off', '-fvisibility=hidden', '-pthread', '-Wall', '-Wextra', '-Werror'],
      // Threads sleep in this code for as long as the process lives: it must never be unloaded.
      ...['-s', '-Wl,-z,nodelete', '-isystem', headers, ...sources, '-o', to],
    ],
    join(here, 'src'),
  );
}

const manifest = join(here, 'prebuilt/manifest.json');
const buildAll = (folder) => {
  const files = {};
  for (const name of Object.keys(builds)) {
    const to = join(folder, `${name}.node`);
    mkdirSync(dirname(to), { recursive: true });
    build(name, to);
    files[name] = fileDigest(to);
  }
  return `${JSON.stringify({ sources: sourceDigest(here), files }, null, 2)}\n`;
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
