/**
 * Places that the studio reads and writes beside runs: what it made lies in `exports` of the folder of runs; what a request names otherwise lies
 * below the folder that the studio was started in. Promises: no name leaves these, be it by its words or by links.
 */
import { existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep, win32 } from 'node:path';
import { digestListName } from '../../bundle/bundle-files.ts';
import { wrongParameter } from '../api-error.ts';
import { exportsName } from '../model-list.ts';

export const exportsFolder = (runs: string): string => join(runs, exportsName);

/** Letters of all scripts, digits, dots, hyphens: what is a name on every system. */
const nameForm = /^(?!\.)[\p{L}\p{N}._-]{1,100}$/u;

/** Where something new of that name is written. Throws ApiError where the name will not do, or is taken. */
export function newExport(runs: string, name: string, param: string): string {
  const path = join(exportsFolder(runs), name);
  const fault = !nameForm.test(name)
    ? 'letters, digits, dots, hyphens and underscores make a name'
    : existsSync(path)
      ? `there is one of that name already: ${name}`
      : null;
  if (fault !== null) throw wrongParameter(param, 'invalid_value', `Invalid value for '${param}': ${fault}.`);
  mkdirSync(exportsFolder(runs), { recursive: true });
  return path;
}

/** What was made and can be passed on. */
export interface ExportedThing {
  readonly name: string;
  readonly kind: 'bundle' | 'folder' | 'file';
  /** Seconds since 1970. */
  readonly created: number;
}

const isBundle = (path: string): boolean => [digestListName, 'oci-layout'].some((name) => existsSync(join(path, name)));

/** The newest first. */
export function listExports(runs: string): ExportedThing[] {
  const folder = exportsFolder(runs);
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => nameForm.test(name));
  const things = found.map((entry): ExportedThing => {
    const path = join(folder, entry.name);
    const kind = !entry.isDirectory() ? 'file' : isBundle(path) ? 'bundle' : 'folder';
    return { name: entry.name, kind, created: statSync(path).mtimeMs / 1000 };
  });
  return things.sort((a, b) => b.created - a.created);
}

const isInside = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

/** The nearest folder above `path` that is there, links followed. */
function thereAbove(path: string): string {
  for (let at = path; ; at = dirname(at)) if (existsSync(at)) return realpathSync(at);
}

/** `./shared/org/name` as a path below `root`, there or not. Throws ApiError where it leads elsewhere. */
export function placeBelow(root: string, text: string, param: string): string {
  const refuse = (fault: string) => wrongParameter(param, 'invalid_value', `Invalid value for '${param}': ${fault}.`);
  if (isAbsolute(text) || win32.isAbsolute(text) || text.includes('\0') || /^[~]|^[a-z]+:/i.test(text))
    throw refuse('a place below the folder that the studio was started in, such as ./shared/org/name');
  const path = join(realpathSync(root), text);
  if (!isInside(realpathSync(root), path) || !isInside(realpathSync(root), thereAbove(path)))
    throw refuse('it leaves the folder that the studio was started in');
  return path;
}

/** Something that was made here by its name, else a place below `root` that is there. Throws ApiError. */
export function madeOrBelow(runs: string, root: string, text: string, param: string): string {
  const made = join(exportsFolder(runs), text);
  if (nameForm.test(text) && existsSync(made)) return made;
  const path = placeBelow(root, text, param);
  if (existsSync(path)) return path;
  throw wrongParameter(param, 'invalid_value', `Invalid value for '${param}': there is no '${text}'.`);
}
