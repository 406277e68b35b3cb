/**
 * A model in several GGUF files, as one: tensors of all, metadata of the first. Promises: parts that are missing, or
 * belong to another model, are named. The keys that say how it is divided are left out, since what is written of it is
 * one file.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { ggufFault } from './header.ts';
import { type PartName, parsePartName } from './part-names.ts';
import { booleanIn, type GgufFile, type GgufTensorInfo, type GgufValue, numberIn, stringIn } from './types.ts';

const keys = { number: 'split.no', count: 'split.count', tensors: 'split.tensors.count' } as const;

/** Whether the file says that it is one of several. */
export const isPart = (file: GgufFile): boolean => (file.number(keys.count) ?? 0) > 1;

const together = 'Put all parts of the model into one folder, under the names that they were made with.';

/** The name of a part, where it says the same as what is in the file. */
function nameOf(file: GgufFile): PartName {
  const name = parsePartName(file.path);
  const [number, count] = [(file.number(keys.number) ?? -1) + 1, file.number(keys.count)];
  if (!name) {
    const fault = `is part ${number} of a model in ${count} files, and its name does not say so`;
    throw ggufFault(file.path, fault, 'Give it back its name: MODEL-00001-of-0000N.gguf.');
  }
  if (name.number === number && name.count === count) return name;
  throw ggufFault(file.path, `says inside that it is part ${number} of ${count}`, together);
}

class GgufParts implements GgufFile {
  readonly path: string;
  readonly parts: readonly string[];
  readonly byteLength: number;
  readonly version: number;
  readonly alignment: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  private readonly files: readonly GgufFile[];
  private readonly holders: ReadonlyMap<string, GgufFile>;

  constructor(files: readonly GgufFile[]) {
    const first = files[0]!;
    this.files = files;
    this.path = first.path;
    this.parts = files.map(({ path }) => path);
    this.byteLength = files.reduce((sum, file) => sum + file.byteLength, 0);
    this.version = first.version;
    this.alignment = first.alignment;
    const divided: readonly string[] = Object.values(keys);
    this.metadata = new Map([...first.metadata].filter(([key]) => !divided.includes(key)));
    const tensors = new Map<string, GgufTensorInfo>();
    const holders = new Map<string, GgufFile>();
    for (const file of files) {
      for (const [name, info] of file.tensors) {
        const other = holders.get(name);
        if (other) throw ggufFault(file.path, `holds the tensor ${name}, as ${basename(other.path)} does`, together);
        tensors.set(name, info);
        holders.set(name, file);
      }
    }
    this.tensors = tensors;
    this.holders = holders;
  }

  private holder(name: string): GgufFile {
    return this.holders.get(name) ?? this.files[0]!;
  }

  readBytes(name: string): Uint8Array {
    return this.holder(name).readBytes(name);
  }

  readFloat32(name: string, options?: { firstRow?: number; rows?: number; out?: Float32Array }): Float32Array {
    return this.holder(name).readFloat32(name, options);
  }

  number(key: string): number | undefined {
    return numberIn(this.metadata, key);
  }

  string(key: string): string | undefined {
    return stringIn(this.metadata, key);
  }

  boolean(key: string): boolean | undefined {
    return booleanIn(this.metadata, key);
  }

  close(): void {
    for (const file of this.files) file.close();
  }
}

/** The model that `file` is a part of, each part opened by `open`. Throws NomoatError. */
export function openParts(file: GgufFile, open: (path: string) => GgufFile): GgufFile {
  const { count, path } = nameOf(file);
  const paths = Array.from({ length: count }, (_, i) => path(i + 1));
  const missing = paths.filter((each) => !existsSync(each)).map((each) => basename(each));
  if (missing.length > 0) {
    const named = missing.slice(0, 3).join(', ');
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
    throw ggufFault(file.path, `is a part of a model in ${count} files, without ${named}${more}`, together);
  }
  const files: GgufFile[] = [];
  try {
    for (const each of paths) {
      const opened = open(each);
      files.push(opened);
      if (!isPart(opened))
        throw ggufFault(each, `is no part of the model that ${basename(file.path)} is a part of`, together);
      nameOf(opened);
    }
    const whole = new GgufParts(files);
    const stated = files[0]!.number(keys.tensors);
    if (stated !== undefined && stated !== whole.tensors.size) {
      const fault = `says that the model has ${stated} tensors, and its ${count} parts hold ${whole.tensors.size}`;
      throw ggufFault(whole.path, fault, together);
    }
    return whole;
  } catch (error) {
    for (const each of files) each.close();
    throw error;
  }
}
