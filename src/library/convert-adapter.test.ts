/** Adapters of others' programs (bench/oracles/make_adapter_cases.py), in every format and back. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readAdapter } from '../adapter/read-adapter.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import { llamaLogProbabilities } from '../llama/log-probabilities.ts';
import { type LoraAdapter, summarizeAdapter } from '../lora/adapter.ts';
import { convertAdapter } from './convert-adapter.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const basePath = (name: string): string => join(fixtures, 'reference', name, 'base.gguf');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-convert-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Case {
  readonly model: string;
  readonly logProbabilities: readonly (readonly number[])[];
}
const caseOf = (name: string): Case =>
  JSON.parse(readFileSync(join(fixtures, 'adapters', name, 'log-probabilities.json'), 'utf8')) as Case;
const pathOf = (name: string): string =>
  ['llama-cpp', 'qvac'].includes(name)
    ? join(fixtures, 'adapters', name, 'adapter.gguf')
    : join(fixtures, 'adapters', name);

function rowsOf(model: string) {
  const { lengths, tokens } = JSON.parse(readFileSync(join(fixtures, 'reference', model, 'case.json'), 'utf8')) as {
    tokens: number[][];
    lengths: number[];
  };
  return tokens.map((row, line) => ({
    tokens: Int32Array.from(row.slice(0, lengths[line])),
    supervised: Uint8Array.from({ length: lengths[line]! }, (_, t) => Number(t > 0)),
    source: { file: 'case.json', line },
  }));
}

/** Largest difference from the case's log-probabilities. */
async function worst(name: string, modelPath: string, adapterPath: string | null): Promise<number> {
  const { logProbabilities, model } = caseOf(name);
  const ours = await llamaLogProbabilities({ modelPath, adapterPath, rows: rowsOf(model), threads: 2 });
  const differences = ours.flatMap((row, r) =>
    [...row.logProbabilities].map((value, t) => Math.abs(value - logProbabilities[r]![t]!)),
  );
  expect(differences).toHaveLength(logProbabilities.flat().length);
  return Math.max(...differences);
}

let made = 0;
const fresh = (ending = ''): string => join(folder, `${made++}${ending}`);
const convert = async (adapter: string, model: string, to: 'gguf' | 'mlx' | 'peft'): Promise<string> => {
  const out = fresh(to === 'gguf' ? '.gguf' : '');
  await convertAdapter(adapter, { to, base: basePath(model), out });
  return out;
};

const plain = readdirSync(join(fixtures, 'adapters')).filter((name) => !name.endsWith('dora'));

