import { mkdtempSync, readdirSync, renameSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { rewriteModel } from '../adapter/rewrite-model.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { llamaLogProbabilities } from './log-probabilities.ts';
import { copyOf, findCopy, makeCopy, measureParity, parityBound, parityBoundOn } from './parity.ts';

const reference = join(import.meta.dirname, '../../test/fixtures/reference');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-parity-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Row 0 of the reference case, all of whose logits PyTorch computed. */
const tokens = Int32Array.from([
  286, 248, 37, 267, 160, 180, 240, 125, 181, 139, 214, 291, 125, 89, 186, 49, 75, 114, 140, 284, 156, 29, 51, 106,
]);
const supervised = Uint8Array.from(tokens, (_, t) => (t % 3 === 1 ? 1 : 0));
const row: TokenRow = { tokens, supervised, source: { file: 'row', line: 1 } };

/** ln softmax of PyTorch's logits at the supervised tokens. */
function expected(model: string): { values: Float32Array; top: boolean[] } {
  const { shape, float32 } = readSafetensors(join(reference, model, 'logits.safetensors')).tensors.get('logits.row0')!;
  const logits = float32();
  const targets = [...supervised.keys()].filter((t) => supervised[t]);
  const rowOf = (t: number): Float32Array => logits.subarray((t - 1) * shape[1]!, t * shape[1]!);
  const values = targets.map((t) => {
    const sum = rowOf(t).reduce((all, logit) => all + Math.exp(logit), 0);
    return rowOf(t)[tokens[t]!]! - Math.log(sum);
  });
  return { values: Float32Array.from(values), top: targets.map((t) => rowOf(t)[tokens[t]!] === Math.max(...rowOf(t))) };
}

describe.each(['llama', 'qwen2', 'qwen3'])('log-probabilities of %s under llama.cpp', (name) => {
  const modelPath = join(reference, name, 'base.gguf');

  it("equal PyTorch's, token by token, and tell the most likely ones", async () => {
    const { values, top } = expected(name);
    const result = await measureParity({ modelPath, adapterPath: null, rows: [row], ours: [values], threads: 2 });
    expect(result.tokens).toBe(8);
    expect(result.worstDifference).toBeLessThan(1e-5);
    expect(result.meanDifference).toBeLessThanOrEqual(result.worstDifference);
    // The most likely token after each prefix, so that some are.
    const greedy = { ...row, tokens: Int32Array.from(tokens) };
    const logits = readSafetensors(join(reference, name, 'logits.safetensors')).tensors.get('logits.row0')!;
    const last = logits.float32().subarray(22 * logits.shape[1]!, 23 * logits.shape[1]!);
    greedy.tokens[23] = last.indexOf(Math.max(...last));
    greedy.supervised = Uint8Array.from(tokens, (_, t) => (t === 23 ? 1 : supervised[t]!));
    const [ours] = await llamaLogProbabilities({ modelPath, adapterPath: null, rows: [greedy], threads: 2 });
    expect([...ours!.mostLikely]).toEqual([...top.map(Number), 1]);
  });

  it('show a wrong value, and a NaN as no agreement', async () => {
    const { values } = expected(name);
    const spoil = (value: number) => ({
      modelPath,
      adapterPath: null,
      rows: [row],
      ours: [values.with(3, value)],
      threads: 2,
    });
    const off = await measureParity(spoil(values[3]! - 1));
    expect(off.worstDifference).toBeCloseTo(1, 4);
    expect(off.meanDifference).toBeCloseTo(1 / 8, 4);
    expect(off.meanDifference).toBeGreaterThan(parityBound);
    expect((await measureParity(spoil(Number.NaN))).meanDifference).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('measureParity', () => {
  it('refuses values that do not belong to the rows, and rows without answers', async () => {
    const modelPath = join(reference, 'llama', 'base.gguf');
    const options = { modelPath, adapterPath: null, threads: 2 };
    await expect(measureParity({ ...options, rows: [row], ours: [new Float32Array(3)] })).rejects.toThrow(
      /8 supervised tokens, but 3 values/,
    );
    const silent = { ...row, supervised: new Uint8Array(tokens.length) };
    await expect(measureParity({ ...options, rows: [silent], ours: [new Float32Array(0)] })).rejects.toThrow(
      /no supervised token/,
    );
  });
});

/** Of no file. */
const digest = 'e'.repeat(64);

describe('the copy of a base', () => {
  it('is the file itself where that is exact', () => {
    const model = openGguf(join(reference, 'llama', 'base.gguf'));
    expect(copyOf(model, digest)).toBe(null);
    expect(parityBoundOn(model)).toBe(parityBound);
    model.close();
  });

  it('is an F32 copy of a quantized file, with the same weights, named by its contents', () => {
    const source = openGguf(join(reference, 'qwen2', 'base.gguf'));
    const path = join(folder, 'small.gguf');
    rewriteModel(path, source, { type: 'Q8_0' });
    source.close();
    const cache = join(folder, 'cache');
    const model = openGguf(path);
    expect(parityBoundOn(model)).toBe(null);
    const copy = copyOf(model, digest)!;
    expect(findCopy(cache, copy)).toBe(null);
    const made = makeCopy(cache, copy, model);
    const exact = openGguf(made);
    for (const [name, { type }] of exact.tensors) {
      expect(type).toBe('F32');
      expect(exact.readFloat32(name)).toEqual(model.readFloat32(name));
    }
    expect(exact.byteLength).toBeGreaterThan(copy.bytes);
    expect(exact.byteLength).toBeLessThan(1.5 * copy.bytes);
    exact.close();
    expect(findCopy(cache, copy)).toBe(made);
    // Under another name and time it is the same base; with other contents it is not.
    const moved = join(folder, 'moved.gguf');
    renameSync(path, moved);
    utimesSync(moved, new Date(), new Date(Date.now() + 10_000));
    const again = openGguf(moved);
    expect(findCopy(cache, copyOf(again, digest)!)).toBe(made);
    expect(findCopy(cache, copyOf(again, 'f'.repeat(64))!)).toBe(null);
    // Two that make the same at once do not collide, and one that is cut is made again.
    expect(makeCopy(cache, copy, model)).toBe(made);
    truncateSync(made, 1000);
    expect(findCopy(cache, copy)).toBe(null);
    expect(makeCopy(cache, copy, model)).toBe(made);
    expect(findCopy(cache, copy)).toBe(made);
    expect(readdirSync(cache)).toEqual([basename(made)]);
    again.close();
    model.close();
  });
});
