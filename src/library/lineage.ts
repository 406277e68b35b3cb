/** Where an adapter comes from, and all that it was made of. Promises: what its files do not say is not guessed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAdapterBase } from '../adapter/adapter-base.ts';
import { begetEntries, type LineageEntry } from '../adapter/lineage.ts';
import { type Ancestry, readAncestry } from '../adapter/lineage-files.ts';
import { NomoatError } from '../errors.ts';
import { RunFolder } from '../run/run-folder.ts';
import { runBegotten } from '../run/run-lineage.ts';
import { unfinished } from '../run/run-result.ts';
import { lineageSettings } from '../settings/bundle-settings.ts';
import { isRun } from '../settings/load.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { assertGiven } from '../words/given.ts';
import { type LineageCheck, verifyLineage } from './verify-lineage.ts';

/** Whether more than its own files is looked at. */
export interface LineageOptions {
  /** Look for the weights, bases and data that it names, and compare digests (default: false). */
  readonly verify?: boolean;
  /** Folders to look in, beside those of the adapter, of ./runs and of the models of this machine (default: none). */
  readonly within?: readonly string[];
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** An adapter's lineage: a tree, or where two descend from one, a graph without circles. */
export interface LineageReport {
  /** Its own entry first, then every ancestor once; `parents` name them by `id`. */
  readonly entries: readonly LineageEntry[];
  /** What its files say of it and is not so, in sentences. */
  readonly faults: readonly string[];
  /** What was looked for; null without `verify`. */
  readonly checks: readonly LineageCheck[] | null;
}

/** Of a run from before adapters carried their lineage, what its record knows. */
function ancestryOf(path: string): Ancestry {
  if (!isRun(path)) return readAncestry(path);
  const folder = new RunFolder(path);
  const record = folder.read();
  if (!trainsAdapter(record.settings.method))
    throw new NomoatError({
      code: 'no-adapter',
      part: path,
      fault: 'trained every weight: adapters alone carry a lineage',
      remedy: `Its record says what it was made from: ${join(path, 'run.json')}`,
    });
  if (!existsSync(folder.adapter)) throw unfinished(path, record);
  const found = readAncestry(folder.adapter);
  const [own] = found.entries;
  if (own!.how !== 'unknown' || found.faults.length > 0) return found;
  const base = readAdapterBase(folder.adapter);
  return { ...found, entries: begetEntries({ ...own!, base }, runBegotten(folder, record)) };
}

/**
 * The lineage of the adapter at `path` (a run, a PEFT or mlx-lm folder, a file of weights, a GGUF LoRA, a bundle), or of a
 * merged GGUF model. Rejects with NomoatError
 * where there is none, or where somebody in it descends from himself.
 */
export async function lineage(path: string, options: LineageOptions = {}): Promise<LineageReport> {
  assertGiven('the adapter', path);
  const { signal, ...given } = options;
  const { verify, within } = parseSettings(lineageSettings, { given }, { command: 'lineage' });
  if (!existsSync(path)) {
    throw new NomoatError({
      code: 'adapter-not-found',
      part: path,
      fault: 'there is no such file or folder',
      remedy: 'Give a run, a PEFT folder, a .safetensors file, a folder of mlx-lm or a GGUF LoRA.',
    });
  }
  const { entries, faults } = ancestryOf(path);
  return { entries, faults, checks: verify ? await verifyLineage(path, entries, { within, signal }) : null };
}
