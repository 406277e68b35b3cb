/**
 * Which base an adapter was trained on, as nomoat.json beside its files says it: PEFT reads none but its own two. Who begot it stands there
 * too (lineage.ts).
 * Promises: no path of the machine. Knows nothing of runs.
 */
import { copyFileSync, existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';
import { frozenStackName } from '../store/shared-folder.ts';

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
  // What the adapter was trained on top of does not change by who is said to have begotten it.
  const frozen = frozenIn(folder);
  writeRecord(folder, {
    ...(named ? { base: named } : {}),
    ...(frozen ? { frozen } : {}),
    ...(lineage ? { lineage } : {}),
  });
}

function writeRecord(folder: string, record: object): void {
  writeFileAtomic(join(folder, adapterBaseName), `${JSON.stringify(record, null, 2)}\n`);
}

/** Adapters that stay as they are below one that was trained on top of them: their sum, as a GGUF LoRA beside that one's files. */
export interface FrozenStack {
  readonly path: string;
  /** Of that file, lower-case hex. */
  readonly sha256: string;
  /** Which adapters they were, by the names of their files or folders. */
  readonly adapters: readonly { readonly name: string; readonly scale: number }[];
}

const frozenSchema = z.object({
  frozen: z.object({
    file: z.literal(frozenStackName),
    sha256: z.string().regex(sha256Text),
    adapters: z.array(z.object({ name: z.string(), scale: z.number() })),
  }),
});

/** What nomoat.json in the folder says of frozen adapters; null where it says nothing. Throws NomoatError. */
function frozenIn(folder: string) {
  const file = join(folder, adapterBaseName);
  if (!existsSync(file)) return null;
  const value = readBoundedJson(file, maxAdapterBaseBytes, { remedy, code: 'unusable-adapter' });
  return frozenSchema.safeParse(value).data?.frozen ?? null;
}

/** What the adapter at `path` (a folder, a file in one, or a run) was trained on top of; null for the base alone. Throws NomoatError. */
export function readFrozen(path: string): FrozenStack | null {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);
  // The frozen adapters themselves stand on the base.
  if (basename(path) === frozenStackName) return null;
  const inside = [folder, join(folder, 'adapter')].find((each) => existsSync(join(each, adapterBaseName)));
  const frozen = inside === undefined ? null : frozenIn(inside);
  return frozen && { path: join(inside!, frozenStackName), sha256: frozen.sha256, adapters: frozen.adapters };
}

/** Lays the frozen adapters into the folder of an adapter, and says so in its nomoat.json. */
export function carryFrozen(folder: string, { adapters, path, sha256 }: FrozenStack): void {
  copyFileSync(path, join(folder, frozenStackName));
  const file = join(folder, adapterBaseName);
  const record = existsSync(file)
    ? readBoundedJson(file, maxAdapterBaseBytes, { remedy, code: 'unusable-adapter' })
    : {};
  writeRecord(folder, { ...(record as object), frozen: { file: frozenStackName, sha256, adapters } });
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
