import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchIndices } from '../batches/order.ts';
import { packRows } from '../batches/pack.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../files/gguf/read.ts';
import { readExamples } from '../jobs/dataset-files.ts';
import { chatTemplateOf } from '../text/chat-template.ts';
import type { Example } from '../text/example.ts';
import { openTokenizer } from './llama-cpp.ts';
import { renderPreview } from './preview.ts';
import { assertTrainable, buildRows, leakedRows, type RowsOptions } from './rows.ts';
import type { Tokenizer } from './tokenizer.ts';

const repo = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-rows-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function optionsFor(path: string): Promise<RowsOptions> {
  const model = openGguf(path);
  const template = chatTemplateOf(model);
  return {
    template: () => template,
    tokenizer: await openTokenizer(path),
    sequenceLength: 512,
    tooLong: 'truncate-right',
    supervise: 'answers',
  };
}

describe('the tiny reference model', () => {
  let options: RowsOptions;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    options = await optionsFor(join(repo, 'test/fixtures/reference/llama/base.gguf'));
    tokenizer = options.tokenizer;
  });
  const chat = (...turns: [string, string, (0 | 1)?][]): Example => ({
    kind: 'chat',
    messages: turns.map(([role, content, weight]) => ({ role, content, ...(weight === undefined ? {} : { weight }) })),
    source: { file: 'x', line: 1 },
  });
  const supervisedText = (example: Example, over: Partial<RowsOptions> = {}): string => {
    const { rows } = buildRows([example], { ...options, ...over });
    return tokenizer.decode([...rows[0]!.tokens].filter((_, t) => rows[0]!.supervised[t]));
  };

  test('answers and their end-of-turn tokens are supervised, nothing else', () => {
    const example = chat(['user', 'one'], ['assistant', 'two'], ['user', 'three'], ['assistant', 'four']);
    expect(supervisedText(example)).toBe('two<|im_end|>four<|im_end|>');
    expect(supervisedText(chat(['user', 'one'], ['assistant', 'two', 0], ['user', 'x'], ['assistant', 'four']))).toBe(
      'four<|im_end|>',
    );
    const { rows } = buildRows([example], options);
    expect(tokenizer.isEndOfGeneration(rows[0]!.tokens.at(-1)!)).toBe(true);
    expect(supervisedText(example, { supervise: 'all' })).toContain('three');
  });

  test('rows that are too long are cut, split or refused, and counted', () => {
    const example = chat(['user', 'one'], ['assistant', 'a long answer that goes on and on']);
    const length = buildRows([example], options).rows[0]!.tokens.length;
    const sequenceLength = length - 4;
    const right = buildRows([example], { ...options, sequenceLength });
    expect([right.report.truncatedRows, right.rows[0]!.tokens.length]).toEqual([1, sequenceLength]);
    expect(() => assertTrainable(right.rows, right.report, tokenizer)).toThrow(/end-of-turn token is never supervised/);
    const left = buildRows([example], { ...options, sequenceLength, tooLong: 'truncate-left' });
    assertTrainable(left.rows, left.report, tokenizer);
    expect(buildRows([example], { ...options, sequenceLength, tooLong: 'split' }).report.splitRows).toBe(1);
    const refused = buildRows([example], { ...options, sequenceLength, tooLong: 'refuse' });
    expect(refused.report.refusedRows).toBe(1);
    expect(() => assertTrainable(refused.rows, refused.report, tokenizer)).toThrow(/no row has a supervised token/);
  });

  test('duplicates and leaks are counted; the preview marks what is supervised', () => {
    const a = chat(['user', 'one'], ['assistant', 'two']);
    const { rows, report } = buildRows([a, a, chat(['user', 'x'], ['assistant', 'y'])], options);
    expect(report.duplicateRows).toBe(1);
    expect(leakedRows(rows, buildRows([a], options).rows)).toBe(2);
    const preview = renderPreview(rows, report, tokenizer, { rows: 1, color: false });
    expect(preview).toContain('«<|im_end|>»');
    expect(preview).toContain('3 rows');
  });

  test('every format is detected and every bad record is named', () => {
    const lines = [
      [
        'messages',
        {
          messages: [
            { role: 'user', content: 'q' },
            { role: 'assistant', content: 'a' },
          ],
        },
      ],
      ['prompt-completion', { prompt: 'q', completion: 'a' }],
      ['alpaca', { instruction: 'q', input: '', output: 'a' }],
      [
        'sharegpt',
        {
          conversations: [
            { from: 'human', value: 'q' },
            { from: 'gpt', value: 'a' },
          ],
        },
      ],
      ['text', { text: 'a story' }],
    ] as const;
    const rendered = lines.map(([format, record]) => {
      const data = readExamples([write(`${format}.jsonl`, `${JSON.stringify(record)}\n`)]);
      expect(data.format).toBe(format);
      return supervisedText(data.train[0]!);
    });
    expect(new Set(rendered.slice(0, 4))).toEqual(new Set(['a<|im_end|>']));
    const csv = readExamples([write('d.csv', 'question,answer\nq,"a, b"\n')], {
      promptColumn: 'question',
      completionColumn: 'answer',
    });
    expect(supervisedText(csv.train[0]!)).toBe('a, b<|im_end|>');
    const bad = readExamples([write('bad.jsonl', '{"text":"ok"}\n{"text":1}\nnot json\n{}\n')]);
    expect(bad.refusals.map(({ source }) => source.line)).toEqual([2, 3, 4]);
    expect(() => readExamples([write('empty.jsonl', '\n')])).toThrow(/is empty/);
    expect(() => readExamples([write('odd.jsonl', '{"a":1}')])).toThrow(
      /no known format \(keys of its first record: a\)/,
    );
  });

  test('600 mutated JSONL and CSV files: read, counted or refused', () => {
    const sources = ['{"prompt":"q","completion":"a"}\n'.repeat(5), 'prompt,completion\n"a","b"\nc,"d ""e"""\n'];
    let state = 3;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let i = 0; i < 1200; i++) {
      const bytes = Buffer.from(sources[i % 2]!);
      for (let k = 0; k <= random(4); k++) bytes[random(bytes.length)] = random(256);
      const path = join(folder, i % 2 ? 'fuzz.csv' : 'fuzz.jsonl');
      writeFileSync(path, bytes.subarray(0, 1 + random(bytes.length)));
      try {
        const { train, refusals, files } = readExamples([path]);
        expect(train.length + refusals.length).toBe(files[0]!.rows);
      } catch (error) {
        expect(error).toBeInstanceOf(NomoatError);
      }
    }
  });

  test('packing keeps every row whole', () => {
    const examples = Array.from({ length: 7 }, (_, i) =>
      chat(['user', 'x'.repeat(i)], ['assistant', 'y'.repeat(3 * i + 1)]),
    );
    const { rows } = buildRows(examples, options);
    for (const packing of [true, false]) {
      const batches = packRows(rows, { packing, microBatchSize: null, maxTokens: 80, padToken: 0 });
      expect(batches.length).toBeGreaterThan(1);
      expect(batches.reduce((sum, b) => sum + b.realTokens, 0)).toBe(rows.reduce((sum, r) => sum + r.tokens.length, 0));
      expect(batches.reduce((sum, b) => sum + b.supervisedTokens, 0)).toBe(
        rows.reduce((sum, r) => sum + r.supervised.reduce((a, b) => a + b, 0), 0),
      );
    }
    const steps = Array.from({ length: 4 }, (_, step) =>
      batchIndices(step, { rows: 7, batchSize: 2, seed: 5, shuffle: true }),
    );
    expect(steps.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(batchIndices(4, { rows: 7, batchSize: 2, seed: 5, shuffle: true })).not.toEqual(steps[0]);
  });
});

const real = process.env['NOMOAT_TEST_MODEL'] ?? join(repo, '../shared/models/SmolLM2-135M-Instruct.Q4_1.gguf');
const data = join(repo, '../shared/reference/smollm2_banking77');
const missing = !existsSync(real) || !existsSync(data);
describe.skipIf(missing)(
  `SmolLM2 on banking77${missing ? ' (skipped: the model or the reference data is not here)' : ''}`,
  () => {
    test('rows are those of the reference, token for token', async () => {
      const reference = JSON.parse(readFileSync(join(data, 'case.json'), 'utf8')) as {
        tokens_of_first_batch: number[][];
      };
      const { rows, report } = buildRows(readExamples([join(data, 'train.jsonl')]).train, await optionsFor(real));
      expect(rows.slice(0, 16).map(({ tokens }) => [...tokens])).toEqual(reference.tokens_of_first_batch);
      expect([report.rows, report.tokens, report.supervisedTokens]).toEqual([1600, 79675, 7581]);
    });
  },
);
