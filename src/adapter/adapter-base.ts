/**
 * Which base an adapter was trained on, as nomoat.json beside its files says it: PEFT reads none but its own two.
 * Promises: no path of the machine. Knows nothing of runs.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';

/** The base's file: its name, size and SHA-256 (lower-case hex). */
export interface AdapterBase {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

export const adapterBaseName = 'nomoat.json';
/** What nomoat writes has some 200 bytes. */
const maxBytes = 1 << 16;

const schema = z.looseObject({
  base: z.looseObject({ file: z.string(), bytes: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
});

export function writeAdapterBase(folder: string, { bytes, file, sha256 }: AdapterBase): void {
  const text = JSON.stringify({ base: { file, bytes, sha256 } }, null, 2);
  writeFileAtomic(join(folder, adapterBaseName), `${text}\n`);
}

const remedy = 'Put it back from a copy; without that file the adapter is used unchecked.';

/** The base that the adapter at `path` (a folder, or a file in one) names; null where it names none. Throws NomoatError. */
export function readAdapterBase(path: string): AdapterBase | null {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);
  const file = join(folder, adapterBaseName);
  if (!existsSync(file)) return null;
  const { data, error } = schema.safeParse(readBoundedJson(file, maxBytes, { remedy, code: 'unusable-adapter' }));
  if (data) return data.base;
  throw new NomoatError({
    part: file,
    fault: 'does not say which base the adapter was trained on, as it should',
    remedy,
    cause: error,
  });
}
