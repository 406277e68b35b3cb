import { expect, test } from 'vitest';
import { hubAddress } from './hub-address.ts';

const repo = 'Qwen/Qwen3-0.6B-GGUF';
const file = 'Qwen3-0.6B-Q8_0.gguf';

test.each([
  [repo, null, null],
  [`${repo}:Q4_K_M`, null, 'Q4_K_M'],
  [`hf.co/${repo}:Q4_K_M`, null, 'Q4_K_M'],
  [`https://huggingface.co/${repo}`, null, null],
  [`https://huggingface.co/${repo}/`, null, null],
  [`  https://huggingface.co/${repo}?show_file_info=x.gguf`, null, null],
  [`https://huggingface.co/${repo}/tree/main`, null, null],
  [`https://huggingface.co/${repo}/blob/main/${file}`, file, null],
  [`https://huggingface.co/${repo}/resolve/main/${file}?download=true`, file, null],
  [`https://huggingface.co/${repo}/blob/main/a%20b/${file}`, `a b/${file}`, null],
  [`https://huggingface.co/${repo}/blob/main/README.md`, null, null],
])('%s', (text, wantedFile, quantization) => {
  expect(hubAddress(text)).toEqual({ repo, file: wantedFile, quantization });
});

test.each([
  '',
  '/',
  '../etc',
  'https://example.org/a/b',
  'https://huggingface.co/',
  'C:\\models\\a.gguf',
  'a%E0%A4%A/b/blob/main/%E0%A4%A.gguf',
])('%j is taken apart without a fault', (text) => {
  expect(typeof hubAddress(text).repo).toBe('string');
});
