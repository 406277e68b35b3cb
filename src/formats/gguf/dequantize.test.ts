import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NomoatError } from '../../errors.ts';
import { readSafetensors } from '../safetensors.ts';
import { ggmlLayouts } from './dequantize.ts';
import { openGguf } from './read.ts';
import { supportedGgmlTypes } from './types.ts';

/** Made by bench/oracles/make_quant_cases.py: random blocks, and what the gguf package reads out of them. */
const fixtures = join(import.meta.dirname, '../../../test/fixtures');
const blocks = openGguf(join(fixtures, 'quants/blocks.gguf'));
const { tensors: expected } = readSafetensors(join(fixtures, 'quants/expected.safetensors'));
const folder = mkdtempSync(join(tmpdir(), 'nomoat-dequantize-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Ours computes a product in float64 where the package rounds each step to float32. */
const tolerance = 4e-7;

test('the fixture holds every supported type, eleven of them', () => {
  expect(supportedGgmlTypes.length).toBe(11);
  expect(Object.keys(ggmlLayouts).sort()).toEqual([...supportedGgmlTypes].sort());
  expect([...blocks.tensors.values()].map(({ type }) => type).sort()).toEqual([...supportedGgmlTypes].sort());
  expect([...expected.keys()].sort()).toEqual([...supportedGgmlTypes].sort());
});

test.each(supportedGgmlTypes)('%s as the gguf package reads it, whole and by rows', (type) => {
  const info = blocks.tensors.get(type)!;
  expect(info.type).toBe(type);
  expect(info.shape).toEqual([3, 256]);
  const ours = blocks.readFloat32(type);
  const theirs = expected.get(type)!.float32();
  expect(ours.length).toBe(theirs.length);
  const { blockSize } = ggmlLayouts[type];
  theirs.forEach((value, i) => {
    // Where two terms cancel, the error is that of the terms: the largest value of the block bounds them.
    const from = i - (i % blockSize);
    const reach = Math.max(...theirs.subarray(from, from + blockSize).map(Math.abs));
    expect(Math.abs(ours[i]! - value), `${type} ${i}`).toBeLessThanOrEqual(tolerance * reach);
  });
  for (const row of [0, 1, 2])
    expect(blocks.readFloat32(type, { firstRow: row, rows: 1 })).toEqual(ours.subarray(row * 256, (row + 1) * 256));
});

/** More than this beside a file of 0.7 MB would be a header's doing. */
const roomBytes = 96 << 20;

test('1000 mutations of a mixed K-quant file: read or refused by a NomoatError, at once, in little memory', () => {
  const bytes = readFileSync(join(fixtures, 'reference/llama3/base.gguf'));
  const header = Math.min(
    ...[...openGguf(join(fixtures, 'reference/llama3/base.gguf')).tensors.values()].map((t) => t.offset),
  );
  const names = bytes.indexOf('token_embd.weight');
  expect(names).toBeGreaterThan(header / 2);
  let state = 11;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const path = join(folder, 'mutated.gguf');
  const before = process.resourceUsage().maxRSS * 1024;
  let refused = 0;
  for (let i = 0; i < 1000; i++) {
    const copy = Buffer.from(bytes);
    // Half of them in the tensors' names, shapes, types and offsets.
    const at = i % 2 ? names - 8 + random(header - names) : random(header - 8);
    if (i % 5 === 0) copy.writeBigUInt64LE(2n ** BigInt(random(64)), at);
    else if (i % 5 === 1) copy.writeUInt32LE(random(40), at);
    else for (let k = 0; k <= random(4); k++) copy[at + k] = random(256);
    writeFileSync(path, i % 7 ? copy : copy.subarray(0, random(copy.length)));
    const start = performance.now();
    try {
      const file = openGguf(path);
      try {
        for (const name of file.tensors.keys()) file.readFloat32(name);
      } finally {
        file.close();
      }
    } catch (error) {
      expect(error, `mutation ${i}`).toBeInstanceOf(NomoatError);
      refused++;
    }
    expect(performance.now() - start).toBeLessThan(1000);
  }
  expect(refused).toBeGreaterThan(400);
  expect(process.resourceUsage().maxRSS * 1024 - before).toBeLessThan(roomBytes);
});