describe('adapters of others', () => {
  it.each(plain)('%s: log-probabilities of the program that wrote it, under llama.cpp', async (name) => {
    const { model } = caseOf(name);
    const lora = await convert(pathOf(name), model, 'gguf');
    expect(await worst(name, basePath(model), lora)).toBeLessThan(1e-4);
    expect(await worst(name, basePath(model), null)).toBeGreaterThan(0.05);
  });

  it.each(['peft-dora', 'mlx-dora'])('%s is merged as the program computes it', async (name) => {
    const merged = fresh('.gguf');
    await convertAdapter(pathOf(name), { to: 'merged-gguf', base: basePath('llama'), out: merged, type: 'F16' });
    // Weights as float16.
    expect(await worst(name, merged, null)).toBeLessThan(0.02);
    await expect(
      convertAdapter(pathOf(name), { to: 'gguf', base: basePath('llama'), out: fresh('.gguf') }),
    ).rejects.toThrow(/is DoRA, whose update has full rank/);
  });

  it('DoRA becomes the nearest plain LoRA of a rank that is asked for, and what that leaves out is said', async () => {
    const distances: number[] = [];
    for (const rank of [2, 16, 64]) {
      const out = fresh('.gguf');
      const { notes } = await convertAdapter(pathOf('peft-dora'), { to: 'gguf', base: basePath('llama'), out, rank });
      expect(notes.join()).toMatch(/^DoRA as plain LoRA of rank \d+ leaves out [\d.e-]+% of the update's energy/);
      distances.push(await worst('peft-dora', basePath('llama'), out));
    }
    expect(distances[0]).toBeGreaterThan(distances[1]!);
    // 64 is the width of the model: nothing is left out.
    expect(distances[2]).toBeLessThan(1e-3);
  });
});

/** A way on which each format follows each, itself included. */
const way = ['peft', 'gguf', 'gguf', 'mlx', 'mlx', 'peft', 'mlx', 'gguf', 'peft'] as const;
const bits = (adapter: LoraAdapter) =>
  adapter.pairs.map(({ a, b, layer, projection, rank }) => ({ layer, projection, rank, a, b }));

describe.each([
  ['llama', [1, 4, 16]],
  ['qwen3', [1, 4, 16]],
] as const)('round trips of %s with ranks %j', (name, ranks) => {
  it('are equal to the last bit from each format to each', async () => {
    const model = openGguf(basePath(name));
    for (const rank of ranks) {
      const given = fresh();
      mkdirSync(given);
      writeRandom(given, name, rank);
      const adapter = readAdapter(given, model);
      let path = given;
      for (const to of way) {
        path = await convert(path, name, to);
        expect(readAdapter(path, model), `${path} ${to}`).toEqual(adapter);
      }
    }
    model.close();
  }, 60_000);
});

/** A PEFT folder of that rank with random values, rsLoRA on. */
function writeRandom(path: string, name: string, rank: number): void {
  const { tensors } = readSafetensors(join(fixtures, 'reference', name, 'lora.start.safetensors'));
  let state = rank;
  const next = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  };
  const drawn = [...tensors].map(([tensor, { shape }]) => {
    const own = tensor.includes('lora_A') ? [rank, shape[1]!] : [shape[0]!, rank];
    return { name: tensor, shape: own, values: Float32Array.from({ length: own[0]! * own[1]! }, next) };
  });
  writeSafetensors(join(path, 'adapter_model.safetensors'), drawn);
  const config = {
    peft_type: 'LORA',
    r: rank,
    lora_alpha: 3,
    use_rslora: true,
    lora_dropout: 0.05,
    base_model_name_or_path: 'x/y',
  };
  writeFileSync(join(path, 'adapter_config.json'), JSON.stringify(config));
}

describe('ranks and scales of modules of their own', () => {
  it('come back from PEFT as they were, and from formats that have one scale within the rounding of float32', async () => {
    const model = openGguf(basePath('llama'));
    const adapter = readAdapter(pathOf('peft-patterns'), model);
    expect(readAdapter(await convert(pathOf('peft-patterns'), 'llama', 'peft'), model)).toEqual(adapter);
    for (const to of ['gguf', 'mlx'] as const) {
      const back = readAdapter(await convert(pathOf('peft-patterns'), 'llama', to), model);
      expect(summarizeAdapter(back).ranks).toEqual(summarizeAdapter(adapter).ranks);
      bits(back).forEach((pair, i) => {
        const was = bits(adapter)[i]!;
        expect(pair.a).toEqual(was.a);
        const ratio = pair.b[0]! / was.b[0]!;
        const off = pair.b.map((value, k) => Math.abs(value / (was.b[k]! * ratio) - 1));
        expect(Math.max(...off)).toBeLessThan(2 ** -22);
      });
    }
    model.close();
  });

  it('are brought to a rank by what is largest of the update', async () => {
    const model = openGguf(basePath('llama'));
    const out = fresh();
    const { notes } = await convertAdapter(pathOf('peft-patterns'), {
      to: 'peft',
      base: basePath('llama'),
      out,
      rank: 2,
    });
    expect(notes.join()).toMatch(/With rank 2 leaves out \d+\.\d+% of the update's energy/);
    expect(summarizeAdapter(readAdapter(out, model)).ranks).toEqual([1, 2]);
    model.close();
  });
});

describe('merged models', () => {
  it.each(['Q8_0', 'Q4_0', 'Q4_K_M'] as const)('as %s, with the loss that it costs', async (type) => {
    const [out, data] = [fresh('.gguf'), join(folder, 'test.jsonl')];
    writeFileSync(
      data,
      Array.from({ length: 12 }, (_, i) =>
        JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }),
      ).join('\n'),
    );
    const { notes } = await convertAdapter(pathOf('unsloth'), {
      to: 'merged-gguf',
      base: basePath('llama'),
      out,
      type,
      data,
    });
    expect(notes.join('\n')).toMatch(
      /Loss on .*: the merged model \d\.\d{4}, the base with the adapter \d\.\d{4} nats per token\.\n.*the merged model/,
    );
    expect(openGguf(out).number('general.file_type')).toBe({ Q8_0: 7, Q4_0: 2, Q4_K_M: 15 }[type]);
    const off = await worst('unsloth', out, null);
    expect(off).toBeGreaterThan(1e-4);
    expect(off).toBeLessThan(type === 'Q8_0' ? 0.3 : 2);
  });
});

