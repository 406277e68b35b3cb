/**
 * What a file is that was given for a model's or an adapter's and is not of the format. Promises: what is usual in its place is named, with
 * the way to the file itself. Pure.
 */

interface Foreign {
  /** The end of a sentence that begins with the file. */
  readonly fault: string;
  readonly remedy: string;
}

const begins = (head: Uint8Array, ...texts: readonly string[]): boolean =>
  texts.some((text) => Buffer.from(head.subarray(0, text.length)).toString('latin1').toLowerCase() === text);

/** How a model in a format of Python's becomes one that is read here. */
export const convertRemedy =
  'Convert the whole folder that it came in with convert_hf_to_gguf.py of llama.cpp, or look for a GGUF of that model on the hub.';

/** JSON after the eight bytes of its length. */
const isSafetensors = (head: Uint8Array): boolean => head[8] === 0x7b && (head[9] === 0x22 || head[9] === 0x7d);
const isPickle = (head: Uint8Array): boolean => head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;

/** As many bytes as are looked at. */
export const foreignHeadBytes = 32;

/** What stands in place of any file that was not really fetched. */
export function notFetched(head: Uint8Array): Foreign | null {
  if (begins(head, 'version https://git-lfs'))
    return { fault: 'is a pointer to a file in Git LFS, not the file', remedy: 'Fetch it: git lfs pull.' };
  if (begins(head, '<!doctype html', '<html'))
    return { fault: 'is a web page', remedy: 'Download the file itself (hub: "resolve", not "blob").' };
  return null;
}

/** What a file is that was given for a GGUF; null where nobody knows. */
export function foreignModel(head: Uint8Array): Foreign | null {
  const found = notFetched(head);
  if (found) return found;
  if (isSafetensors(head)) return { fault: 'is a safetensors file, no GGUF', remedy: convertRemedy };
  if (begins(head, 'pk\x03\x04') || isPickle(head))
    return { fault: "is a file of PyTorch's, no GGUF", remedy: convertRemedy };
  if (begins(head, 'ggml', 'tjgg', 'lmgg', 'fmgg'))
    return { fault: 'is a GGML file of 2023, from before GGUF', remedy: 'Download the model again as GGUF.' };
  return null;
}
