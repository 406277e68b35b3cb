import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openGguf } from './gguf/read.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-foreign-'));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (content: string | Uint8Array): string => {
  const path = join(folder, 'model.gguf');
  writeFileSync(path, content);
  return path;
};
const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 7\n';

test.each([
  ['a pointer of Git LFS', pointer, /is a pointer to a file in Git LFS, not the file\. Fetch it: git lfs pull/],
  ['a web page', '<!DOCTYPE html><html>', /is a web page\. Download the file itself/],
  ['a zip of PyTorch', 'PK\x03\x04....', /is a file of PyTorch's, no GGUF\. Convert the whole folder/],
  ['a pickle', Buffer.from([0x80, 2, 0x7d, 0x71]), /is a file of PyTorch's/],
  ['GGML of 2023', 'tjgg\x03\0\0\0', /from before GGUF\. Download the model again as GGUF/],
  ['a text', 'hello', /is no GGUF file/],
  ['nothing', '', /is cut short/],
])('%s in place of a GGUF', (_, content, said) => {
  expect(() => openGguf(put(content))).toThrow(said);
});

test('safetensors in place of a GGUF say what converts them', () => {
  const path = join(folder, 'model.safetensors');
  writeSafetensors(path, [{ name: 'a', shape: [1], values: new Float32Array(1) }]);
  expect(() => openGguf(path)).toThrow(/is a safetensors file, no GGUF\. Convert .* convert_hf_to_gguf\.py/);
});

test('what was not fetched is said of safetensors, too', () => {
  expect(() => readSafetensors(put(pointer))).toThrow(/Git LFS.*git lfs pull/);
  expect(() => readSafetensors(put('<html>'))).toThrow(/is a web page/);
});
