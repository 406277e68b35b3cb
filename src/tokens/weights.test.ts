/** Weights of messages and records as weights of tokens. */
import { expect, test } from 'vitest';
import { ChatTemplate } from '../text/chat-template.ts';
import type { Example, Message } from '../text/example.ts';
import { renderPreview } from './preview.ts';
import { buildRows, cutRows, type RowsOptions } from './rows.ts';
import type { Tokenizer } from './tokenizer.ts';
import { weighPrompts } from './weigh-prompts.ts';

/** One token for each UTF-16 unit; a dot ends a turn. */
const tokenizer: Tokenizer = {
  vocabularySize: 0x10000,
  bosToken: null,
  eosToken: 0x2e,
  eotToken: null,
  addsBos: false,
  controlTexts: [],
  encode: (text) => [...text].map((unit) => unit.charCodeAt(0)),
  decode: (tokens) => String.fromCharCode(...tokens),
  isEndOfGeneration: (token) => token === 0x2e,
  close: async () => {},
};
const template = new ChatTemplate(
  "{% for m in messages %}{{ m.role[0] + m.content + '.' }}{% endfor %}{% if add_generation_prompt %}a{% endif %}",
  { bosToken: '', eosToken: '.' },
);
const options: RowsOptions = {
  template: () => template,
  tokenizer,
  sequenceLength: 64,
  tooLong: 'refuse',
  supervise: 'answers',
  specialTokens: 'auto',
};
const source = { file: 'x.jsonl', line: 1 };
const turns = (...weights: (number | undefined)[]): Message[] =>
  weights.flatMap((weight) => [
    { role: 'user', content: 'q' },
    { role: 'assistant', content: 'yes', ...(weight === undefined ? {} : { weight }) },
  ]);
const chat = (...weights: (number | undefined)[]): Example => ({ kind: 'chat', messages: turns(...weights), source });
/** What each learnt token counts. */
const counts = (example: Example, more: Partial<RowsOptions> = {}): number[][] =>
  buildRows([example], { ...options, ...more }).rows.map(({ supervised, tokens, weights }) =>
    [...tokens].flatMap((_, t) => (supervised[t] ? [Number((weights?.[t] ?? 1).toPrecision(3))] : [])),
  );

test('each answer counts by its message, with the end of its turn; 0 keeps one out', () => {
  expect(counts(chat(0.5, 0, undefined, 2))).toEqual([
    [...Array(4).fill(0.5), ...Array(4).fill(1), ...Array(4).fill(2)],
  ]);
  expect(buildRows([chat(1, undefined)], options).rows[0]!.weights).toBeUndefined();
});

test('the record’s weight multiplies those of its messages', () => {
  expect(counts({ ...chat(0.5, undefined), weight: 0.5 })).toEqual([[...Array(4).fill(0.25), ...Array(4).fill(0.5)]]);
  const completion: Example = { kind: 'completion', prompt: 'q', completion: 'no', source, weight: 0.3 };
  expect(counts(completion)).toEqual([[0.3, 0.3, 0.3]]);
  expect(counts({ kind: 'text', text: 'abc', source, weight: 3 })).toEqual([[3, 3, 3]]);
});

test('rows that are cut or split keep the weights of their own tokens', () => {
  const example = chat(0.5, 2);
  const whole = counts(example)[0]!;
  expect(counts(example, { sequenceLength: 10, tooLong: 'truncate-left' })).toEqual([whole.slice(-5)]);
  expect(counts(example, { sequenceLength: 8, tooLong: 'split' }).flat()).toEqual(whole);
});

test('a pair counts by its record, not by its messages', () => {
  const encoded = (text: string) => ({
    raw: false,
    notes: [],
    sequences: [
      {
        tokens: Int32Array.from(tokenizer.encode(text, true)),
        supervised: Uint8Array.of(0, 1, 1),
        weights: Float32Array.of(1, 2, 2),
      },
    ],
  });
  const pair = { source, encoded: encoded('qab'), rejected: encoded('qcd'), weight: 0.5 };
  const [row] = cutRows([pair], options).rows;
  expect(row).toMatchObject({ weight: 0.5 });
  expect(row!.weights).toBeUndefined();
});

test('a preview shows them behind what counts so', () => {
  const { report, rows } = buildRows([chat(0.3, undefined)], options);
  expect(renderPreview(rows, report, tokenizer, { rows: 1, color: false })).toContain('«.»×0.3u│q│');
  const pair = { ...rows[0]!, weight: 0.5, rejected: rows[0]! };
  expect(renderPreview([pair], report, tokenizer, { rows: 1, color: false })).toContain('supervised, weight 0.5\n');
});

test('prompts that are weighed: every token but the first is learnt, answers as before', () => {
  const { rows } = buildRows([chat(0.5, undefined), { ...chat(1), source: { file: 'x.jsonl', line: 2 } }], options);
  const [weighed, spared] = weighPrompts(rows, 0.1, [{ file: 'x.jsonl', line: 2 }]);
  expect([...weighed!.supervised]).toEqual([0, ...Array(weighed!.tokens.length - 1).fill(1)]);
  const shown = Array.from(weighed!.weights!, (weight) => Number(weight.toPrecision(3)));
  expect(shown).toEqual([...rows[0]!.supervised].map((on, t) => (on ? rows[0]!.weights![t]! : 0.1)));
  expect(spared).toBe(rows[1]);
  expect(weighPrompts(rows, 0, [])).toBe(rows);
});
