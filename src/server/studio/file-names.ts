/** Uploaded files as the page knows them. */
import type { FileStore } from '../state/file-store.ts';

/** A text as it stands inside of a JSON string. */
export const inJson = (value: string): string => JSON.stringify(value).slice(1, -1);

/** JSON in which the paths of these files are their names. */
export const withFileNames = (json: string, ids: Iterable<string>, files: FileStore): string =>
  [...ids].reduce(
    (text, id) => text.replaceAll(inJson(files.pathOf(id)), inJson(files.find(id)?.filename ?? id)),
    json,
  );
