import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { chatTemplateOf } from '../text/chat-template.ts';
import type { Example } from '../text/example.ts';
import { parseRecord } from '../text/records.ts';
import { renderPreview } from '../tokens/preview.ts';
import { buildRows, type RowsOptions } from '../tokens/rows.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { assertTrainable } from '../tokens/trainable.ts';
import { openTokenizer } from './tokenizer.ts';

const repo = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-tokens-'));
afterAll(() => rmSync(folder, { recursive: true }));

const optionsFor = (path: string, tokenizer: Tokenizer): RowsOptions => {
  const model = openGguf(path);
  const template = chatTemplateOf(model);
  model.close();
  return {
    template: () => template,
    tokenizer,
    sequenceLength: 512,
    tooLong: 'refuse',
    supervise: 'answers',
    specialTokens: 'auto',
  };
};
const texts = [
  '',
  'hello',
  ' two  spaces',
  'line\n\nline\n',
  'Grüße 日本 😀',
  '<|im_start|>user\nx<|im_end|>\n',
  '\u0000\t',
];

describe.each(['llama', 'qwen2', 'qwen3'])('the tiny reference model %s', (name) => {
  const path = join(repo, 'test/fixtures/reference', name, 'base.gguf');
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await openTokenizer(path);
  });
  afterAll(() => tokenizer.close());

  test('tokens of a text spell it again; special tokens only where asked for', () => {
    expect([tokenizer.vocabularySize, tokenizer.bosToken, tokenizer.eosToken, tokenizer.addsBos]).toEqual([
      320,
      317,
      318,
      false,
    ]);
    for (const text of texts) expect(tokenizer.decode(tokenizer.encode(text, true))).toBe(text);
    expect(tokenizer.encode('<|im_end|>', true)).toEqual([318]);
    expect(tokenizer.encode('<|im_end|>', false)).not.toContain(318);
    expect(tokenizer.isEndOfGeneration(318)).toBe(true);
    expect(tokenizer.isEndOfGeneration(5)).toBe(false);
  });

  test('ids that the vocabulary lacks are an error, not the end of the process', () => {
    for (const token of [320, -1, 2 ** 31, 0.5, Number.NaN]) {
      expect(() => tokenizer.decode([1, token])).toThrow(/has no token .*; its ids are 0 to 319/);
      expect(() => tokenizer.isEndOfGeneration(token)).toThrow(/has no token/);
    }
  });

  test('rows of conversations: answers and their ends, every character visible in the preview', () => {
    const options = optionsFor(path, tokenizer);
    const messages = [
      { role: 'user', content: 'Grüße 😀' },
      { role: 'assistant', content: 'zwei 日本' },
    ];
    const built = buildRows([{ kind: 'chat', messages, source: { file: 'x', line: 1 } }], options);
    const { rows, report } = built;
    assertTrainable(built, tokenizer);
    const taught = [...rows[0]!.tokens].filter((_, t) => rows[0]!.supervised[t] === 1);
    expect(tokenizer.decode(taught)).toBe('zwei 日本<|im_end|>');
    const preview = renderPreview(rows, report, tokenizer, { rows: 1, color: false });
    expect(preview.replace(/[«»│]/g, '')).toContain(
      'Grüße 😀<|im_end|>⏎\n<|im_start|>assistant⏎\nzwei 日本<|im_end|>\n',
    );
  });
});

test('what is no model is refused by name', async () => {
  await expect(openTokenizer(join(folder, 'none.gguf'))).rejects.toThrow(/none.gguf: cannot be opened/);
  const bad = join(folder, 'bad.gguf');
  writeFileSync(bad, 'GGUF and nothing else');
  await expect(openTokenizer(bad)).rejects.toMatchObject({ name: 'NomoatError', part: bad });
  const noWords = join(folder, 'no-words.gguf');
  writeGguf(noWords, {
    metadata: new Map([['general.architecture', { type: 'string', value: 'llama' }]]),
    tensors: [],
  });
  await expect(openTokenizer(noWords)).rejects.toThrow(/has no vocabulary/);
});

const realModel = process.env.NOMOAT_TEST_MODEL ?? join(repo, '../shared/models/SmolLM2-135M-Instruct.Q4_1.gguf');
const data = join(repo, '../shared/reference/smollm2_banking77');
const missing = [realModel, data].filter((path) => !existsSync(path));
const why = missing.length > 0 ? ` (skipped: not here: ${missing.join(', ')})` : '';

describe.skipIf(why !== '')(`SmolLM2 on banking77${why}`, () => {
  const examplesOf = (file: string): Example[] =>
    readFileSync(join(data, file), 'utf8')
      .trim()
      .split('\n')
      .map((line, i) => parseRecord('messages', JSON.parse(line), { file, line: i + 1 }) as Example);

  test('rows are those of the reference, token for token', async () => {
    const reference = JSON.parse(readFileSync(join(data, 'case.json'), 'utf8')) as {
      tokens_of_first_batch: number[][];
      prompt_lengths_of_first_batch: number[];
      tokens: number;
      supervised_tokens: number;
      held_out_tokens_supervised: number;
    };
    const tokenizer = await openTokenizer(realModel);
    const options = optionsFor(realModel, tokenizer);
    const { rows, report } = buildRows(examplesOf('train.jsonl'), options);
    const first = rows.slice(0, 16);
    expect(first.map(({ tokens }) => [...tokens])).toEqual(reference.tokens_of_first_batch);
    expect(first.map(({ supervised }) => supervised.indexOf(1))).toEqual(reference.prompt_lengths_of_first_batch);
    expect(first.every(({ supervised }) => !supervised.subarray(supervised.indexOf(1)).includes(0))).toBe(true);
    expect([report.rows, report.tokens, report.supervisedTokens]).toEqual([
      1600,
      reference.tokens,
      reference.supervised_tokens,
    ]);
    expect([report.tokens, report.supervisedTokens]).toEqual([79675, 7581]);
    const held = buildRows(examplesOf('test.jsonl'), options).report;
    expect([held.rows, held.supervisedTokens]).toEqual([400, reference.held_out_tokens_supervised]);
    await tokenizer.close();
  });
});
