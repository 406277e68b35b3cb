/** Whether a GGUF file is an adapter, told by its first bytes: a list of models is made without reading their vocabularies. */
import { closeSync, openSync, readSync } from 'node:fs';

/** What files are stands before their vocabularies, among keys of some dozen bytes each. */
const firstBytes = 4096;
/** The key, the type of its value (a string), and the value with its length in eight bytes, as GGUF writes them. */
const mark = Buffer.concat([
  Buffer.from('general.type'),
  Buffer.from([8, 0, 0, 0]),
  Buffer.from([7, 0, 0, 0, 0, 0, 0, 0]),
  Buffer.from('adapter'),
]);

/** false for what cannot be read: whoever opens it says why. */
export function isAdapterGguf(path: string): boolean {
  const bytes = Buffer.alloc(firstBytes);
  try {
    const file = openSync(path, 'r');
    try {
      return bytes.subarray(0, readSync(file, bytes)).includes(mark);
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
