/**
 * An adapter with all that others need to use it, to check it and to build upon it, in one folder. Promises: it is written whole or not at
 * all; nothing in it names a path of this machine; packing the same adapter twice gives the same files, but for the signature.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { carryFrozen, readAdapterBase, readFrozen } from '../adapter/adapter-base.ts';
import { renderCard } from '../adapter/card.ts';
import { withFrozen } from '../adapter/frozen-stack.ts';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import type { LineageEntry } from '../adapter/lineage.ts';
import { readAncestry, writeLineage } from '../adapter/lineage-files.ts';
import { writePeft } from '../adapter/peft.ts';
import { peftConfigName, peftWeightsName } from '../adapter/peft-files.ts';
import { bundleFiles, digestList, digestListName, digestsOf } from '../bundle/bundle-files.ts';
import { mlBom } from '../bundle/ml-bom.ts';
import { writeOciLayout } from '../bundle/oci-layout.ts';
import { signatureName, signManifest } from '../bundle/signature.ts';
import { privateKeyAt, type SigningKey } from '../bundle/signing-keys.ts';
import { NomoatError } from '../errors.ts';
import { temporaryMark, writeFailure } from '../formats/atomic-write.ts';
import { renameWhenFree } from '../formats/rename.ts';
import { summarizeAdapter } from '../lora/adapter.ts';
import { readModelConfig } from '../models/config.ts';
import { sharedRecipe } from '../run/recipe.ts';
import { version } from '../run/version.ts';
import { packSettings } from '../settings/bundle-settings.ts';
import { chatTemplateFile, templateBeside } from '../settings/chat-template.ts';
import { isRun } from '../settings/load.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { sha256OfFile } from '../store/file-digest.ts';
import { surroundings } from '../store/model-folders.ts';
import { card, readEvaluation } from './card.ts';
import type { Exported } from './export-run.ts';
import { type InspectTarget, openTarget } from './inspect-target.ts';
import { lineage } from './lineage.ts';

/** What is packed, and how. */
export interface PackBundleOptions {
  /** A new folder (default: named after the adapter, in the current folder). */
  readonly out?: string | null;
  /** The private key to sign with: a PEM file, or the name of a signing key of this user (default: it is not signed). */
  readonly key?: string | null;
  /** SPDX identifier of the base's license, as the hub writes it: it applies to what is made with it (default: what the base's file says). */
  readonly license?: string | null;
  /** The base by its id on the hub (default: none). */
  readonly baseModel?: string | null;
  /** The model that an adapter is for that does not name one of this machine: a name that `listModels()` lists, or a GGUF file. */
  readonly model?: string | null;
  /** As an OCI image layout, which `oras` and `kit` push to a registry (default: false). */
  readonly oci?: boolean;
}

/** What a bundle says of an evaluation: everything but the answers. */
function evaluationOf(path: string) {
  const found = isRun(path) ? readEvaluation(path) : null;
  if (found === null) return null;
  const scores = ({ name, results }: (typeof found)['models'][number]) => ({ name, results });
  return {
    examples: found.examples,
    models: found.models.map(scores),
    baselines: found.baselines.map(scores),
    doubts: found.doubts,
    verdict: found.verdict,
  };
}

/** The license of what is made with the base. A card without one is of no use to whoever asks whether they may. */
function licenseOf({ model }: InspectTarget, given: string | null): string {
  const license = given ?? model.string('general.license');
  if (license) return license;
  throw new NomoatError({
    code: 'invalid-settings',
    part: '`license`',
    fault: `was not given, and ${basename(model.path)} does not say under which license it is: a card without one is not packed`,
    remedy: "Give the base's license as SPDX names it, such as apache-2.0.",
  });
}

const architectureOf = ({ model }: InspectTarget): string => model.string('general.architecture') ?? 'llama';

interface Packing {
  readonly path: string;
  readonly target: InspectTarget;
  readonly entries: readonly LineageEntry[];
  readonly license: string;
  readonly baseModel: string | null;
  readonly out: string;
}

/** The adapter in PEFT's form and llama.cpp's: files that are there already, byte for byte. */
function putAdapter(folder: string, { target }: Packing): void {
  const beside = target.path.endsWith('.gguf') ? dirname(target.path) : target.path;
  const there = (name: string): boolean => existsSync(join(beside, name));
  if (there(peftConfigName) && there(peftWeightsName))
    for (const name of [peftConfigName, peftWeightsName]) copyFileSync(join(beside, name), join(folder, name));
  else writePeft(folder, target.adapter, readModelConfig(target.model).layers);
  const gguf = join(folder, 'adapter.gguf');
  if (target.record !== null && there('adapter.gguf')) copyFileSync(join(beside, 'adapter.gguf'), gguf);
  else writeGgufLora(gguf, target.adapter, target.model);
}

