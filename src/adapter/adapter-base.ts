/**
 * Which base an adapter was trained on, as nomoat.json beside its files says it: PEFT reads none but its own two. Who begot it stands there
 * too (lineage.ts).
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
/** The base alone has some 200 bytes, an entry of a lineage some 3 kB. */
export const maxAdapterBaseBytes = 16 << 20;

/** As digests are written. */
export const sha256Text = /^[0-9a-f]{64}$/;
export const baseSchema = z.looseObject({
  file: z.string(),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(sha256Text),
});
const schema = z.looseObject({ base: baseSchema });
/** Of an adapter that others made, nobody may know the base. */
const baselessSchema = z.looseObject({ base: z.undefined().optional(), lineage: z.looseObject({}) });

/** Writes nomoat.json: the base, where it is known, and who begot the adapter. */
export function writeAdapterBase(folder: string, base: AdapterBase | null, lineage?: object): void {
  const named = base === null ? null : { file: base.file, bytes: base.bytes, sha256: base.sha256 };
  const text = JSON.stringify({ ...(named ? { base: named } : {}), ...(lineage ? { lineage } : {}) }, null, 2);
  writeFileAtomic(join(folder, adapterBaseName), `${text}\n`);
}

const remedy = 'Put it back from a copy; without that file the adapter is used unchecked.';

/** The base that the adapter at `path` (a folder, or a file in one) names; null where it names none. Throws NomoatError. */
export function readAdapterBase(path: string): AdapterBase | null {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);
  const file = join(folder, adapterBaseName);
  if (!existsSync(file)) return null;
  const value = readBoundedJson(file, maxAdapterBaseBytes, { remedy, code: 'unusable-adapter' });
  const { data, error } = schema.safeParse(value);
  if (data) return data.base;
  if (baselessSchema.safeParse(value).success) return null;
  throw new NomoatError({
    part: file,
    fault: 'does not say which base the adapter was trained on, as it should',
    remedy,
    cause: error,
  });
}
