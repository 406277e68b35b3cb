/**
 * Builds native/prebuilt/linux-x64/nomoat.node from native/src with the clang of Python's `ziglang`, or with --check builds it elsewhere and compares
 * bytes and the manifest. Nobody but who changes the sources needs it. NOMOAT_PYTHON names a Python that has `ziglang` 0.17.1.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileDigest, sourceDigest } from '../dist/runtime/native/sources.js';
import { zig } from './zig.mjs';

const here = import.meta.dirname;
const platform = 'linux-x64';

function build(to) {
  const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');
  const sources = readdirSync(join(here, 'src')).filter((name) => name.endsWith('.cpp')).sort();
  zig(
    [
      ...['c++', '-target', 'x86_64-linux-gnu.2.17', '-shared', '-fPIC', '-std=c++20', '-O3'],
      // The processor's set is asked for before the binary is loaded (src/runtime/native/load.ts).
      ...['-march=x86_64_v4+avx512vnni', '-ffp-contract=off', '-fvisibility=hidden', '-pthread', '-Wall', '-Wextra', '-Werror'],
      // Threads sleep in this code for as long as the process lives: it must never be unloaded.
      ...['-s', '-Wl,-z,nodelete', '-isystem', headers, ...sources, '-o', to],
    ],
    join(here, 'src'),
  );
}

const file = join(here, 'prebuilt', platform, 'nomoat.node');
const manifest = join(here, 'prebuilt/manifest.json');
const manifestOf = (binary) => `${JSON.stringify({ sources: sourceDigest(here), files: { [platform]: fileDigest(binary) } }, null, 2)}\n`;

if (process.argv.includes('--check')) {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-native-'));
  try {
    const built = join(folder, 'nomoat.node');
    build(built);
    const same = fileDigest(built) === fileDigest(file) && manifestOf(built) === readFileSync(manifest, 'utf8');
    if (!same) throw new Error(`native: ${dirname(manifest)} is not what native/src builds; run npm run native:build`);
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  mkdirSync(dirname(file), { recursive: true });
  build(file);
  writeFileSync(manifest, manifestOf(file));
}
