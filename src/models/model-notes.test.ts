import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { withMetadata } from '../../test/cases/support.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile, GgufValue } from '../formats/gguf/types.ts';
import { assertVocabulary, endTokenTexts, tokenTexts } from '../formats/gguf/vocabulary.ts';
import { readModelConfig } from './config.ts';
import { modelNotes } from './model-notes.ts';

const base = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
const mini = join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-notes-'));
afterAll(() => {
  for (const model of opened) model.close();
  rmSync(folder, { recursive: true });
});

const opened: GgufFile[] = [];
/** Windows removes no file that is open. */
function changed(changes: Readonly<Record<string, GgufValue | null>>): GgufFile {
  const model = openGguf(withMetadata(base, join(folder, `${opened.length}.gguf`), changes));
  opened.push(model);
  return model;
}
const text = (value: string): GgufValue => ({ type: 'string', value });
const whole = (value: number): GgufValue => ({ type: 'uint32', value });
const list = (value: readonly string[]): GgufValue => ({ type: 'array', elementType: 'string', value: [...value] });
const template = (open: string, close: string): string =>
  `{% for m in messages %}{{ '${open}' + m.role + '\\n' + m.content + '${close}\\n' }}{% endfor %}`;
const turns = template('<|im_start|>', '<|im_end|>');
const tokens = tokenTexts(openGguf(base))!;

test('models whose files are in order are told nothing of', () => {
  for (const path of [base, mini]) expect(modelNotes(openGguf(path))).toEqual([]);
  expect(modelNotes(changed({ 'tokenizer.chat_template': text(turns) }))).toEqual([]);
  expect(modelNotes(changed({ 'tokenizer.chat_template': null }))).toEqual([]);
  expect(modelNotes(changed({ 'tokenizer.chat_template': text('{{ broken') }))).toEqual([]);
});

test.each([
  [
    'keys that nothing computes with',
    { 'llama.attention.sliding_window': whole(4096) },
    /states llama\.attention\.sliding_window = 4096: llama\.cpp computes without it/,
  ],
  ['special tokens beyond the vocabulary', { 'tokenizer.ggml.padding_token_id': whole(99_999) }, /padding = 99999/],
  [
    'control tokens that are none',
    { 'tokenizer.chat_template': text(template('<|user|>', '<|im_end|>')) },
    /writes <\|user\|>, which the vocabulary has as no token of its own/,
  ],
  [
    'an end that does not end',
    { 'tokenizer.chat_template': text(template('<|im_start|>', '<|eot_id|>')) },
    /ends an answer with "<\|eot_id\|>.*answers may not stop/,
  ],
  [
    'no end at all',
    { 'tokenizer.chat_template': text(template('<|im_start|>', '')) },
    /ends an answer with "\\n<\|im_start\|>user/,
  ],
  [
    'a template that leaves answers out',
    { 'tokenizer.chat_template': text("{{ messages[0].content + '<|im_start|>' }}") },
    null,
  ],
])('told: %s', (_, changes, note) => {
  const notes = modelNotes(changed(changes as Readonly<Record<string, GgufValue>>));
  if (note) expect(notes.join('\n')).toMatch(note);
  else expect(notes).toEqual([]);
});

test('texts at which generation ends: stated ones and those that llama.cpp knows', () => {
  expect(endTokenTexts(openGguf(base))).toContain('<|im_end|>');
  expect(endTokenTexts(changed({ 'tokenizer.ggml.eos_token_id': whole(5) }))).toEqual(
    expect.arrayContaining([tokens[5], '<|im_end|>']),
  );
});

test('a vocabulary that does not fit the embedding is refused', () => {
  const longer = changed({ 'tokenizer.ggml.tokens': list([...tokens, 'one', 'two']) });
  expect(() => readModelConfig(longer)).toThrow(/has 322 tokens and 320 rows in token_embd\.weight/);
});

test.each([
  ['none', { 'tokenizer.ggml.tokens': null }, /has no vocabulary/],
  [
    'of numbers',
    { 'tokenizer.ggml.tokens': { type: 'array', elementType: 'int32', value: [1, 2] } },
    /has no vocabulary/,
  ],
  [
    'a token twice, on which llama.cpp ends the process',
    { 'tokenizer.ggml.tokens': list([...tokens.slice(0, -1), tokens[3]!]) },
    /has the token .* twice, as 3 and 319/,
  ],
  [
    'too few types',
    { 'tokenizer.ggml.token_type': { type: 'array', elementType: 'int32', value: [1, 1] } },
    /token_type has 2 values for 320 tokens/,
  ],
  ['types of another type', { 'tokenizer.ggml.token_type': list(['a']) }, /token_type is no array of int32/],
  [
    'too few scores',
    { 'tokenizer.ggml.scores': { type: 'array', elementType: 'float32', value: [1] } },
    /scores has 1 values/,
  ],
] as const)('a vocabulary that llama.cpp does not load: %s', (_, changes, message) => {
  expect(() => assertVocabulary(changed(changes as Readonly<Record<string, GgufValue | null>>))).toThrow(message);
});

test('empty tokens have names of their own, those with a zero byte end there, and bytes that are no text may differ', () => {
  const zero = changed({ 'tokenizer.ggml.tokens': list([...tokens.slice(0, -1), `${tokens[3]}\0x`]) });
  expect(() => assertVocabulary(zero)).toThrow(/twice/);
  expect(() =>
    assertVocabulary(changed({ 'tokenizer.ggml.tokens': list(['\uFFFD', '\uFFFD', ...tokens.slice(2)]) })),
  ).not.toThrow();
  expect(() =>
    assertVocabulary(changed({ 'tokenizer.ggml.tokens': list(['', '', ...tokens.slice(2)]) })),
  ).not.toThrow();
});
