import { describe, expect, test } from 'vitest';
import type { TokenRow } from '../tokens/token-row.ts';
import { batchIndices, shuffled, stepsPerEpoch } from './order.ts';
import { packRows, sharedPrefix } from './pack.ts';
import { philox, Random, randomUint32 } from './random.ts';

describe('random numbers', () => {
  test('are those of the published vectors of Philox4x32-10', () => {
    const hex = (numbers: number[]): string => numbers.map((n) => n.toString(16).padStart(8, '0')).join(' ');
    const all = 0xffffffff;
    expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8');
    expect(hex(philox([all, all, all, all], [all, all]))).toBe('408f276d 41c83b0e a20bc7c6 6d5451fd');
    expect(hex(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]))).toBe(
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    );
  });

  test('depend on the whole seed and every counter, and streams differ', () => {
    const some = [
      randomUint32(1),
      randomUint32(2),
      randomUint32(1 + 2 ** 32),
      randomUint32(1, 1),
      randomUint32(1, 0, 1),
    ];
    expect(new Set(some).size).toBe(some.length);
    expect(randomUint32(7, 8, 9)).toBe(randomUint32(7, 8, 9));
    const draw = (random: Random): number[] => Array.from({ length: 9 }, () => random.uint32());
    expect(draw(new Random(1))).toEqual(draw(new Random(1)));
    expect(draw(new Random(1, 1))).not.toEqual(draw(new Random(1)));
  });

  test('are uniform: a chi-squared test of 60000 dice, and of the places of a shuffled row', () => {
    const random = new Random(3);
    const dice = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) dice[random.below(6)]!++;
    const places = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 10_000; seed++) places[shuffled(10, seed).indexOf(0)]!++;
    const chiSquared = (counts: number[], expected: number): number =>
      counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // The 99.9% points of 5 and 9 degrees of freedom.
    expect(chiSquared(dice, 10_000)).toBeLessThan(20.5);
    expect(chiSquared(places, 1000)).toBeLessThan(27.9);
  });
});

describe('the order of rows', () => {
  test('every epoch has every row once, each in its own order', () => {
    for (const [rows, batchSize] of [
      [1, 1],
      [7, 2],
      [16, 16],
      [5, 100],
      [33, 4],
    ] as const) {
      const perEpoch = stepsPerEpoch(rows, batchSize);
      const epochs = [0, 1].map((epoch) =>
        Array.from({ length: perEpoch }, (_, i) =>
          batchIndices(epoch * perEpoch + i, { rows, batchSize, seed: 5, shuffle: true }),
        ).flat(),
      );
      const all = Array.from({ length: rows }, (_, i) => i);
      for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(all);
      if (rows > 6) expect(epochs[0]).not.toEqual(epochs[1]);
      const plain = (step: number): number[] => batchIndices(step, { rows, batchSize, seed: 5, shuffle: false });
      expect(Array.from({ length: perEpoch }, (_, i) => plain(i)).flat()).toEqual(all);
      expect(plain(perEpoch)).toEqual(plain(0));
    }
  });

  test('the seed matters with shuffling only; nothing to order is refused', () => {
    const first = (seed: number, shuffle: boolean): number[] =>
      batchIndices(0, { rows: 100, batchSize: 50, seed, shuffle });
    expect(first(1, true)).not.toEqual(first(2, true));
    expect(first(1, false)).toEqual(first(2, false));
    for (const rows of [0, -1, 1.5, Number.NaN])
      expect(() => batchIndices(0, { rows, batchSize: 4, seed: 1, shuffle: true })).toThrow(/must be whole numbers/);
  });
});

