/**
 * Whether a base model is the one that something was trained on. Promises: asked wherever a run or its adapter is opened; a file that
 * nobody touched is not read for it; one that is another is refused by name.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { type AdapterBase, readAdapterBase } from '../adapter/adapter-base.ts';
import { NomoatError } from '../errors.ts';
import { isRun } from '../settings/load.ts';
import { digestOf, sameStamp, stampOf } from '../store/file-digest.ts';
import { RunFolder, type RunRecord } from './run-folder.ts';

const short = (digest: string): string => digest.slice(0, 12);

/** Throws NomoatError where the base of the run at `path` is gone or another file than the one that it was trained on. */
export async function assertSameBase(path: string, record: RunRecord): Promise<void> {
  const { modelPath } = record.settings;
  if (!existsSync(modelPath)) {
    throw new NomoatError({
      code: 'base-not-found',
      part: path,
      fault: `its base model ${modelPath} is not there any more`,
      remedy: `Put it back; its sha256 is ${record.modelDigest}.`,
    });
  }
  if (record.modelStamp && sameStamp(record.modelStamp, stampOf(modelPath))) return;
  const now = await digestOf(modelPath);
  if (now === record.modelDigest) return;
  throw new NomoatError({
    code: 'base-changed',
    part: path,
    fault: `its base model ${modelPath} is another file than the one that it was trained on (sha256 ${short(record.modelDigest)} then, ${short(now)} now)`,
    remedy: 'Put back the file that was there, or train again on the new one.',
    fields: { model: modelPath, expected: record.modelDigest, found: now },
  });
}

/** The base that an adapter names, or the run that it lies in; null where nobody says. */
function baseOf(adapterPath: string): AdapterBase | null {
  const named = readAdapterBase(adapterPath);
  if (named) return named;
  // Of runs from before adapters named their base.
  const folder = statSync(adapterPath, { throwIfNoEntry: false })?.isDirectory() ? adapterPath : dirname(adapterPath);
  const run = dirname(resolve(folder));
  if (!isRun(run)) return null;
  const { modelDigest, modelStamp, settings } = new RunFolder(run).read();
  return { file: basename(settings.modelPath), bytes: modelStamp?.bytes ?? -1, sha256: modelDigest };
}

/**
 * Holds the base that the adapter at `adapterPath` was trained on against the model at `modelPath`. Throws NomoatError where that is a
 * file of the same name and other contents; of another file, which may be meant (another quantization), it returns what is to be said.
 */
export async function baseWarning(adapterPath: string, modelPath: string): Promise<string | null> {
  const base = baseOf(adapterPath);
  if (base === null) return null;
  const now = await digestOf(modelPath);
  if (now === base.sha256) return null;
  const digests = `sha256 ${short(base.sha256)} then, ${short(now)} now`;
  if (base.file !== basename(modelPath))
    return `${adapterPath} was trained on ${base.file}, not on ${basename(modelPath)} (${digests}): another quantization of the same model is fine, another model is not.`;
  throw new NomoatError({
    code: 'base-changed',
    part: adapterPath,
    fault: `${modelPath} is another file than the ${base.file} that it was trained on (${digests})`,
    remedy:
      'Put back the file that was there, or train again on this one. If the change is meant, give the model under another file name.',
    fields: { model: modelPath, expected: base.sha256, found: now },
  });
}
