/** What is shared of an adapter: the files of its folder, what of them stays here, and what they say of base and license. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type AdapterBase, readAdapterBase } from '../adapter/adapter-base.ts';
import { readPeft } from '../adapter/peft.ts';
import { NomoatError } from '../errors.ts';
import { isRepoId } from '../store/hub-cache.ts';
import type { PushFile } from '../store/hub-push.ts';
import { adapterPlaces, broughtOf, type SharedFile } from '../store/shared-folder.ts';
import { type CardFacts, cardFacts } from './push-card.ts';

/** An adapter as it is about to be shared. */
export interface ShareUnit {
  /** Absolute path of its folder. */
  readonly folder: string;
  readonly files: readonly PushFile[];
  /** What stays here, by the reason. */
  readonly leftOut: ReadonlyMap<string, readonly string[]>;
  /** The text of README.md; null without one. */
  readonly readme: string | null;
  /** Of the card; the base of the config where the card names none. */
  readonly facts: CardFacts;
  readonly base: AdapterBase | null;
  /** Whether a signature or a list of digests holds its files as they are. */
  readonly isSealed: boolean;
  /** The first adapter in it: its folder or its GGUF, absolute. */
  readonly adapter: string;
}

/** Folders in folders, as bundles and checkpoints have them; deeper is something else. */
const deepest = 6;
/** More than a folder of an adapter has. */
const mostFiles = 10_000;
const resultsFolder = '.eval_results';
/** What holds the files of a bundle as they are. */
const seals = /^(model\.sig|sha256sums(\.txt)?)$/i;

/** Files below a folder, links to files followed. Throws NomoatError where they are too many or too deep. */
export function filesBelow(folder: string, below = ''): PushFile[] {
  const entries = readdirSync(join(folder, below), { withFileTypes: true });
  const files = entries.flatMap(({ name }): PushFile[] => {
    // What is hidden was not meant to be shown, such as keys; the hub's folder of results is.
    if (name.startsWith('.') && name !== resultsFolder) return [];
    const path = below === '' ? name : `${below}/${name}`;
    const source = join(folder, path);
    const stats = statSync(source, { throwIfNoEntry: false });
    if (stats?.isFile()) return [{ path, source, bytes: stats.size }];
    if (!stats?.isDirectory()) return [];
    if (path.split('/').length >= deepest) throw tooMany(folder, `has folders more than ${deepest} deep`);
    return filesBelow(folder, path);
  });
  if (files.length > mostFiles) throw tooMany(folder, `has more than ${mostFiles} files`);
  return files;
}

const tooMany = (part: string, fault: string): NomoatError =>
  new NomoatError({ part, fault, remedy: 'Give the folder of the adapter itself.' });

const asShared = (files: readonly PushFile[]): SharedFile[] =>
  files.map(({ bytes, path }) => ({ path, bytes, digest: { kind: 'sha256', hex: '' } }));

/** Whether a folder is shared as an adapter: it has one at its top, or is a bundle with one further down. */
export function holdsAdapter(folder: string): boolean {
  const names = readdirSync(folder);
  const atTop = names.map((path) => ({ path, source: '', bytes: 0 }));
  return adapterPlaces(asShared(atTop)).length > 0 || names.some((name) => seals.test(name));
}

/** What PEFT's config says of the base: an id of the hub, or a path of the machine that it was trained on. */
export function configBase(adapter: string): string | null {
  const path = join(adapter, 'adapter_config.json');
  if (adapter.endsWith('.gguf') || !existsSync(path)) return null;
  const { base_model_name_or_path: named } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  return typeof named === 'string' && named !== '' ? named : null;
}

/** The adapter's folder as it is shared, its weights read and checked. Throws NomoatError. */
export function readShareUnit(path: string): ShareUnit {
  const folder = resolve(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new NomoatError({
      code: 'adapter-not-found',
      part: path,
      fault: 'is no folder',
      remedy: 'Give a run, a bundle, or the folder of an adapter.',
    });
  // A folder of many things is not shared because there is an adapter somewhere in it.
  const all = holdsAdapter(folder) ? filesBelow(folder) : [];
  const { files, leftOut } = broughtOf(asShared(all));
  const kept = new Set(files.map((file) => file.path));
  const [first] = adapterPlaces(asShared(all));
  if (first === undefined)
    throw new NomoatError({
      code: 'unusable-adapter',
      part: path,
      fault: 'holds no adapter itself (no adapter_config.json, no GGUF LoRA)',
      remedy: 'Give a run, a bundle, or the folder of an adapter.',
    });
  const adapter = join(folder, ...first.split('/'));
  // Broken weights are nobody's gain.
  if (!adapter.endsWith('.gguf') && existsSync(join(adapter, 'adapter_model.safetensors')))
    readPeft(adapter, { dora: true });
  const readme = existsSync(join(folder, 'README.md')) ? readFileSync(join(folder, 'README.md'), 'utf8') : null;
  const facts = readme === null ? { baseModel: null, license: null } : cardFacts(readme);
  const named = configBase(adapter);
  const baseModel = facts.baseModel ?? (named !== null && isRepoId(named) ? named : null);
  return {
    folder,
    files: all.filter((file) => kept.has(file.path)),
    leftOut,
    readme,
    facts: { ...facts, baseModel },
    base: readAdapterBase(adapter) ?? readAdapterBase(folder),
    isSealed: all.some((file) => seals.test(basename(file.path))),
    adapter,
  };
}