describe('packing', () => {
  const random = new Random(11);
  const rows: TokenRow[] = Array.from({ length: 40 }, (_, line) => {
    const length = 1 + random.below(30);
    return {
      tokens: Int32Array.from({ length }, () => 1 + random.below(99)),
      supervised: Uint8Array.from({ length }, (_, t) => (t > 0 ? random.below(2) : 0)),
      source: { file: 'x', line },
    };
  });
  const options = { packing: true, microBatchSize: null, maxTokens: 64, padToken: 0 };

  test.each([
    ['packed to a budget', options],
    ['packed by number', { ...options, microBatchSize: 3 }],
    ['padded to a budget', { ...options, packing: false }],
    ['padded by number', { ...options, packing: false, microBatchSize: 3 }],
    ['rows longer than the budget', { ...options, maxTokens: 5 }],
    ['one row each, padded', { ...options, packing: false, microBatchSize: 1 }],
  ])('%s: every row stays whole, in order, with its mask and positions from 0', (_, settings) => {
    const batches = packRows(rows, settings);
    const found: { tokens: number[]; supervised: number[] }[] = [];
    for (const batch of batches) {
      const { tokens, positions, supervised, segmentStarts } = batch;
      expect(segmentStarts[0]).toBe(0);
      expect(segmentStarts.at(-1)).toBe(tokens.length);
      let [real, counted, members] = [0, 0, 0];
      for (let s = 0; s + 1 < segmentStarts.length; s++) {
        const [start, end] = [segmentStarts[s]!, segmentStarts[s + 1]!];
        expect(end).toBeGreaterThan(start);
        expect([...positions.subarray(start, end)]).toEqual(Array.from({ length: end - start }, (_, t) => t));
        const segment = { tokens: [...tokens.subarray(start, end)], supervised: [...supervised.subarray(start, end)] };
        if (segment.tokens.every((token) => token === settings.padToken)) {
          expect(segment.supervised.every((mark) => mark === 0)).toBe(true);
          continue;
        }
        found.push(segment);
        members++;
        real += end - start;
        counted += segment.supervised.reduce((a, b) => a + b, 0);
      }
      expect([batch.realTokens, batch.supervisedTokens]).toEqual([real, counted]);
      if (settings.packing) expect(tokens.length).toBe(real);
      if (settings.microBatchSize === null) expect(members === 1 || tokens.length <= settings.maxTokens).toBe(true);
      else expect(members).toBeLessThanOrEqual(settings.microBatchSize);
    }
    expect(found).toEqual(rows.map(({ tokens, supervised }) => ({ tokens: [...tokens], supervised: [...supervised] })));
    expect(batches.length).toBeGreaterThan(1);
  });

  test('a budget is filled before a new micro-batch begins; no rows are no batches', () => {
    const batches = packRows(rows, options);
    let first = 0;
    for (const [i, batch] of batches.slice(0, -1).entries()) {
      first += batch.segmentStarts.length - 1;
      expect(batch.tokens.length + rows[first]!.tokens.length, `micro-batch ${i}`).toBeGreaterThan(options.maxTokens);
    }
    expect(packRows([], options)).toEqual([]);
  });
});

describe('a shared prefix', () => {
  const row = (tokens: readonly number[], firstSupervised: number): TokenRow => ({
    tokens: Int32Array.from(tokens),
    supervised: Uint8Array.from(tokens, (_, i) => Number(i >= firstSupervised)),
    source: { file: 'x', line: 1 },
  });
  const common = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const rows = [row([...common, 20, 21, 22], 12), row([...common, 30, 31], 11), row([...common, 40, 41, 42, 43], 12)];

  test('is what all rows begin with, before what predicts a supervised token', () => {
    expect(sharedPrefix(rows)).toBe(10);
    expect(sharedPrefix([...rows, row([...common.slice(0, 9), 99, 98], 10)])).toBe(9);
    // Token 8 is supervised: token 7 predicts it, so both are the row's own.
    expect(sharedPrefix([...rows, row([...common, 50], 9)])).toBe(8);
    expect(sharedPrefix([...rows, row([...common, 50], 8)])).toBe(0);
    // Rows that are alike to the end keep a token of their own.
    expect(sharedPrefix([row(common, 9), row(common, 9)])).toBe(8);
    expect(sharedPrefix([...rows, row([1, 2, 9, 9, 9], 4)])).toBe(0);
    expect(sharedPrefix(rows.slice(0, 1))).toBe(0);
    expect(sharedPrefix([])).toBe(0);
  });

  const options = { packing: true, microBatchSize: null, maxTokens: 5, padToken: 0, prefix: 10 };
  test('is laid out once, counts in each row, and a row alone stands whole', () => {
    const [first, second, ...none] = packRows(rows, options);
    expect(none).toEqual([]);
    expect([...first!.tokens]).toEqual([...common, 20, 21, 22, 30, 31]);
    expect([...first!.positions]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 10, 11]);
    expect([...first!.segmentStarts]).toEqual([0, 10, 13, 15]);
    expect(first).toMatchObject({ prefix: 10, realTokens: 25, supervisedTokens: 2 });
    expect(second!.prefix ?? 0).toBe(0);
    expect([...second!.positions]).toEqual([...rows[2]!.tokens.keys()]);
    expect(second).toMatchObject({ realTokens: 14, supervisedTokens: 2 });
  });

  test('the budget counts what follows the prefix, however long that is', () => {
    const many = Array.from({ length: 9 }, (_, i) => row([...common, i, i, i], 12));
    expect(packRows(many, { ...options, maxTokens: 12 }).map(({ tokens }) => tokens.length)).toEqual([22, 22, 13]);
    const long = Array.from({ length: 600 }, (_, i) => i);
    const rows = Array.from({ length: 16 }, (_, i) => row([...long, ...Array.from({ length: 50 }, () => i)], 640));
    const batches = packRows(rows, { ...options, maxTokens: 512, prefix: 600 });
    expect(batches.map(({ tokens }) => tokens.length)).toEqual([1100, 900]);
  });

  test('rows that do not share it are refused; padded rows share nothing', () => {
    expect(() => packRows([...rows, row([7, 7, 7], 1)], { ...options, maxTokens: 99 })).toThrow('do not share');
    const [padded] = packRows(rows, { ...options, packing: false, maxTokens: 99 });
    expect([padded!.tokens.length, padded!.prefix ?? 0]).toEqual([42, 0]);
  });
});
