/** `nomoat models --cache` and `--prune`: what can be made again, and is kept for the next time. */
import {
  answersFolder,
  type CachedFile,
  cacheFolder,
  cacheLimitBytes,
  limitVariable,
  listCache,
  pruneCache,
  referencesFolder,
  rowsCacheFolder,
} from '../store/cache.ts';
import { sizeText } from '../words/size-text.ts';

const sizeOf = (files: readonly CachedFile[]): string => sizeText(files.reduce((sum, { bytes }) => sum + bytes, 0));

const line = ({ bytes, held, name, usedMs }: CachedFile): string =>
  `  ${sizeText(bytes).padStart(7)}  used ${new Date(usedMs).toISOString().slice(0, 16).replace('T', ' ')}  ${name}${held ? ' (in use)' : ''}`;

const kinds = [
  { kind: 'base', what: 'Copies of bases for proofs', none: 'No copies of bases', folder: cacheFolder },
  { kind: 'rows', what: 'Data sets as tokens', none: 'No data sets as tokens', folder: rowsCacheFolder },
  { kind: 'answers', what: 'Answers to test questions', none: 'No answers to test questions', folder: answersFolder },
  {
    kind: 'reference',
    what: 'What bases give preferences',
    none: 'Nothing that bases give preferences',
    folder: referencesFolder,
  },
] as const;

/** What is kept, or was removed, as text or as one JSON object. */
export async function showCache({ json, prune }: { prune: boolean; json: boolean }): Promise<string> {
  const limitBytes = cacheLimitBytes();
  const removed = prune ? pruneCache(0) : [];
  const files = listCache();
  if (json)
    return JSON.stringify({
      folder: cacheFolder(),
      rowsFolder: rowsCacheFolder(),
      answersFolder: answersFolder(),
      referencesFolder: referencesFolder(),
      limitBytes,
      files,
      removed,
    });
  const lines = [
    ...(prune ? [`Removed ${removed.length} (${sizeOf(removed)}):`, ...removed.map(line)] : []),
    ...kinds.flatMap(({ folder, kind, none, what }) => {
      const own = files.filter((file) => file.kind === kind);
      return own.length > 0
        ? [`${what}, ${sizeOf(own)} in ${folder()}:`, ...own.map(line)]
        : [`${none} in ${folder()}.`];
    }),
    `More than ${sizeText(limitBytes)} (${limitVariable}) are not kept.${files.length > 0 && !prune ? ' --prune removes them all.' : ''}`,
  ];
  return lines.join('\n');
}
