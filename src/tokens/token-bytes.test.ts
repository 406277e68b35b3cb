import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTokenizer } from '../llama/tokenizer.ts';
import { bytesOfToken, TokenBytes } from './token-bytes.ts';

const spelled = (kind: string, text: string): string => Buffer.from(bytesOfToken(kind, text)).toString('latin1');

test('tokens of each kind of vocabulary as bytes', () => {
  expect(spelled('gpt2', 'ĠtheĊ')).toBe(' the\n');
  expect(spelled('gpt2', 'Ã¤')).toBe('\xc3\xa4');
  expect(spelled('gpt2', 'ðŁĺ')).toBe('\xf0\x9f\x98');
  expect(spelled('gpt2', '<|im_end|>')).toBe('<|im_end|>');
  expect(spelled('gpt2', '<｜a｜>')).toBe(Buffer.from('<｜a｜>').toString('latin1'));
  expect(spelled('llama', '<0xF0>')).toBe('\xf0');
  expect(spelled('llama', '\u2581the')).toBe(' the');
});

test('of a model, in whose file they are found: together they are the text', async () => {
  const path = join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf');
  const tokenizer = await openTokenizer(path);
  const text = 'né 😀 日本';
  const ids = tokenizer.encode(text, false);
  const bytes = new TokenBytes(path);
  await tokenizer.close();
  expect(ids.length).toBeGreaterThan(new TextEncoder().encode('日本').length);
  expect(Buffer.concat(ids.map((id) => bytes.of(id))).toString()).toBe(text);
});
