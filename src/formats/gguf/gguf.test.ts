import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NomoatError } from '../../errors.ts';
import { readSafetensors, writeSafetensors } from '../safetensors.ts';
import { dequantize } from './dequantize.ts';
import { toFloat16 } from './float16.ts';
import { quantize } from './quantize.ts';
import { openGguf } from './read.ts';
import { writeGguf } from './write.ts';

const reference = join(import.meta.dirname, '../../../test/fixtures/reference/llama');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-gguf-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a file written from what was read holds the same metadata and tensors', () => {
  const source = openGguf(join(reference, 'base.gguf'));
  const path = join(folder, 'copy.gguf');
  const tensors = [...source.tensors.values()].map((info) => ({ ...info, bytes: () => source.readBytes(info.name) }));
  writeGguf(path, { metadata: source.metadata, tensors });
  const copy = openGguf(path);
  expect([...copy.metadata]).toEqual([...source.metadata]);
  expect([...copy.tensors.keys()]).toEqual([...source.tensors.keys()]);
  for (const name of source.tensors.keys()) expect(copy.readBytes(name)).toEqual(source.readBytes(name));
  expect(() => writeGguf(path, { metadata: source.metadata, tensors })).toThrow(/exists already/);
  const rows = source.readFloat32('token_embd.weight', { firstRow: 3, rows: 2 });
  const all = source.readFloat32('token_embd.weight');
  expect(rows).toEqual(all.slice(3 * 64, 5 * 64));
  for (const file of [source, copy]) file.close();
});

test('float16: every pattern survives, halves go to even', () => {
  const all = new Uint8Array(new Uint16Array(65536).map((_, i) => i).buffer);
  const values = new Float32Array(65536);
  dequantize('F16', all, values);
  values.forEach((value, i) => {
    if (!Number.isNaN(value)) expect(toFloat16(value)).toBe(i);
  });
  expect(toFloat16(1 + 2 ** -11)).toBe(0x3c00);
  expect(toFloat16(1 + 3 * 2 ** -11)).toBe(0x3c02);
});

test('Q8_0 is within half a step of what it holds', () => {
  const values = Float32Array.from({ length: 256 }, (_, i) => Math.sin(i * 1.7) * (1 + (i >> 5)));
  const back = new Float32Array(256);
  dequantize('Q8_0', quantize('Q8_0', values), back);
  back.forEach((value, i) => {
    expect(Math.abs(value - values[i]!)).toBeLessThan((0.51 * (1 + (i >> 5))) / 127 + 2e-3);
  });
});

/** Small seeded generator: the same mutations on every machine. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function mutate(bytes: Buffer, random: (below: number) => number, headerBytes: number): Buffer {
  const copy = Buffer.from(bytes);
  const kind = random(5);
  if (kind === 0) return copy.subarray(0, random(copy.length));
  if (kind === 1) copy[random(headerBytes)] = random(256);
  else if (kind === 2) copy.writeBigUInt64LE(2n ** BigInt(random(64)), random(headerBytes - 8));
  else if (kind === 3) for (let i = 0; i < 20; i++) copy[random(headerBytes)] = random(256);
  else copy.fill(random(256), random(headerBytes), random(headerBytes));
  return copy;
}

test.each([
  ['GGUF', 'base.gguf', (path: string) => openGguf(path).close()],
  [
    'safetensors',
    'lora.start.safetensors',
    (path: string) => [...readSafetensors(path).tensors.values()].map((t) => t.float32()),
  ],
] as const)('600 mutated %s files: read or refused by a NomoatError, at once', (_, name, read) => {
  const bytes = readFileSync(join(reference, name));
  const random = generator(7);
  let refused = 0;
  for (let i = 0; i < 600; i++) {
    const path = join(folder, 'mutated');
    writeFileSync(path, mutate(bytes, random, 6000));
    const start = performance.now();
    try {
      read(path);
    } catch (error) {
      expect(error).toBeInstanceOf(NomoatError);
      refused++;
    }
    expect(performance.now() - start).toBeLessThan(1000);
  }
  expect(refused).toBeGreaterThan(200);
});

test.each(['', '\0key'])('a metadata key without a name (%j) is refused: llama.cpp ends the process on it', (key) => {
  const path = join(folder, `nameless-${key.length}.gguf`);
  writeGguf(path, { metadata: new Map([[key, { type: 'uint32', value: 1 }]]), tensors: [] });
  expect(() => openGguf(path)).toThrow(/a metadata key without a name/);
});

test('safetensors: what is written is read, with bad files named', () => {
  const path = join(folder, 'x.safetensors');
  writeSafetensors(path, [{ name: 'b', shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }], { by: 'test' });
  const { metadata, tensors } = readSafetensors(path);
  expect(metadata).toEqual({ by: 'test' });
  expect([...tensors.get('b')!.float32()]).toEqual([1, 2, 3, 4]);
  expect(() => readSafetensors(join(folder, 'none'))).toThrow(/cannot be read \(ENOENT\)/);
});
