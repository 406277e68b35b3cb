import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { madeAdapter, miniPath, writtenAdapter } from '../../test/made-adapters.ts';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import { rewriteModel } from '../adapter/rewrite-model.ts';
import { renderModel } from '../cli/inspect-model.ts';
import { quantize } from '../formats/gguf/quantize.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile, GgufValue } from '../formats/gguf/types.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { inspectAdapter } from './inspect.ts';
import { inspectModel } from './inspect-model.ts';
import { isWholeModel } from './inspect-model-target.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-inspect-model-'));
const at = (name: string): string => join(folder, name);
let base: GgufFile;
beforeAll(() => {
  vi.stubEnv('NOMOAT_HOME', at('home'));
  base = openGguf(miniPath);
  // The packaged one is of Q8_0, which a merged model would be rounded to again.
  rewriteModel(at('base.gguf'), base, { type: 'F32' });
});
afterAll(() => {
  base.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** The base with some tensors' numbers, and metadata, changed. */
function written(
  name: string,
  change: (tensor: string, values: Float32Array) => void,
  metadata: ReadonlyMap<string, GgufValue> = base.metadata,
): string {
  const tensors = [...base.tensors.values()].map(({ name: tensor, shape }) => ({
    name: tensor,
    shape,
    type: 'F32' as const,
    bytes: () => {
      const values = base.readFloat32(tensor);
      change(tensor, values);
      return quantize('F32', values);
    },
  }));
  writeGguf(at(name), { metadata: new Map(metadata), tensors });
  return at(name);
}

test('a merged adapter is found in its model: the figures of the change are those of the update', async () => {
  const adapter = madeAdapter(3, 0.05);
  rewriteModel(at('merged.gguf'), base, { type: 'F32', adapter });
  const seen: number[] = [];
  const found = await inspectModel({
    model: at('merged.gguf'),
    base: at('base.gguf'),
    intruders: false,
    onProgress: ({ done }) => void seen.push(done),
  });
  const truth = await inspectAdapter({ adapter: writtenAdapter(at('adapter'), adapter), model: miniPath });
  expect(seen).toEqual(Array.from({ length: base.tensors.size }, (_, i) => i));
  const { changes, unchanged } = found.base!;
  expect(changes).toHaveLength(truth.updates.length);
  expect(unchanged).toBe(base.tensors.size - changes.length);
  const last = changes.find(({ tensor }) => tensor === 'blk.5.attn_v.weight')!;
  const update = truth.updates.find(({ layer, projection }) => layer === 5 && projection === 'v_proj')!;
  expect(last.norm).toBeCloseTo(update.norm, 5);
  expect(last.relative).toBeCloseTo(update.relative, 5);
  expect(last.spread!.top).toBeCloseTo(update.figures.top, 4);
  expect(last.spread!.stableRank).toBeCloseTo(1 / update.figures.concentration, 3);
  expect(last.spread!.leadingShare).toBeCloseTo(1, 5);
  expect(last.intruders).toBeNull();
  expect(found.notes).toContainEqual(expect.stringMatching(/^Of 12 of 12 changed matrices at least 98%/));
  expect(renderModel(found)).toMatch(/12 tensors differ, 44 have the same numbers\.\n/);
});

test('a direction that is stronger than the weight’s own is an intruder of the model too', async () => {
  const strong = written('intruder.gguf', (tensor, values) => {
    if (tensor !== 'blk.2.attn_v.weight') return;
    const width = base.tensors.get(tensor)!.shape[1]!;
    // A checkerboard, which is of rank 1.
    for (let i = 0; i < values.length; i++) values[i]! += (Math.floor(i / width) + i) % 2 === 0 ? 1 : -1;
  });
  const changed = async (intruders: boolean) =>
    (await inspectModel({ model: strong, base: at('base.gguf'), intruders })).base!.changes;
  const [change, ...others] = await changed(true);
  expect(others).toEqual([]);
  expect(change!.intruders).toMatchObject({ intruders: [{ index: 0 }], tested: 10 });
  expect(change!.spread!.stableRank).toBeCloseTo(1, 3);
  expect((await changed(false))[0]!.intruders).toBeNull();
});

test('alone it is what its file says, with what is wrong with its numbers', async () => {
  const { base: same, facts, file, notes, weights } = await inspectModel({ model: miniPath, base: miniPath });
  expect(same).toMatchObject({ changes: [], unchanged: base.tensors.size, otherType: 0, metadata: [] });
  expect(file.bytes).toBe(base.byteLength);
  expect(facts).toMatchObject({ architecture: 'llama', layers: 6, modelWidth: 192, parameters: 3049920 });
  expect(facts.types[0]).toMatchObject({ type: 'Q8_0', tensors: 43 });
  expect(facts.tokenizer).toMatchObject({ tokens: 2048, addsBegin: false, ends: ['<|im_end|>', '<|endoftext|>'] });
  expect(facts.template!.sha256).toMatch(/^66edfb854931/);
  expect(notes).toEqual(['Every number that both have is the same.']);
  const query = weights.find(({ tensor }) => tensor === 'blk.0.attn_q.weight')!;
  const values = base.readFloat32('blk.0.attn_q.weight');
  expect(query.norm).toBeCloseTo(Math.hypot(...values), 4);
  expect(query.spread!.stableRank).toBeGreaterThan(1);

  const broken = written('broken.gguf', (tensor, numbers) => {
    if (tensor === 'blk.1.ffn_up.weight') numbers[7] = Number.NaN;
    if (tensor === 'blk.2.ffn_up.weight') numbers.fill(0);
    if (tensor === 'token_embd.weight') numbers.copyWithin(0, 192, 384);
  });
  const alone = await inspectModel({ model: broken });
  expect(alone.base).toBeNull();
  expect(alone.notes).toEqual([
    'Numbers that are NaN or infinite stand in blk.1.ffn_up.weight (1): what it answers is nothing.',
    'More than half of the numbers are 0 in blk.2.ffn_up.weight.',
    expect.stringMatching(/^1 of 2048 tokens have the embedding of another one/),
  ]);
});

test('what no adapter holds, another template and other types are said', async () => {
  const metadata = new Map(base.metadata);
  metadata.set('tokenizer.chat_template', { type: 'string', value: '{{ messages[0].content }}' });
  const model = written('other.gguf', (tensor, values) => tensor === 'output_norm.weight' && values.fill(1), metadata);
  const found = await inspectModel({ model, base: miniPath });
  expect(found.base).toMatchObject({ metadata: ['tokenizer.chat_template'], otherType: 43 });
  expect(found.base!.changes.map(({ tensor }) => tensor)).toEqual(['output_norm.weight']);
  expect(found.notes).toContainEqual(expect.stringMatching(/^Its chat template is another/));
  expect(found.notes).toContainEqual(expect.stringMatching(/^43 tensors are stored in another type/));
});

test('an adapter is no whole model, and what is nowhere is said', async () => {
  writeGgufLora(at('lora.gguf'), madeAdapter(3, 0.05), base);
  expect(await isWholeModel(at('lora.gguf'))).toBe(false);
  expect(await isWholeModel(at('base.gguf'))).toBe(true);
  expect(await isWholeModel('nomoat-mini')).toBe(true);
  expect(await isWholeModel(join(at('base.gguf'), 'below'))).toBe(false);
  await expect(inspectModel({ model: at('lora.gguf') })).rejects.toMatchObject({ fault: 'is an adapter, not a model' });
  await expect(inspectModel({ model: at('nowhere.gguf') })).rejects.toMatchObject({ code: 'model-not-found' });
  const abort = new AbortController();
  const stopped = inspectModel({
    model: miniPath,
    signal: abort.signal,
    onProgress: ({ done }) => done === 2 && abort.abort(),
  });
  await expect(stopped).rejects.toMatchObject({ kind: 'interrupted' });
});
