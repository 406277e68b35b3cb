/**
 * Base models in memory. Promises: a file is loaded once however many opened models use it, and freed with the last of them; an adapter's
 * weights are loaded once on each base, whatever format they come in. Another file under the same name is another base.
 */
import { copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { LlamaModel } from 'node-llama-cpp';
import { adapterFiles } from '../adapter/read-adapter.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { unlessAborted } from '../stop.ts';
import { loadLlamaModel } from './engine.ts';
import { type PreparedAdapter, prepareAdapter } from './prepare-adapter.ts';

/** An adapter, and how strongly it counts: 1 is as it was trained. */
export interface ScaledAdapter {
  /** A GGUF LoRA, a PEFT folder, a run's folder, or a .safetensors file with its config beside it. */
  readonly path: string;
  readonly scale: number;
}

/** An adapter as llama.cpp loads it. */
interface Loadable {
  readonly path: string;
  /** Of its weights in memory. */
  readonly bytes: number;
}

/** What `openContext` takes. */
export type Loras = readonly { readonly filePath: string; readonly scale: number }[];

/** A base in memory, for one user of it. */
export interface Base {
  readonly model: LlamaModel;
  /** Bytes of the weights of adapters that were loaded on it: node-llama-cpp keeps them until the base is freed. */
  readonly adapterBytes: number;
  /**
   * What `open` makes with these adapters, which have to be made for this base; `gguf` is its own file. One at a time on each base.
   * Rejects with NomoatError.
   */
  withAdapters<T>(adapters: readonly ScaledAdapter[], gguf: GgufFile, open: (loras: Loras) => Promise<T>): Promise<T>;
  /** Frees the base where nobody else uses it. A second call does nothing. */
  release(): Promise<void>;
}

interface Held {
  readonly loading: Promise<LlamaModel>;
  readonly stop: AbortController;
  /** Those whose weights are loaded, by what their files are. */
  readonly adapters: Map<string, Loadable>;
  /** Contexts are opened one after the other, so that no adapter is loaded twice. */
  opening: Promise<unknown>;
  users: number;
}

const held = new Map<string, Held>();

/** Another file in the same place differs. */
function stampOf(path: string): string {
  const { dev, ino, mtimeMs, size } = statSync(path);
  return [realpathSync(path), dev, ino, size, mtimeMs].join(' ');
}

/** A file that is not there has no stamp: loading says so. */
function keyOf(path: string): string {
  try {
    return stampOf(path);
  } catch {
    return path;
  }
}

function begin(key: string, path: string): Held {
  const stop = new AbortController();
  const loading = loadLlamaModel(path, stop.signal);
  const base: Held = { loading, stop, adapters: new Map(), opening: Promise.resolve(), users: 0 };
  held.set(key, base);
  // Whoever comes next tries again.
  base.loading.catch(() => forget(key, base));
  return base;
}

function forget(key: string, base: Held): void {
  if (held.get(key) === base) held.delete(key);
}

async function release(key: string, base: Held): Promise<void> {
  base.users--;
  if (base.users > 0) return;
  forget(key, base);
  // Nobody waits for it any more.
  base.stop.abort();
  const model = await base.loading.catch(() => null);
  await model?.dispose();
}

/** `path` as llama.cpp loads it: itself, or a copy where it was loaded with other contents, since weights are kept by the path. */
function loadable(path: string, gguf: GgufFile, isNew: boolean): PreparedAdapter {
  const prepared = prepareAdapter(path, gguf);
  if (prepared.path !== path || isNew) return prepared;
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-adapter-'));
  const copy = join(folder, basename(path));
  copyFileSync(path, copy);
  return { path: copy, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Once a context has loaded them, the files may go. */
async function openWith<T>(
  base: Held,
  adapters: readonly ScaledAdapter[],
  gguf: GgufFile,
  open: (loras: Loras) => Promise<T>,
): Promise<T> {
  const fresh = new Map<string, Loadable>();
  const made: PreparedAdapter[] = [];
  try {
    const loras = adapters.map(({ path, scale }) => {
      const stamp = existsSync(path) ? adapterFiles(path).map(keyOf).join('\n') : path;
      const known = base.adapters.get(stamp) ?? fresh.get(stamp);
      if (known) return { filePath: known.path, scale };
      const isNew = ![...base.adapters.values()].some((each) => each.path === path);
      const prepared = loadable(path, gguf, isNew);
      made.push(prepared);
      fresh.set(stamp, { path: prepared.path, bytes: statSync(prepared.path).size });
      return { filePath: prepared.path, scale };
    });
    const opened = await open(loras);
    for (const [stamp, adapter] of fresh) base.adapters.set(stamp, adapter);
    return opened;
  } finally {
    for (const { remove } of made) remove();
  }
}

/** The base at `path`, loaded where nobody uses it yet. Rejects with NomoatError, or with the reason of `signal`. */
export async function openBase(path: string, signal?: AbortSignal): Promise<Base> {
  const key = keyOf(path);
  const base = held.get(key) ?? begin(key, path);
  base.users++;
  let isOpen = true;
  const leave = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await release(key, base);
  };
  try {
    return {
      model: await unlessAborted(base.loading, signal),
      get adapterBytes() {
        return [...base.adapters.values()].reduce((sum, { bytes }) => sum + bytes, 0);
      },
      withAdapters: (adapters, gguf, open) => {
        const opened = base.opening.then(() => openWith(base, adapters, gguf, open));
        base.opening = opened.catch(() => {});
        return opened;
      },
      release: leave,
    };
  } catch (error) {
    await leave();
    throw error;
  }
}
