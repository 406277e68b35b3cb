import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { hearLlama } from '../llama/engine.ts';
import { llamaLogProbabilities } from '../llama/log-probabilities.ts';
import { type LoraAdapter, summarizeAdapter } from '../lora/adapter.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { evenAdapter } from './even-adapter.ts';
import { readGgufLora, writeGgufLora } from './gguf-lora.ts';
import { readPeft } from './peft.ts';
import { readAdapter } from './read-adapter.ts';
import { fromFileRows, toFileRows } from './rope-row-order.ts';

const reference = join(import.meta.dirname, '../../test/fixtures/reference');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-gguf-lora-'));
afterAll(() => rmSync(folder, { recursive: true }));
const models = ['llama', 'qwen2', 'qwen3'] as const;
const open = (model: string) => openGguf(join(reference, model, 'base.gguf'));
const scaled = (adapter: LoraAdapter, alpha: number): LoraAdapter => ({
  ...adapter,
  pairs: adapter.pairs.map((pair) => ({ ...pair, alpha })),
});
const adapterOf = (model: string) => readPeft(join(reference, model, 'lora.start.safetensors'));

interface Case {
  readonly loss: number;
  readonly losses: readonly number[];
  readonly tokens: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
  readonly lengths: readonly number[];
}
const caseOf = (model: string): Case => JSON.parse(readFileSync(join(reference, model, 'case.json'), 'utf8'));

function rowsOf({ tokens, labels, lengths }: Case): TokenRow[] {
  return tokens.map((ids, row) => ({
    tokens: Int32Array.from(ids.slice(0, lengths[row])),
    supervised: Uint8Array.from(labels[row]!.slice(0, lengths[row]), (label) => (label >= 0 ? 1 : 0)),
    source: { file: 'case.json', line: row + 1 },
  }));
}

async function lossUnderLlamaCpp(model: string, adapterPath: string | null): Promise<number> {
  const rows = rowsOf(caseOf(model));
  const modelPath = join(reference, model, 'base.gguf');
  const all = (await llamaLogProbabilities({ modelPath, adapterPath, rows, threads: 2 })).flatMap((row) => [
    ...row.logProbabilities,
  ]);
  return -all.reduce((a, b) => a + b, 0) / all.length;
}

describe('row order of q and k', () => {
  it('interleaves the halves of each head and comes back', () => {
    // 2 heads of 4 rows of 2
    const values = Float32Array.from({ length: 16 }, (_, i) => i);
    const moved = toFileRows(values, 2, 4);
    expect([...moved.subarray(0, 8)]).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
    expect(fromFileRows(moved, 2, 4)).toEqual(values);
  });
});

describe.each(models)('GGUF LoRA for %s', (name) => {
  it('comes back as it was written, with rsLoRA, dropout and base model', () => {
    const model = open(name);
    const adapter = { ...scaled(adapterOf(name), 3), rslora: true, dropout: 0.1 };
    const path = join(folder, `${name}-round.gguf`);
    writeGgufLora(path, adapter, model);
    expect(readGgufLora(path, model)).toEqual(adapter);
    expect(readAdapter(path, model)).toEqual(adapter);
    model.close();
  });

  it('says what llama.cpp reads, and moves the rows of q and k only where the architecture asks for it', () => {
    const model = open(name);
    const adapter = { ...adapterOf(name), rslora: true };
    const path = join(folder, `${name}-keys.gguf`);
    writeGgufLora(path, adapter, model);
    const file = openGguf(path);
    expect(file.string('general.type')).toBe('adapter');
    expect(file.string('adapter.type')).toBe('lora');
    expect(file.string('general.architecture')).toBe(name);
    // 8 / sqrt(4) = 4 = alpha' / 4
    expect(file.number('adapter.lora.alpha')).toBe(16);
    const moved = ['attn_q', 'attn_k', 'attn_v', 'ffn_up'].filter((module) => {
      const pair = adapter.pairs.find(({ layer, projection }) => layer === 0 && projection === peftName[module])!;
      expect(file.readFloat32(`blk.0.${module}.weight.lora_a`)).toEqual(pair.a);
      return file.readFloat32(`blk.0.${module}.weight.lora_b`).some((value, i) => value !== pair.b[i]);
    });
    expect(moved).toEqual(name === 'llama' ? ['attn_q', 'attn_k'] : []);
    file.close();
    model.close();
  });

  it("gives PEFT's loss under llama.cpp, without a warning, also when rsLoRA says the same scale", async () => {
    const model = open(name);
    const [plain, rslora] = [join(folder, `${name}.gguf`), join(folder, `${name}-rs.gguf`)];
    writeGgufLora(plain, adapterOf(name), model);
    // 8 / 4 = 4 / sqrt(4)
    writeGgufLora(rslora, { ...scaled(adapterOf(name), 4), rslora: true }, model);
    model.close();
    const heard = hearLlama();
    const { loss } = caseOf(name);
    expect(Math.abs((await lossUnderLlamaCpp(name, plain)) - loss)).toBeLessThan(1e-5);
    heard.stop();
    expect(heard.lines).toEqual([]);
    expect(Math.abs((await lossUnderLlamaCpp(name, rslora)) - loss)).toBeLessThan(1e-5);
    // The bound above means nothing unless the adapter matters.
    expect(Math.abs((await lossUnderLlamaCpp(name, null)) - loss)).toBeGreaterThan(0.01);
  });
});

