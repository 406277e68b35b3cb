/** Versions of packages as they lie on the disk. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from './package-root.ts';

/** The folder of an installed package, found as Node would find it from here; null when there is none. */
export function installedPackage(name: string): string | null {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  return (
    folders.map((folder) => join(folder, name)).find((path) => versionIn(join(path, 'package.json')) !== null) ?? null
  );
}

/** The version of an installed package; null when there is none. */
export function installedVersion(name: string): string | null {
  const folder = installedPackage(name);
  return folder === null ? null : versionIn(join(folder, 'package.json'));
}

/** Of this package. */
export function ownVersion(): string | null {
  const root = packageRoot();
  return root === null ? null : versionIn(join(root, 'package.json'));
}

function versionIn(path: string): string | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const version = (parsed as { version?: unknown } | null)?.version;
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
}