function readmeOf({ baseModel, entries, license, path, target }: Packing): string {
  if (isRun(path)) return card(path, { license, baseModel }).readme;
  const [own] = entries as [LineageEntry];
  const summary = summarizeAdapter(target.adapter);
  return renderCard({
    adapter: baseModel ? { ...summary, baseModel } : summary,
    architecture: architectureOf(target),
    baseLicense: license,
    data: own.data.map(({ file }) => file),
    files: { ggufLora: 'adapter.gguf' },
    version,
  });
}

/** All files but the list of digests and the signature. */
function putFiles(folder: string, packing: Packing): void {
  const { entries, license, path, target } = packing;
  const [own] = entries as [LineageEntry];
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  putAdapter(folder, packing);
  const evaluation = evaluationOf(path);
  const template = templateBeside(dirname(join(target.path, 'x')));
  put('README.md', readmeOf(packing));
  put('recipe.yaml', sharedRecipe(own.settings));
  put('verdict.json', `${JSON.stringify({ ...own.verdict, evaluation }, null, 2)}\n`);
  if (template !== null) put(chatTemplateFile, template);
  const base = own.base ?? readAdapterBase(target.path);
  writeLineage(folder, { base, name: packing.out }, { how: 'convert', parents: [{ entries }] });
  const frozen = readFrozen(target.path);
  if (frozen !== null) carryFrozen(folder, frozen);
  const architecture = architectureOf(target);
  const metrics =
    evaluation?.models[0]?.results.map(({ interval, metric, score }) => ({ name: metric, score, interval })) ?? [];
  put('bom.cdx.json', mlBom({ entries: readAncestry(folder).entries, license, architecture, metrics, version }));
}

/** The list of digests, and the signature over all of it. */
function seal(folder: string, name: string, key: SigningKey | null): void {
  const digests = digestsOf(bundleFiles(folder));
  const list = join(folder, digestListName);
  writeFileSync(list, digestList(digests));
  if (key === null) return;
  digests.set(digestListName, sha256OfFile(list));
  writeFileSync(join(folder, signatureName), signManifest(name, digests, key));
}

/** The bundle in `folder`, and what lies in it as a layout where that is wanted: the folder that is to be moved into place. */
function finished(folder: string, { license, target, entries }: Packing, oci: boolean): string {
  if (!oci) return folder;
  const layout = join(folder, '..', 'layout');
  mkdirSync(layout);
  const [own] = entries as [LineageEntry];
  writeOciLayout(layout, bundleFiles(folder), {
    name: own.name,
    created: own.created,
    license,
    architecture: architectureOf(target),
  });
  return layout;
}

/** Packs the adapter at `path` (a run, a folder, a file). Rejects with NomoatError; nothing is written then. */
export async function packBundle(path: string, options: PackBundleOptions = {}): Promise<Exported> {
  const settings = parseSettings(packSettings, { given: { ...options } }, { command: 'pack' });
  const { baseModel, key, model, oci } = settings;
  const signer = key === null ? null : privateKeyAt(key, surroundings());
  const { entries, faults } = await lineage(path);
  const out = resolve(settings.out ?? `${entries[0]!.name.replace(/\.\w+$/, '')}-bundle`);
  if (existsSync(out))
    throw new NomoatError({
      code: 'path-exists',
      part: out,
      fault: 'exists already, and bundles overwrite nothing',
      remedy: 'Give another `out`, or remove it first.',
    });
  const target = await openTarget(path, model);
  const packing = { path, target, entries, baseModel, out };
  let work: string | null = null;
  try {
    const license = licenseOf(target, settings.license);
    // What it was trained on top of goes with it, and has to be what it was.
    await withFrozen([{ path: target.path, scale: 1 }]);
    mkdirSync(dirname(out), { recursive: true });
    work = mkdtempSync(`${out}${temporaryMark}`);
    const folder = join(work, 'files');
    mkdirSync(folder);
    putFiles(folder, { ...packing, license });
    seal(folder, basename(out), signer);
    renameWhenFree(finished(folder, { ...packing, license }, oci), out);
  } catch (error) {
    throw error instanceof NomoatError ? error : writeFailure(out, error);
  } finally {
    target.model.close();
    if (work !== null) rmSync(work, { recursive: true, force: true });
  }
  const notes = [
    ...target.notes,
    ...faults,
    ...(signer === null ? ['It is not signed: nobody can tell whether it is yours.'] : []),
  ];
  return { files: readdirSync(out).map((name) => join(out, name)), notes };
}
