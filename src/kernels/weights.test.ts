import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sourceDigest } from './gen/weights-wasm.ts';
import { dequantizeBlocks, quantizeRowPieces } from './weights.ts';

test('the module is of the source that lies in native/wasm', () => {
  const source = join(import.meta.dirname, '../../native/wasm/weights.c');
  expect(existsSync(source)).toBe(true);
  expect(createHash('sha256').update(readFileSync(source)).digest('hex')).toBe(sourceDigest);
});

test('more blocks than are handed over at once are the blocks one by one', () => {
  const layout = { blockSize: 32, blockBytes: 34 };
  const blocks = 2_100;
  const bytes = Uint8Array.from({ length: blocks * 34 }, (_, i) => (i * 73 + (i >> 8)) & (i % 34 === 1 ? 0x3f : 0xff));
  const out = new Float32Array(blocks * 32);
  dequantizeBlocks('Q8_0', layout, bytes, out);
  const one = new Float32Array(32);
  for (const at of [0, 1, 2_047, 2_048, 2_099]) {
    dequantizeBlocks('Q8_0', layout, bytes.subarray(at * 34, (at + 1) * 34), one);
    expect(out.subarray(at * 32, (at + 1) * 32)).toEqual(one);
  }
  expect(out.some((value) => value !== 0)).toBe(true);
});

test('rows are handed over in pieces that take every row once, also where the reader uses the kernels itself', () => {
  const [rows, width] = [600, 64];
  const weight = Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i));
  const firsts: number[] = [];
  let seen = 0;
  quantizeRowPieces({ weight, width, block: 64, levels: 127 }, (first, values, scales) => {
    firsts.push(first);
    expect(values).toHaveLength(scales.length * width);
    seen += scales.length;
    // The memory grows in the middle.
    dequantizeBlocks(
      'Q4_K',
      { blockSize: 256, blockBytes: 144 },
      new Uint8Array(144 * 300),
      new Float32Array(256 * 300),
    );
  });
  expect(seen).toBe(rows);
  expect(firsts).toEqual([0, 256, 512]);
});
