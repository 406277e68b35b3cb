/** Held against llama.cpp's own bytes: bench/oracles/make_quantize_cases.py. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { quantize } from '../formats/gguf/quantize.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { rewriteModel } from './rewrite-model.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-types-'));
afterAll(() => rmSync(folder, { recursive: true }));
const models = JSON.parse(readFileSync(join(fixtures, 'quantize/models.json'), 'utf8')) as Record<
  string,
  Record<string, [string, string]>
>;

it.each(['Q4_0', 'Q5_0', 'Q8_0', 'Q4_K', 'Q6_K'] as const)(
  '%s: the bytes of ggml, of small, large, equal and no values',
  (type) => {
    const values = new Float32Array(new Uint8Array(readFileSync(join(fixtures, 'quantize/values.bin'))).buffer);
    expect(Buffer.compare(quantize(type, values), readFileSync(join(fixtures, `quantize/${type}.bin`)))).toBe(0);
  },
);

it.each(Object.keys(models))('%s: every tensor as llama-quantize writes it', (name) => {
  const [model, type] = name.split(' ') as [string, 'Q8_0' | 'Q4_0' | 'Q4_K_M'];
  const base = openGguf(join(fixtures, 'reference', model, 'base.gguf'));
  const path = join(folder, `${name}.gguf`);
  rewriteModel(path, base, { type });
  const written = openGguf(path);
  const found = Object.fromEntries(
    [...written.tensors.values()].map((tensor) => [
      tensor.name,
      [tensor.type, createHash('sha256').update(written.readBytes(tensor.name)).digest('hex')],
    ]),
  );
  expect(found).toEqual(models[name]);
  base.close();
  written.close();
});
