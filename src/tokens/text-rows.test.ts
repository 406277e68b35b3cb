import { expect, test } from 'vitest';
import { textRows, tokenizedPieces } from './text-rows.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A token is a character. */
const tokenizer: Pick<Tokenizer, 'encode'> = { encode: (text) => [...text].map((c) => c.codePointAt(0)!) };

test.each([2, 3, 5, 8, 100])('every token and every end is learnt once, rows of %d', (sequenceLength) => {
  const documents = ['abcdefg', 'h', 'ijklmnop'];
  const { rows, report, bytes } = textRows(documents, { tokenizer, sequenceLength, endOfText: 0, path: 'x' });
  const learnt = rows.flatMap(({ tokens, supervised }) => [...tokens].filter((_, i) => supervised[i]));
  expect(
    String.fromCodePoint(...learnt)
      .split('\0')
      .slice(0, -1),
  ).toEqual(documents);
  expect(bytes).toBe(16);
  expect(report.supervisedTokens).toBe(learnt.length);
  for (const { tokens, supervised } of rows) {
    expect(tokens.length).toBeLessThanOrEqual(sequenceLength);
    expect(supervised[0]).toBe(0);
  }
  // The first token of a row is the last of the row before it.
  expect(rows[0]!.tokens[0]).toBe(0);
});

test('long documents are cut between lines, and nothing is lost', () => {
  const document = Array.from({ length: 60_000 }, (_, i) => `line ${i}`).join('\n');
  const pieces = [...tokenizedPieces(document)];
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces.join('')).toBe(document);
  for (const piece of pieces.slice(1)) expect(piece).toMatch(/^\S/);
});
