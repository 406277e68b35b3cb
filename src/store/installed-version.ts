/** Versions of packages as they lie on the disk. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version of an installed package, found as Node would find it from here; null when there is none. */
export function installedVersion(name: string): string | null {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    const version = versionIn(join(folder, name, 'package.json'));
    if (version !== null) return version;
  }
  return null;
}

/** Two folders up from src/store and from dist/store alike. */
export function ownVersion(): string | null {
  return versionIn(fileURLToPath(new URL('../../package.json', import.meta.url)));
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
