/** Which sources a binary of our kernels is made of: the loader and the script that builds it (native/build.mjs) must agree. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The compiler, as a Python package (`ziglang`): another one makes other bytes. */
export const zigVersion = '0.17.1';

/** native/prebuilt/manifest.json: SHA-256 digests of the sources and of the binary of each platform. */
export interface NativeManifest {
  readonly sources: string;
  readonly files: Readonly<Record<string, string>>;
  /** Those of `files` that have run on no such machine, nor under an emulator. */
  readonly neverRun?: readonly string[];
}

/** SHA-256 of a file, hexadecimal. */
export const fileDigest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** SHA-256 of compiler, build script, and names and contents of `native/src` and `native/processor`; null where there are no sources, as in the package. */
export function sourceDigest(native: string): string | null {
  const folders = ['src', 'processor'].map((name) => join(native, name));
  if (!folders.every(existsSync)) return null;
  const digest = createHash('sha256')
    .update(zigVersion)
    .update(readFileSync(join(native, 'build.mjs')));
  for (const folder of folders)
    for (const name of readdirSync(folder).sort())
      digest.update(`\0${name}\0`).update(readFileSync(join(folder, name)));
  return digest.digest('hex');
}
