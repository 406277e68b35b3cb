import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { hearLlama } from '../llama/engine.ts';
import { llamaLogProbabilities } from '../llama/log-probabilities.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { exportAdapter } from './export.ts';
import { readGgufLora } from './gguf-lora.ts';
import { stopTexts } from './modelfile.ts';
import { readPeft } from './peft.ts';

const reference = join(import.meta.dirname, '../../test/fixtures/reference');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-export-'));
afterAll(() => rmSync(folder, { recursive: true }));
const basePath = (model: string): string => join(reference, model, 'base.gguf');
const adapterOf = (model: string) => readPeft(join(reference, model, 'lora.after20.safetensors'));

const row: TokenRow = {
  tokens: Int32Array.from([286, 248, 37, 267, 160, 180, 240, 125, 181, 139, 214, 291, 125, 89, 186, 49]),
  supervised: Uint8Array.from({ length: 16 }, (_, t) => (t > 3 ? 1 : 0)),
  source: { file: 'row', line: 1 },
};
async function logProbabilities(modelPath: string, adapterPath: string | null): Promise<number[]> {
  const [result] = await llamaLogProbabilities({ modelPath, adapterPath, rows: [row], threads: 2 });
  return [...result!.logProbabilities];
}
const worst = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe.each(['llama', 'qwen2', 'qwen3'])('exports for %s', (name) => {
  // Worst |difference| of a log-probability: what the type rounds, on these random models with logits of about 5.
  it.each([
    ['F16', 0.005],
    ['Q8_0', 0.15],
  ] as const)('merges into %s, which llama.cpp runs like base and adapter', async (mergedType, bound) => {
    const model = openGguf(basePath(name));
    const plain = adapterOf(name);
    const adapter = { ...plain, rslora: true, pairs: plain.pairs.map((pair) => ({ ...pair, alpha: 4 })) };
    const lora = join(folder, `${name}-${mergedType}-lora.gguf`);
    const merged = join(folder, `${name}-${mergedType}.gguf`);
    expect(await exportAdapter({ format: 'gguf', adapter, model, out: lora })).toEqual([lora]);
    expect(await exportAdapter({ format: 'merged-gguf', adapter, model, out: merged, mergedType })).toEqual([merged]);
    const heard = hearLlama();
    const expected = await logProbabilities(model.path, lora);
    expect(worst(await logProbabilities(merged, null), expected)).toBeLessThan(bound);
    heard.stop();
    expect(heard.lines).toEqual([]);
    expect(worst(await logProbabilities(model.path, null), expected)).toBeGreaterThan(1);
    model.close();
  });

  it('keeps metadata, tensors and vectors when it merges, and says the file type', async () => {
    const model = openGguf(basePath(name));
    const out = join(folder, `${name}-kept.gguf`);
    await exportAdapter({ format: 'merged-gguf', adapter: adapterOf(name), model, out, mergedType: 'Q8_0' });
    const merged = openGguf(out);
    expect([...merged.tensors.keys()]).toEqual([...model.tensors.keys()]);
    for (const [key, value] of model.metadata) {
      if (key !== 'general.file_type') expect(merged.metadata.get(key), key).toEqual(value);
    }
    expect(merged.number('general.file_type')).toBe(7);
    expect(merged.number('general.quantization_version')).toBe(2);
    for (const [tensor, { shape, type }] of merged.tensors) {
      expect(type, tensor).toBe(shape.length === 1 ? 'F32' : 'Q8_0');
      if (shape.length === 1) expect(merged.readBytes(tensor)).toEqual(model.readBytes(tensor));
    }
    merged.close();
    model.close();
  });

  it('writes a folder for Ollama: the merged model, template, stops and system prompt', async () => {
    const model = openGguf(basePath(name));
    const adapter = adapterOf(name);
    const common = { adapter, model, systemPrompt: 'Be brief.', stop: ['User:'] };
    const out = join(folder, `${name}-ollama`);
    const files = await exportAdapter({ ...common, format: 'ollama', out, mergedType: 'Q8_0' });
    expect(files).toEqual([join(out, 'model.gguf'), join(out, 'Modelfile')]);
    const merged = join(folder, `${name}-ollama-merged.gguf`);
    await exportAdapter({ ...common, format: 'merged-gguf', out: merged, mergedType: 'Q8_0' });
    expect(readFileSync(files[0]!)).toEqual(readFileSync(merged));
    const modelfile = readFileSync(files[1]!, 'utf8');
    expect(modelfile).toContain('\nFROM ./model.gguf\nTEMPLATE """');
    // From 0.34.1 on Ollama refuses a Modelfile with it.
    expect(modelfile).not.toContain('ADAPTER');
    expect(modelfile).toContain('<|im_start|>assistant\n');
    for (const text of [...stopTexts(model), 'User:']) expect(modelfile).toContain(`\nPARAMETER stop "${text}"\n`);
    expect(stopTexts(model)).toContain('<|im_end|>');
    expect(modelfile).toMatch(/\nSYSTEM """Be brief\."""\n$/);
    model.close();
  });

  it('writes base and adapter for older versions of Ollama where asked', async () => {
    const model = openGguf(basePath(name));
    const adapter = adapterOf(name);
    const out = join(folder, `${name}-ollama-adapter`);
    const files = await exportAdapter({ format: 'ollama', adapter, model, out, ollamaAdapter: true });
    expect(files).toEqual([join(out, 'adapter.gguf'), join(out, 'Modelfile')]);
    expect(readGgufLora(files[0]!, model)).toEqual(adapter);
    const modelfile = readFileSync(files[1]!, 'utf8');
    expect(modelfile).toContain(`\nFROM ${model.path}\nADAPTER ./adapter.gguf\nTEMPLATE """`);
    expect(modelfile).toContain('before 0.34.1');
    model.close();
  });

  it('writes a PEFT folder with a card', async () => {
    const model = openGguf(basePath(name));
    const adapter = adapterOf(name);
    const out = join(folder, `${name}-peft`);
    const files = await exportAdapter({ format: 'peft', adapter, model, out, card: { data: ['train.jsonl'] } });
    expect(files.every((file) => existsSync(file))).toBe(true);
    expect(readPeft(out)).toEqual(adapter);
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toMatch(
      /library_name: peft[\s\S]*- nomoat[\s\S]*train\.jsonl/,
    );
    model.close();
  });
});

