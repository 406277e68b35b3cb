/**
 * What the base gives the answers of a run that learns from preferences, before anything is trained: computed once, by the step that trains,
 * and kept for a resumed run and for the next one with the same base, rows and arithmetic (store/cache.ts). Promises: a file of another base,
 * adapter, data, engine or version is never taken, since its name is of all of them; a broken one is made again.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { type LoraAdapter, moduleKey } from '../lora/adapter.ts';
import { hasReference, wantsPairs } from '../settings/methods.ts';
import { heedStop } from '../stop.ts';
import { keptReferencePath, markUsed, pruneCache, referencesFolder } from '../store/cache.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { packOptions } from '../train/pack-options.ts';
import { noReference, type Reference, referenceOf, sumsBy } from '../train/preferences.ts';
import { evaluationCalls, type TrainStep } from '../train/step.ts';
import { engineName } from './engine.ts';
import type { Opened } from './open-run.ts';
import { rowsFacts } from './provenance.ts';
import { version } from './version.ts';

export interface ReferenceOptions {
  readonly opened: Opened;
  /** With what is trained as it is before the first step. */
  readonly step: TrainStep;
  readonly precision: string;
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

const fileSchema = z.object({ sums: z.array(z.array(z.number()).min(1).max(2)) });

/** After so many rows it is said how far the work is. */
const rowsBetween = 64;

/** Adapters that do nothing yet are all the same. */
function digestOfAdapter({ parameters }: TrainStep): string {
  const does = parameters.some(({ name, value }) => name.includes('lora_B') && value.some((each) => each !== 0));
  if (!does) return 'none';
  const hash = createHash('sha256');
  for (const { value } of parameters) hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  return hash.digest('hex');
}

/** Of what the base holds beside itself. */
function updatesOf({ pairs, rslora }: LoraAdapter): string {
  const hash = createHash('sha256').update(String(rslora));
  for (const { a, alpha, b, ...module } of pairs) {
    hash.update(`${alpha} ${moduleKey(module)}`);
    for (const values of [a, b]) hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}

/** The name of everything that the numbers depend on. */
function keyOf({ opened, precision, step, threads }: ReferenceOptions): string {
  const { folder, prepared } = opened;
  const { settings, train, validation } = prepared;
  const { engine = 'onnxruntime', modelDigest } = folder.read();
  const rows = [train, validation].map((each) => rowsFacts(each).rowsDigest);
  const packed = packOptions(settings, prepared.prefix, opened.decision.microBatchTokens);
  const facts = [
    version,
    modelDigest,
    digestOfAdapter(step),
    opened.frozen && updatesOf(opened.frozen),
    rows,
    precision,
    // Engines round otherwise; the sets of instructions of one do not.
    engineName(engine),
    threads,
    packed,
    settings.sequenceLength,
    wantsPairs(settings.method),
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
}

/** The sums in the file, of so many rows; null where there is none, or none that is whole. */
function readKept(path: string, rows: number): number[][] | null {
  try {
    const { sums } = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    markUsed(path);
    return sums.length === rows ? sums : null;
  } catch {
    return null;
  }
}

/** Writes them for the next time, quietly. */
function keep(path: string, sums: readonly (readonly number[])[]): void {
  try {
    mkdirSync(referencesFolder(), { recursive: true, mode: 0o700 });
    writeFileAtomic(path, JSON.stringify({ sums }));
    pruneCache();
  } catch {
    // Made again the next time.
  }
}

/** Finds the reference, or computes it. Nothing is computed where the method has none. */
export async function openReference(options: ReferenceOptions): Promise<Reference> {
  const { opened, progress, signal, step } = options;
  const { decision, prepared } = opened;
  const { settings, train, validation } = prepared;
  if (!hasReference(settings.method)) return noReference;
  const path = keptReferencePath(keyOf(options));
  const all = (train.length + validation.length) * (wantsPairs(settings.method) ? 1 : 2);
  const found = readKept(path, all);
  const sums: number[][] = [];
  const pack = (rows: readonly TokenRow[]): PackedBatch[][] =>
    evaluationCalls(step, packRows(rows, packOptions(settings, prepared.prefix, decision.microBatchTokens)));
  const compute = sumsBy(step, pack, () => heedStop(signal));
  const ask = async (rows: readonly TokenRow[]): Promise<number[][]> => {
    const began = sums.length;
    if (found) sums.push(...found.slice(began, began + rows.length));
    for (let at = 0; sums.length < began + rows.length; at += rowsBetween) {
      if (rows.length > rowsBetween) progress(`What the base gives the answers: ${began + at} of ${all}`);
      sums.push(...(await compute(rows.slice(at, at + rowsBetween))));
    }
    return sums.slice(began);
  };
  const reference = await referenceOf(settings, [train, validation], ask).catch(async (error: unknown) => {
    await step.close();
    throw error;
  });
  if (!found) keep(path, sums);
  return reference;
}
