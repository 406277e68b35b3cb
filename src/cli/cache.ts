/** `nomoat models --cache` and `--prune`: the copies of bases that proofs keep. */
import { type CachedFile, cacheFolder, cacheLimitBytes, limitVariable, listCache, pruneCache } from '../store/cache.ts';
import { sizeText } from '../words/size-text.ts';

const sizeOf = (files: readonly CachedFile[]): string => sizeText(files.reduce((sum, { bytes }) => sum + bytes, 0));

/** What is kept, or was removed, as text or as one JSON object. */
export async function showCache({ json, prune }: { prune: boolean; json: boolean }): Promise<string> {
  const limitBytes = cacheLimitBytes();
  const removed = prune ? pruneCache(0) : [];
  const files = listCache();
  if (json) return JSON.stringify({ folder: cacheFolder(), limitBytes, files, removed });
  const line = ({ bytes, held, name, usedMs }: CachedFile): string =>
    `  ${sizeText(bytes).padStart(7)}  used ${new Date(usedMs).toISOString().slice(0, 16).replace('T', ' ')}  ${name}${held ? ' (in use)' : ''}`;
  const lines = [
    ...(prune ? [`Removed ${removed.length} (${sizeOf(removed)}):`, ...removed.map(line)] : []),
    files.length > 0
      ? `Copies of bases for proofs, ${sizeOf(files)} in ${cacheFolder()}:`
      : `No copies of bases in ${cacheFolder()}.`,
    ...files.map(line),
    `More than ${sizeText(limitBytes)} (${limitVariable}) are not kept.${files.length > 0 && !prune ? ' --prune removes them all.' : ''}`,
  ];
  return lines.join('\n');
}