describe('destinations', () => {
  it('are never overwritten, and files end in .gguf', async () => {
    const model = openGguf(basePath('llama'));
    const adapter = adapterOf('llama');
    const out = join(folder, 'once.gguf');
    for (const format of ['gguf', 'merged-gguf', 'peft', 'ollama'] as const) {
      const existing = { format, adapter, model, out: folder };
      await expect(exportAdapter(existing)).rejects.toThrow(/exists already, and exports overwrite nothing/);
    }
    await exportAdapter({ format: 'gguf', adapter, model, out });
    const before = readFileSync(out);
    await expect(exportAdapter({ format: 'merged-gguf', adapter, model, out })).rejects.toThrow(/exists already/);
    expect(readFileSync(out)).toEqual(before);
    await expect(exportAdapter({ format: 'gguf', adapter, model, out: join(folder, 'x.bin') })).rejects.toThrow(
      /does not end in .gguf/,
    );
    model.close();
  });

  it('stay empty when the adapter or the system prompt will not do', async () => {
    const model = openGguf(basePath('qwen3'));
    const out = join(folder, 'wrong');
    await expect(exportAdapter({ format: 'peft', adapter: adapterOf('llama'), model, out })).rejects.toThrow(
      /is made for/,
    );
    const adapter = adapterOf('qwen3');
    await expect(exportAdapter({ format: 'ollama', adapter, model, out, systemPrompt: '"""' })).rejects.toThrow(
      /which a Modelfile cannot say/,
    );
    expect(existsSync(out)).toBe(false);
    model.close();
  });
});
