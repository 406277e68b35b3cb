/** Chunks without tiles: every row is asked once and sees its own segment up to itself. */
import { expect, test } from 'vitest';
import type { PackedBatch } from '../batches/packed-batch.ts';
import { planAttention, planChunks, seenBy, writeBias } from './attention-plan.ts';

test.each([
  [[9], [9]],
  [
    [20, 30, 60, 70],
    [110, 70],
  ],
  [
    [20, 30, 140],
    [50, 140],
  ],
  [
    [128, 129, 300],
    [128, 129, 128, 128, 44],
  ],
])('segments of %j take chunks of %j', (lengths, sizes) => {
  const starts = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0));
  const segmentStarts = Int32Array.from([0, ...starts]);
  const chunks = planChunks({ segmentStarts } as PackedBatch);
  expect(chunks.map(({ end, first }) => end - first)).toEqual(sizes);
  let row = 0;
  for (const { bias, end, first, keys } of chunks) {
    expect(first).toBe(row);
    for (; row < end; row++) {
      const start = segmentStarts.findLast((s) => s <= row)!;
      const seen = Array.from({ length: end - keys }, (_, key) => key + keys).filter(
        (key) => bias!.data[(row - first) * (end - keys) + key - keys] === 0,
      );
      expect(seen).toEqual(Array.from({ length: row - start + 1 }, (_, i) => start + i));
    }
  }
  expect(row).toBe(starts.at(-1));
});

test('rows of one length have tiles of their own: exact ones in a text, and a few sizes where it is chance', () => {
  const tileOf = (length: number, count: number): number[] => {
    const segmentStarts = Int32Array.from({ length: count + 1 }, (_, i) => i * length);
    return planAttention({ segmentStarts } as PackedBatch)[0]!.tiles.map(({ tile }) => tile);
  };
  expect([tileOf(65, 4), tileOf(65, 8), tileOf(40, 5)]).toEqual([[72], [72], [40]]);
  const alone = new Set(Array.from({ length: 120 }, (_, i) => tileOf(i + 1, 1)[0]));
  expect([...alone]).toEqual([32, 64, 96, 128]);
});

test('masks of a long row are made when they are wanted, those of usual rows are held', () => {
  const chunksOf = (length: number) =>
    planAttention({ segmentStarts: Int32Array.of(0, length) } as PackedBatch)[0]!.chunks;
  expect(chunksOf(4096).every(({ bias }) => bias !== null)).toBe(true);
  const long = chunksOf(8192);
  expect(long.every(({ bias }) => bias === null)).toBe(true);
  for (const [i, chunk] of chunksOf(1000).entries()) {
    const size = (chunk.end - chunk.first) * seenBy(chunk);
    expect(writeBias(chunk, new Float32Array(size)), `chunk ${i}`).toEqual(chunk.bias!.data);
  }
});