describe('what will not do is refused, and nothing is written', () => {
  const out = join(folder, 'nothing');
  const copied = (change: (folder: string) => void): string => {
    const path = fresh();
    cpSync(pathOf('unsloth'), path, { recursive: true });
    change(path);
    return path;
  };
  const options = { to: 'peft', base: basePath('llama'), out } as const;
  it.each([
    ['another model', pathOf('qvac'), /general\.architecture is qwen3, not llama/],
    ['shapes', pathOf('llama-factory'), /layer 0 q_proj is made for a matrix \[512, 64\], which in .* is \[64, 64\]/],
    ['no file', join(folder, 'nowhere'), /no such file/],
    [
      'a pickle',
      copied((path) => {
        rmSync(join(path, 'adapter_model.safetensors'));
        writeFileSync(join(path, 'adapter_model.bin'), 'PK');
      }),
      /pickle, which can run programs/,
    ],
    [
      'NaN',
      copied((path) => {
        const file = join(path, 'adapter_model.safetensors');
        const tensors = [...readSafetensors(file).tensors].map(([name, tensor]) => ({
          name,
          shape: tensor.shape,
          values: tensor.float32(),
        }));
        tensors[3]!.values[2] = Number.NaN;
        writeSafetensors(file, tensors);
      }),
      /holds NaN at element 2/,
    ],
    [
      'another base by its digest',
      copied((path) =>
        writeFileSync(
          join(path, 'nomoat.json'),
          JSON.stringify({ base: { file: 'base.gguf', bytes: 1, sha256: 'a'.repeat(64) } }),
        ),
      ),
      /is another file than the base\.gguf that it was trained on \(sha256 aaaaaaaa/,
    ],
  ])('%s', async (_, adapter, message) => {
    await expect(convertAdapter(adapter, options)).rejects.toThrow(message);
    await expect(convertAdapter(adapter, options)).rejects.toBeInstanceOf(NomoatError);
    expect(existsSync(out)).toBe(false);
  });

  it('settings, all faults together', async () => {
    const wrong = { ...options, type: 'F16', rank: 0 } as const;
    await expect(convertAdapter(pathOf('unsloth'), wrong)).rejects.toThrow(
      /`rank`: 0 is no whole number from 1; `type`: nothing is merged/,
    );
    await expect(convertAdapter(pathOf('unsloth'), { ...options, out: folder })).rejects.toThrow(/exists already/);
  });

  it('an interruption', async () => {
    const stopped = convertAdapter(pathOf('peft-dora'), { ...options, rank: 2, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ kind: 'interrupted' });
    expect(existsSync(out)).toBe(false);
  });
});