/** A GGUF LoRA as others' programs write it: projections with a rank of their own, no weights in some layers, any alpha or none. */
function foreign(name: string, path: string, alpha: number | null): void {
  const model = open(name);
  const plain = join(folder, `${name}-plain.gguf`);
  writeGgufLora(plain, readPeft(join(reference, name, 'lora.after20.safetensors')), model);
  const file = openGguf(plain);
  const metadata = new Map([...file.metadata].filter(([key]) => !key.startsWith('nomoat.')));
  if (alpha === null) metadata.delete('adapter.lora.alpha');
  else metadata.set('adapter.lora.alpha', { type: 'float32', value: alpha });
  const tensors = [...file.tensors.values()].flatMap(({ name: tensor, shape, type }) => {
    if (tensor.startsWith('blk.1.') || tensor.includes('blk.2.ffn_up')) return [];
    const values = file.readFloat32(tensor);
    const [rows, columns] = shape as [number, number];
    if (!tensor.includes('attn_v')) return [{ name: tensor, shape, type, bytes: () => new Uint8Array(values.buffer) }];
    const isA = tensor.endsWith('lora_a');
    const half = isA ? values.slice(0, 2 * columns) : values.filter((_, i) => i % columns < 2);
    return [{ name: tensor, shape: isA ? [2, columns] : [rows, 2], type, bytes: () => new Uint8Array(half.buffer) }];
  });
  writeGguf(path, { metadata, tensors }, { overwrite: true });
  file.close();
  model.close();
}

describe.each([8, 3, 0, null])("others' GGUF LoRA with alpha %s", (alpha) => {
  it('means what llama.cpp makes of it: a scale for each rank, no weights where there are none', async () => {
    const model = open('llama');
    const [given, read] = [join(folder, 'foreign.gguf'), join(folder, 'foreign-read.gguf')];
    foreign('llama', given, alpha);
    const adapter = readGgufLora(given, model);
    expect(adapter.pairs).toHaveLength(2 * 7 - 1);
    expect(summarizeAdapter(adapter).ranks).toEqual([2, 4]);
    writeGgufLora(read, adapter, model);
    const notes: string[] = [];
    const even = evenAdapter(adapter, { part: given, layers: 3, note: (text) => notes.push(text) });
    expect(even).toMatchObject({ rank: 4, pairs: { length: 3 * 7 } });
    expect(notes.join()).toMatch(/^foreign\.gguf has ranks 2, 4.*has no weights for layer 1 q_proj/s);
    const trainedForm = join(folder, 'foreign-even.gguf');
    writeGgufLora(trainedForm, even, model);
    model.close();
    const theirs = await lossUnderLlamaCpp('llama', given);
    for (const path of [read, trainedForm])
      expect(Math.abs((await lossUnderLlamaCpp('llama', path)) - theirs), path).toBeLessThan(1e-5);
    expect(Math.abs(theirs - (await lossUnderLlamaCpp('llama', null)))).toBeGreaterThan(0.01);
  });
});

const peftName: Readonly<Record<string, string>> = {
  attn_q: 'q_proj',
  attn_k: 'k_proj',
  attn_v: 'v_proj',
  ffn_up: 'up_proj',
};

describe('what does not fit', () => {
  it('is refused: another model, other layers, a model in place of an adapter, alpha 0', () => {
    const [llama, qwen3] = [open('llama'), open('qwen3')];
    const adapter = adapterOf('llama');
    const path = join(folder, 'refused.gguf');
    expect(() => writeGgufLora(path, adapter, qwen3)).toThrow(/layer 0 q_proj is made for a matrix \[64, 64\]/);
    const long = { ...adapter, pairs: [...adapter.pairs, { ...adapter.pairs[0]!, layer: 3 }] };
    expect(() => writeGgufLora(path, long, llama)).toThrow(/adapts layer 3, but the last layer of .* is 2/);
    expect(() => writeGgufLora(path, scaled(adapter, 0), llama)).toThrow(/alpha is 0/);
    expect(() => readGgufLora(llama.path, llama)).toThrow(/general.type is .*, not adapter/);
    writeGgufLora(path, adapter, llama);
    expect(() => readGgufLora(path, qwen3)).toThrow(/general.architecture is llama, not qwen3/);
    expect(() => readAdapter(join(folder, 'nowhere'), llama)).toThrow(/no such file/);
    llama.close();
    qwen3.close();
  });
});
