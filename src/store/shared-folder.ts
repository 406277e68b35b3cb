/**
 * A folder of files that somebody shares, wherever it lies: on the hub, below a catalogue on a web server, or below one on a disk. Pure:
 * what is listed, what of it is brought, and which of it is the adapter.
 */
import type { StatedDigest } from './content-digest.ts';

export interface SharedFile {
  /** Below the folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly digest: StatedDigest;
}

/** What is listed of it before anything is fetched. */
export interface SharedFolder {
  /** As messages name it: `org/name`. */
  readonly name: string;
  /** 40 hex digits: a commit of the hub, or what the files' digests come to. */
  readonly revision: string;
  readonly files: readonly SharedFile[];
  /** Where a file is asked for. */
  readonly urlOf: (path: string) => string;
  /** What its card states: the adapter's license, and the base's id on the hub. */
  readonly license: string | null;
  readonly baseModel: string | null;
}

const configName = 'adapter_config.json';
/** Names that say of a GGUF that it is an adapter; of others the header is asked. */
const adapterGguf = /(^|[-_.])(lora|adapter)([-_.]|$)/i;
const gguf = /\.gguf$/i;

const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');
const depthOf = (path: string): number => path.split('/').length;
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Why a file is not brought: rules in order, the first that fits. */
const rules: readonly (readonly [RegExp, string])[] = [
  [/^\.git/, "git's own"],
  [/\.(bin|pt|pth|ckpt|pkl|pickle)$/i, 'pickles, which can run programs'],
  [/(^|\/)checkpoint-\d+\//i, 'checkpoints of its training'],
  [/(^|\/)events\.out\.tfevents/i, 'logs of its training'],
  [/(^|\/)(?!adapter)[^/]*\.safetensors$/i, 'weights that are no adapter'],
];

/** What the sum of frozen adapters is called beside one that was trained on top of them. */
export const frozenStackName = 'frozen.gguf';

/** Whether a GGUF is an adapter by its name. */
export const isAdapterGguf = (path: string): boolean => gguf.test(path) && adapterGguf.test(nameOf(path));

/** Folders and files that are adapters, the first one first: PEFT's and mlx-lm's folders by their config, and GGUF LoRAs. */
export function adapterPlaces(files: readonly SharedFile[]): string[] {
  const kept = files.map(({ path }) => path).filter((path) => leftOutFor(path) === null);
  const byDepth = (left: string, right: string): number => depthOf(left) - depthOf(right) || left.localeCompare(right);
  const folders = kept
    .filter((path) => nameOf(path) === configName)
    .sort(byDepth)
    .map(folderOf);
  return folders.length > 0 ? folders : kept.filter(isAdapterGguf).sort(byDepth);
}

function leftOutFor(path: string): string | null {
  for (const [pattern, why] of rules) if (pattern.test(path)) return why;
  const isOfAdapter = isAdapterGguf(path) || nameOf(path) === frozenStackName;
  return gguf.test(path) && !isOfAdapter ? 'whole models' : null;
}

export interface Brought {
  readonly files: readonly SharedFile[];
  /** What is left out, by the reason: names of files. */
  readonly leftOut: ReadonlyMap<string, readonly string[]>;
}

/** What is brought of an adapter's folder: all but pickles, checkpoints and whole models. */
export function broughtOf(files: readonly SharedFile[]): Brought {
  const leftOut = new Map<string, string[]>();
  const brought = files.filter(({ path }) => {
    const why = leftOutFor(path);
    if (why !== null) leftOut.set(why, [...(leftOut.get(why) ?? []), path]);
    return why === null;
  });
  return { files: brought, leftOut };
}

/** As git names branches and tags, nothing of which leads out of a folder. */
export const isSafeRevision = (text: string): boolean =>
  /^[\w.+-]+(\/[\w.+-]+)*$/.test(text) && !text.split('/').some((part) => part.startsWith('.') || part.includes('..'));
