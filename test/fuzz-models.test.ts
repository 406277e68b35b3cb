/**
 * Models and adapters as damage leaves them: opened as every stage opens them, or refused by a NomoatError, at once and
 * without allocating by what the file claims.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeGgufLora } from '../src/adapter/gguf-lora.ts';
import { readPeft, writePeft } from '../src/adapter/peft.ts';
import { adapterFiles, readAdapter } from '../src/adapter/read-adapter.ts';
import { NomoatError } from '../src/errors.ts';
import { openGguf } from '../src/formats/gguf/read.ts';
import type { GgufValue } from '../src/formats/gguf/types.ts';
import { writeGguf } from '../src/formats/gguf/write.ts';
import { parameterCount, readModelConfig } from '../src/models/config.ts';
import { mutations } from './mutate.ts';

const reference = join(import.meta.dirname, 'fixtures/reference');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Of processor time: a busy machine is no fault of a reader's. */
const slowMilliseconds = 1000;
/** The files are below 2 MB; what is read of them is some times as much. */
const wildBytes = 200e6;

interface Fuzzing {
  readonly header: number;
  readonly seed: number;
  readonly count: number;
}

/**
 * Damages the first `header` bytes, which say what the rest is, and the whole file; `open` reads what lies at `path`.
 */
function fuzz(path: string, { count, header, seed }: Fuzzing, open: () => void): number {
  const original = readFileSync(path);
  let refused = 0;
  const attempt = (bytes: Uint8Array, how: string): void => {
    writeFileSync(path, bytes);
    const before = process.memoryUsage();
    const start = process.cpuUsage();
    try {
      open();
    } catch (error) {
      if (!(error instanceof NomoatError)) throw new Error(`${how}: ${(error as Error).stack}`);
      refused++;
    }
    const { system, user } = process.cpuUsage(start);
    expect((system + user) / 1000, how).toBeLessThan(slowMilliseconds);
    const after = process.memoryUsage();
    expect(after.rss - before.rss + after.arrayBuffers - before.arrayBuffers, how).toBeLessThan(wildBytes);
  };
  const rest = original.subarray(header);
  for (const { bytes, how } of mutations(original.subarray(0, header), seed, count))
    attempt(Buffer.concat([bytes, rest]), `${how} in the header, seed ${seed}`);
  for (const { bytes, how } of mutations(original, seed + 1, Math.ceil(count / 4))) attempt(bytes, how);
  writeFileSync(path, original);
  return refused;
}

const model = (name: string): string => join(reference, name, 'base.gguf');

function openWhole(path: string): void {
  const file = openGguf(path);
  try {
    parameterCount(file);
    readModelConfig(file);
    for (const name of file.tensors.keys()) file.readFloat32(name);
  } finally {
    file.close();
  }
}

test.each(['llama', 'qwen2', 'qwen3'])('a %s model', (name) => {
  const path = join(folder, `${name}.gguf`);
  writeFileSync(path, readFileSync(model(name)));
  // Tokens and the table of tensors.
  expect(fuzz(path, { header: 6000, seed: 11, count: 200 }, () => openWhole(path))).toBeGreaterThan(100);
  // Metadata alone.
  expect(fuzz(path, { header: 900, seed: 12, count: 200 }, () => openWhole(path))).toBeGreaterThan(100);
});

test('a model in two files', () => {
  const file = openGguf(model('llama'));
  const parts = [1, 2].map((number) => join(folder, `x-0000${number}-of-00002.gguf`)) as [string, string];
  parts.forEach((path, number) => {
    const metadata = new Map<string, GgufValue>(number === 0 ? file.metadata : []);
    metadata.set('split.no', { type: 'uint16', value: number });
    metadata.set('split.count', { type: 'uint16', value: 2 });
    metadata.set('split.tensors.count', { type: 'int32', value: file.tensors.size });
    const tensors = [...file.tensors.values()].filter(({ name }) => name.startsWith('blk.2.') === (number === 1));
    writeGguf(path, {
      metadata,
      tensors: tensors.map((info) => ({ ...info, bytes: () => file.readBytes(info.name) })),
    });
  });
  file.close();
  for (const given of parts) openWhole(given);
  for (const [damaged, header] of [
    [parts[0], 900],
    [parts[1], 900],
  ] as const)
    for (const given of parts)
      expect(fuzz(damaged, { header, seed: 51, count: 50 }, () => openWhole(given))).toBeGreaterThan(25);
});

test('a PEFT folder, its config and its weights', () => {
  const base = openGguf(model('llama'));
  const peft = join(folder, 'peft');
  writePeft(peft, readPeft(join(reference, 'llama/lora.after20.safetensors')));
  const open = (): void => {
    adapterFiles(peft);
    readAdapter(peft, base);
  };
  const config = join(peft, 'adapter_config.json');
  // Settings that patterns come with.
  const settings = {
    ...JSON.parse(readFileSync(config, 'utf8')),
    alpha_pattern: { 'v_proj|[qk]_proj': 4 },
    layers_to_transform: [0, 1, 2],
  };
  writeFileSync(config, JSON.stringify(settings));
  open();
  expect(fuzz(config, { header: readFileSync(config).length, seed: 21, count: 400 }, open)).toBeGreaterThan(100);
  const weights = join(peft, 'adapter_model.safetensors');
  expect(fuzz(weights, { header: 5000, seed: 22, count: 400 }, open)).toBeGreaterThan(100);
  base.close();
});

test('a GGUF LoRA', () => {
  const base = openGguf(model('llama'));
  const path = join(folder, 'lora.gguf');
  writeGgufLora(path, readPeft(join(reference, 'llama/lora.after20.safetensors')), base);
  expect(fuzz(path, { header: 3500, seed: 31, count: 400 }, () => readAdapter(path, base))).toBeGreaterThan(100);
  base.close();
});

test('the index of a divided adapter', () => {
  const base = openGguf(model('llama'));
  const peft = join(folder, 'divided');
  mkdirSync(peft);
  const whole = join(folder, 'whole');
  writePeft(whole, readPeft(join(reference, 'llama/lora.after20.safetensors')));
  writeFileSync(join(peft, 'adapter_config.json'), readFileSync(join(whole, 'adapter_config.json')));
  writeFileSync(join(peft, 'a.safetensors'), readFileSync(join(whole, 'adapter_model.safetensors')));
  const index = join(peft, 'adapter_model.safetensors.index.json');
  writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: { one: 'a.safetensors', two: 'a.safetensors' } }));
  readAdapter(peft, base);
  expect(
    fuzz(index, { header: readFileSync(index).length, seed: 41, count: 100 }, () => readAdapter(peft, base)),
  ).toBeGreaterThan(20);
  base.close();
});
