/** The files of a bundle and their digests. Promises: links and what is no plain file are refused, so that nothing outside is taken for a part of it. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { sha256OfFile } from '../store/file-digest.ts';
import { isOciLayout, ociFiles } from './oci-layout.ts';

export const digestListName = 'SHA256SUMS';
/** A bundle has some ten files. */
const mostFiles = 100_000;

export const refuseBundle = (
  part: string,
  fault: string,
  remedy = 'Do not use it: take the bundle again from where it came.',
  fields = {},
): NomoatError => new NomoatError({ code: 'bundle-refused', part, fault, remedy, fields });

/** Where each file lies, by its path in the bundle with `/`; in an OCI image layout that is a blob. Throws NomoatError. */
export function bundleFiles(folder: string): Map<string, string> {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) {
    throw new NomoatError({
      code: 'invalid-input',
      part: folder,
      fault: stat === undefined ? 'there is no such folder' : 'is no folder',
      remedy: 'Give the folder of a bundle.',
    });
  }
  if (isOciLayout(folder)) return ociFiles(folder);
  const files = new Map<string, string>();
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) walk(name);
      else if (entry.isFile()) files.set(name, join(folder, name));
      else throw refuseBundle(folder, `${name} is a link or no plain file`);
      if (files.size > mostFiles) throw refuseBundle(folder, `has more than ${mostFiles} files`);
    }
  };
  walk('');
  return files;
}

/** Whether a path is one of these or lies in one. */
export const isUnder = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path === folder || path.startsWith(`${folder}/`));

/** The digests of files, by name. */
export const digestsOf = (files: ReadonlyMap<string, string>): Map<string, string> =>
  new Map([...files].map(([name, path]) => [name, sha256OfFile(path)]));

/** As `sha256sum` writes and checks it. */
export const digestList = (digests: ReadonlyMap<string, string>): string =>
  [...digests]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, sha256]) => `${sha256}  ${name}\n`)
    .join('');

/** Of such a text. Throws NomoatError. */
export function parseDigestList(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '');
  const digests = new Map<string, string>();
  for (const line of lines) {
    const [, sha256, name] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (sha256 === undefined || digests.has(name!)) throw refuseBundle(digestListName, 'is no list of digests');
    digests.set(name!, sha256);
  }
  return digests;
}

/** What differs between what should be there and what is, in words; nothing where all is the same. */
export function differences(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] {
  return [
    ...[...expected.keys()].filter((name) => !found.has(name)).map((name) => `${name} is missing`),
    ...[...found.keys()].filter((name) => !expected.has(name)).map((name) => `${name} was added`),
    ...[...expected]
      .filter(([name, sha256]) => found.has(name) && found.get(name) !== sha256)
      .map(([name]) => `${name} was changed`),
  ];
}
