/**
 * Where this package lies on the disk, for what is more than code: the packaged model, the training process's own file. Promises: found beside
 * the code, or, where that was put into a bundle, as the package nomoat that Node finds from there or from the working folder.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const packageName = 'nomoat';

function isRoot(folder: string): boolean {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return (parsed as { name?: unknown } | null)?.name === packageName;
  } catch {
    return false;
  }
}

/** As Node finds it from a module. */
function installedFrom(module: string | URL): string | null {
  try {
    return dirname(createRequire(module).resolve(`${packageName}/package.json`));
  } catch {
    return null;
  }
}

/** The package's folder. `module`: the URL of a module of it, two folders below where nothing was bundled. Null where there is none. */
export function packageRoot(module: string = import.meta.url): string | null {
  const beside = fileURLToPath(new URL('../../', module));
  if (isRoot(beside)) return beside;
  return installedFrom(module) ?? installedFrom(pathToFileURL(join(process.cwd(), 'any.js')));
}

/**
 * A program of the package that runs in a process of its own, such as `run/worker.js`, as built: Node cannot fork TypeScript, so a source tree
 * uses its dist; a bundle uses the installed package's. Where there is no package, it is looked for from `module`, the URL of one beside it.
 */
export function programPath(program: string, module: string): string {
  const root = packageRoot();
  return root === null ? fileURLToPath(new URL(`./${basename(program)}`, module)) : join(root, 'dist', program);
}
