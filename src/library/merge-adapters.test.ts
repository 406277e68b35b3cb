/** Merging, held against PEFT's add_weighted_adapter (bench/oracles/make_merge_cases.py) and llama.cpp. */
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { addProduct } from '../adapter/low-rank.ts';
import { readAdapter } from '../adapter/read-adapter.ts';
import { rewriteModel } from '../adapter/rewrite-model.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { fromRows } from '../linear-algebra/matrix.ts';
import { smallSvd } from '../linear-algebra/svd.ts';
import { llamaLogProbabilities } from '../llama/log-probabilities.ts';
import { type LoraAdapter, loraScale, type Projection, summarizeAdapter } from '../lora/adapter.ts';
import { mergeMethods } from '../settings/merge-methods.ts';
import { extractAdapter } from './extract-adapter.ts';
import { mergeAdapters } from './merge-adapters.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const base = join(fixtures, 'reference/llama/base.gguf');
const [first, second] = ['first', 'second'].map((name) => join(fixtures, 'merge', name)) as [string, string];
const folder = mkdtempSync(join(tmpdir(), 'nomoat-merge-'));
afterAll(() => rmSync(folder, { recursive: true }));
const model = openGguf(base);
afterAll(() => model.close());
let made = 0;
const fresh = (ending = ''): string => join(folder, `${made++}${ending}`);

/** scale * B A, [out, in]. */
function update({ pairs, rslora }: LoraAdapter, projection: Projection, layer = 1): Float32Array {
  const pair = pairs.find((one) => one.layer === layer && one.projection === projection)!;
  const product = new Float32Array(pair.outFeatures * pair.inFeatures);
  addProduct(product, pair, loraScale({ ...pair, rslora }));
  return product;
}
const apart = (left: Float32Array, right: Float32Array): number =>
  left.reduce((most, value, i) => Math.max(most, Math.abs(value - right[i]!)), 0);
const squares = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);

const options = { base, weights: [0.7, 0.4] } as const;
async function merge(given: Omit<Parameters<typeof mergeAdapters>[1], 'base' | 'out'>, paths = [first, second]) {
  const out = fresh();
  const result = await mergeAdapters(paths, { ...options, ...given, out });
  return { result, adapter: readAdapter(out, model) };
}

describe('PEFT makes the same of', () => {
  const { tensors } = readSafetensors(join(fixtures, 'merge/merged.safetensors'));
  it.each([
    ['cat', { method: 'cat' }],
    ['svd', { method: 'svd' }],
    ['svd-2', { method: 'svd', rank: 2 }],
    ['peft-linear', { method: 'peft-linear' }],
    ['peft-ties', { method: 'peft-ties', density: 0.6 }],
    ['peft-magnitude-prune', { method: 'peft-magnitude-prune', density: 0.6 }],
    ['ties', { method: 'ties', density: 0.6, rank: 64 }],
    ['magnitude-prune', { method: 'magnitude-prune', density: 0.6, rank: 64 }],
  ] as const)('%s', async (name, given) => {
    const { adapter } = await merge(given);
    for (const projection of ['q_proj', 'k_proj'] as const) {
      const theirs = tensors.get(`${name}.${projection}`)!.float32();
      // k has 32 rows, of which PEFT was given all; q's 64 would have more.
      if (projection === 'q_proj' && (name === 'ties' || name === 'magnitude-prune')) continue;
      expect(apart(update(adapter, projection), theirs)).toBeLessThan(1e-5);
      expect(Math.sqrt(squares(theirs))).toBeGreaterThan(0.1);
    }
  });
});

describe('sums', () => {
  it('are exact: under llama.cpp, cat and linear are the weighted adapters in one', async () => {
    const rows = [
      {
        tokens: Int32Array.from({ length: 24 }, (_, t) => (t * 37 + 5) % 290),
        supervised: new Uint8Array(24).fill(1, 1),
        source: { file: '', line: 0 },
      },
    ];
    const under = async (modelPath: string, adapterPath: string | null): Promise<Float32Array> =>
      (await llamaLogProbabilities({ modelPath, adapterPath, rows, threads: 2 }))[0]!.logProbabilities;
    // The sum formed once, in the base's own weights: 0.7 of the first and then 0.4 of the second.
    const weighted = (path: string, weight: number): LoraAdapter => {
      const adapter = readAdapter(path, model);
      return { ...adapter, pairs: adapter.pairs.map((pair) => ({ ...pair, alpha: weight * pair.alpha })) };
    };
    const [half, whole] = [fresh('.gguf'), fresh('.gguf')];
    rewriteModel(half, model, { type: 'F32', adapter: weighted(first, 0.7) });
    const halfway = openGguf(half);
    rewriteModel(whole, halfway, { type: 'F32', adapter: weighted(second, 0.4) });
    halfway.close();
    const wanted = await under(whole, null);
    for (const method of ['cat', 'linear'] as const) {
      const out = fresh('.gguf');
      const result = await mergeAdapters([first, second], { ...options, method, to: 'gguf', out });
      expect(result).toMatchObject({ discarded: expect.closeTo(0, 10), rank: 6, modules: 6 });
      expect(apart(await under(base, out), wanted)).toBeLessThan(1e-4);
    }
    expect(apart(await under(base, null), wanted)).toBeGreaterThan(0.01);
  });

  it('brought to a rank lose what the optimum loses, by an SVD of the sum, and say it', async () => {
    const { adapter: whole } = await merge({ method: 'cat' });
    for (const rank of [1, 2, 4]) {
      const { adapter, result } = await merge({ method: 'svd', rank });
      const sum = update(whole, 'q_proj');
      const singular = smallSvd(fromRows({ rows: 64, columns: 64 }, sum)).s;
      const optimum = Math.sqrt(singular.slice(rank).reduce((total, value) => total + value * value, 0));
      const ours = update(adapter, 'q_proj').map((value, i) => value - sum[i]!);
      expect(Math.abs(Math.sqrt(squares(ours)) - optimum)).toBeLessThan(1e-6);
      expect(result.discarded).toBeGreaterThan(0);
      expect(result.notes.join()).toMatch(/leaves out [\d.]+% of the update's energy/);
    }
  });

  it('slerp keeps the length between two of one length, model-stock draws towards the base what disagrees', async () => {
    const [a, b] = [readAdapter(first, model), readAdapter(second, model)];
    const ends = await Promise.all(
      [
        [1, 0],
        [0, 1],
      ].map(async (weights) => (await merge({ method: 'slerp', weights, rank: 64 })).adapter),
    );
    expect(apart(update(ends[0]!, 'q_proj'), update(a, 'q_proj'))).toBeLessThan(1e-6);
    expect(apart(update(ends[1]!, 'q_proj'), update(b, 'q_proj'))).toBeLessThan(1e-6);
    const { weights: _, ...unweighted } = options;
    const stock = fresh();
    await mergeAdapters([first, second], { ...unweighted, method: 'model-stock', rank: 64, out: stock });
    const [x, y] = [update(a, 'q_proj'), update(b, 'q_proj')];
    const cosine = x.reduce((sum, value, i) => sum + value * y[i]!, 0) / Math.sqrt(squares(x) * squares(y));
    const t = (2 * Math.max(0, cosine)) / (1 + Math.max(0, cosine));
    const wanted = x.map((value, i) => (t * (value + y[i]!)) / 2);
    expect(apart(update(readAdapter(stock, model), 'q_proj'), wanted)).toBeLessThan(1e-5);
  });
});

describe('methods that draw or cut', () => {
  it('keep the expected share, repeatably by seed', async () => {
    const twice = [0, 0, 1].map((seed) => merge({ method: 'dare', density: 0.5, seed, weights: [1, 0], rank: 64 }));
    const [one, same, other] = (await Promise.all(twice)).map(({ adapter }) => update(adapter, 'k_proj'));
    expect(apart(one!, same!)).toBe(0);
    expect(apart(one!, other!)).toBeGreaterThan(0.01);
    const kept = one!.filter((value) => Math.abs(value) > 1e-5).length / one!.length;
    expect(Math.abs(kept - 0.5)).toBeLessThan(0.05);
    // The kept ones are divided by their chance.
    const whole = update(readAdapter(first, model), 'k_proj');
    const at = one!.findIndex((value) => Math.abs(value) > 0.01);
    expect(one![at]! / whole[at]!).toBeCloseTo(2, 3);
  });

  it('breadcrumbs drop the largest too, della keeps larger ones more often', async () => {
    const whole = update(readAdapter(first, model), 'k_proj');
    const largest = whole.indexOf(whole.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0));
    const only = { weights: [1, 0], density: 0.6, rank: 64 };
    const crumbs = update((await merge({ ...only, method: 'breadcrumbs' })).adapter, 'k_proj');
    expect(Math.abs(crumbs[largest]!)).toBeLessThan(1e-5);
    expect(crumbs.filter((value) => Math.abs(value) > 1e-5).length / crumbs.length).toBeCloseTo(0.6, 1);
  });

  it('every method gives an adapter that fits, and none is as another', async () => {
    const seen = new Map<string, string>();
    const text = fresh('.jsonl');
    writeFileSync(text, '{"prompt": "a", "completion": "b"}\n');
    for (const method of mergeMethods) {
      const { weights: _, ...rest } = options;
      const out = fresh();
      const inputs = method === 'regmean' ? { inputs: [text, text] } : {};
      await mergeAdapters([first, second], { ...rest, ...inputs, method, out });
      const adapter = readAdapter(out, model);
      expect(summarizeAdapter(adapter).targetModules, method).toEqual(['q_proj', 'k_proj']);
      const mark = [...update(adapter, 'q_proj').slice(0, 8)].map((value) => value.toFixed(5)).join();
      // Both are the whole sum.
      if (method !== 'linear') expect([...seen].find(([, other]) => other === mark)?.[0], method).toBeUndefined();
      seen.set(method, mark);
    }
    expect(seen.size).toBe(17);
  });
});

describe('regmean', () => {
  const data = ['odd', 'even'].map((word, k) => {
    const path = join(folder, `inputs-${k}.jsonl`);
    const rows = Array.from({ length: 20 }, (_, i) => JSON.stringify({ prompt: `${word} ${i}?`, completion: word }));
    writeFileSync(path, rows.join('\n'));
    return path;
  });
  const regmean = { method: 'regmean', weights: [1, 1], inputs: data } as const;

  it('is nearer than the sum to what each adapter makes of its own data', async () => {
    const near = async (method: 'cat' | 'regmean'): Promise<number> => {
      const given = method === 'cat' ? { method, weights: [1, 1] } : regmean;
      const { result } = await merge({ ...given, data });
      return result.losses.reduce((sum, { models }, k) => sum + Math.abs(models[0]!.loss - models[1 + k]!.loss), 0);
    };
    expect(await near('regmean')).toBeLessThan(0.7 * (await near('cat')));
  });

  it('says what it looked at, keeps the ranks, and takes other rows by another seed', async () => {
    const { adapter, result } = await merge(regmean);
    const [[fits], again] = [result.notes.filter((note) => /fitted/.test(note)), await merge(regmean)];
    expect(fits).toMatch(/^Each adapter was fitted to data of its own: \d+, \d+ tokens\.$/);
    expect(result).toMatchObject({ rank: 6, discarded: 0 });
    expect(apart(update(adapter, 'q_proj'), update(again.adapter, 'q_proj'))).toBe(0);
    const others = await merge({ ...regmean, inputs: [...data].reverse() });
    expect(apart(update(adapter, 'q_proj'), update(others.adapter, 'q_proj'))).toBeGreaterThan(1e-4);
    const halves = await merge({ ...regmean, weights: [0.5, 0.5] });
    const half = update(adapter, 'q_proj').map((value) => value / 2);
    expect(apart(half, update(halves.adapter, 'q_proj'))).toBeLessThan(1e-6);
    expect(squares(update((await merge({ ...regmean, rank: 2 })).adapter, 'q_proj'))).toBeLessThan(4 * squares(half));
  });

  it('finds weights by a search, of adapters that are fitted once', async () => {
    const seen: string[] = [];
    const { weights: _, ...rest } = regmean;
    const out = fresh();
    const { searched, weights } = await mergeAdapters([first, second], {
      ...{ base, out, ...rest, search: data, searchTries: 3 },
      onProgress: ({ done, of = 'modules', total }) => done === total && seen.push(of),
    });
    expect(searched!.map((each) => each.weights)).toContainEqual([1, 1]);
    expect(searched).toHaveLength(3);
    expect(weights).toEqual(searched![0]!.weights);
    expect(seen).toEqual(['blocks', 'tries', 'modules']);
  });

  it('ends in between, with nothing written', async () => {
    const stop = new AbortController();
    const out = join(folder, 'nothing');
    const merging = mergeAdapters([first, second], {
      ...{ base, out, method: 'regmean', inputs: data, signal: stop.signal },
      onProgress: ({ of }) => of === 'blocks' && stop.abort(),
    });
    await expect(merging).rejects.toThrow(/was stopped; nothing was written/);
    expect(existsSync(out)).toBe(false);
  });

  it('asks for data where an adapter is no run, and for some that has rows', async () => {
    await expect(merge({ method: 'regmean' })).rejects.toThrow(/`inputs`: was not given, and .* is no run/);
    const empty = join(folder, 'empty.jsonl');
    writeFileSync(empty, '{"prompt": "a", "completion": ""}\n');
    await expect(merge({ ...regmean, inputs: [data[0]!, empty] })).rejects.toMatchObject({ kind: 'input' });
  });
});

describe('what is said, and what is refused', () => {
  it('interference: an adapter with itself is all overlap, with another about chance', async () => {
    const { result } = await merge({ method: 'cat', weights: [1, 1, 1] }, [first, first, second]);
    expect(result.interference).toHaveLength(3);
    expect(result.interference[0]).toMatchObject({
      modules: 6,
      cosine: expect.closeTo(1, 6),
      outputs: expect.closeTo(1, 6),
      inputs: expect.closeTo(1, 6),
    });
    const { chance, outputs } = result.interference[1]!;
    expect(outputs!).toBeLessThan(4 * chance!.outputs);
  });

  it.each([
    [[first], {}, /two or more are merged/],
    [[first, second], { weights: [1] }, /`weights`: there are 1 for 2 adapters/],
    [[first, second, first], { method: 'slerp', weights: [1, 1, 1] }, /slerp goes from one to one other/],
    [[first, second], { method: 'svd', density: 0.5 }, /`density`: `method: 'svd'` prunes nothing/],
    [[first, second], { method: 'ties', seed: 1 }, /`seed`: `method: 'ties'` draws nothing/],
    [[first, second], { method: 'svd', inputs: ['a', 'b'] }, /`inputs`: `method: 'svd'` looks at none/],
    [[first, second], { method: 'regmean', inputs: ['a'] }, /`inputs`: there are 1 for 2 adapters/],
    [[first, second], { method: 'peft-linear', rank: 2 }, /`rank`: `method: 'peft-linear'` keeps the rank/],
    [
      [first, join(fixtures, 'adapters/unsloth')],
      { method: 'peft-linear' },
      /has rank 3 in one adapter and 2 in another/,
    ],
    [[first, join(fixtures, 'adapters/llama-factory')], {}, /is made for a matrix \[512, 64\]/],
    [[first, join(fixtures, 'adapters/peft-dora')], {}, /is DoRA/],
    [[first, second], { signal: AbortSignal.abort() }, /was stopped; nothing was written/],
  ] as const)('%#: nothing is written', async (paths, given, message) => {
    const out = join(folder, 'nothing');
    await expect(mergeAdapters(paths, { base, out, ...given })).rejects.toThrow(message);
    expect(existsSync(out)).toBe(false);
  });

  it('a lineage that cannot be read ends it before a module is merged', async () => {
    const damaged = fresh();
    cpSync(first, damaged, { recursive: true });
    writeFileSync(join(damaged, 'nomoat.json'), JSON.stringify({ lineage: { version: 1, entries: 1 } }));
    const out = join(folder, 'nothing');
    const done: number[] = [];
    const merging = mergeAdapters([second, damaged], { base, out, onProgress: (each) => done.push(each.done) });
    await expect(merging).rejects.toThrow(/has a lineage that cannot be read/);
    expect(done).toEqual([]);
    expect(existsSync(out)).toBe(false);
  });
});

describe('test data', () => {
  it('has the losses of the result beside those that it was made of, compared in pairs', async () => {
    const data = join(folder, 'test.jsonl');
    writeFileSync(
      data,
      Array.from({ length: 12 }, (_, i) =>
        JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }),
      ).join('\n'),
    );
    const { result } = await merge({ method: 'cat', weights: [1, 0], data: [data] });
    const [{ comparisons, models, verdict } = { comparisons: [], models: [], verdict: [] }] = result.losses;
    expect(models.map(({ name }) => name)).toEqual(['merged', first, second, 'base']);
    // All of the first and nothing of the second.
    expect(models[0]!.loss).toBeCloseTo(models[1]!.loss, 3);
    expect(Math.abs(models[0]!.loss - models[2]!.loss)).toBeGreaterThan(0.001);
    expect(comparisons).toHaveLength(3);
    expect(verdict[1]).toMatch(/merged .* by the loss of the expected answers/);
    await expect(
      mergeAdapters([first, second], { base, out: join(folder, 'nothing'), data: join(folder, 'no.jsonl') }),
    ).rejects.toMatchObject({ kind: 'input' });
    expect(existsSync(join(folder, 'nothing'))).toBe(false);
  });
});

describe('extract', () => {
  it('gives back the adapter that was merged, of its rank, and less of a lower one', async () => {
    const tuned = fresh('.gguf');
    rewriteModel(tuned, model, { type: 'F32', adapter: readAdapter(first, model) });
    const out = fresh();
    const { notes } = await extractAdapter(tuned, base, { rank: 3, out });
    const found = readAdapter(out, model);
    expect(summarizeAdapter(found)).toMatchObject({ ranks: [3], targetModules: ['q_proj', 'k_proj'] });
    expect(apart(update(found, 'q_proj'), update(readAdapter(first, model), 'q_proj'))).toBeLessThan(1e-5);
    expect(Number(/leaves out ([\d.e-]+)%/.exec(notes.join())![1])).toBeLessThan(1e-3);
    const low = await extractAdapter(tuned, base, { rank: 1, out: fresh() });
    expect(Number(/leaves out ([\d.e-]+)%/.exec(low.notes.join())![1])).toBeGreaterThan(10);
    await expect(extractAdapter(base, base, { out: fresh() })).rejects.toThrow(/tuning changed none/);
    await expect(extractAdapter(join(fixtures, 'reference/qwen3/base.gguf'), base, { out: fresh() })).rejects.toThrow(
      /is no tuned form of/,
    );
  });
});

it('weights are looked for on data, and compared with the usual ones on other examples', async () => {
  const write = (name: string, from: number): string => {
    const path = join(folder, name);
    writeFileSync(
      path,
      Array.from(
        { length: 8 },
        (_, i) =>
          `${JSON.stringify({ prompt: `number ${from + i}`, completion: (from + i) % 2 === 0 ? 'even' : 'odd' })}\n`,
      ).join(''),
    );
    return path;
  };
  const [search, data] = [write('search.jsonl', 0), write('other.jsonl', 50)];
  const told: string[] = [];
  const found = await mergeAdapters([first, second], {
    base,
    out: fresh(),
    search,
    searchTries: 5,
    data,
    onProgress: ({ done, of, total }) => void (of && told.push(`${done} of ${total} ${of}`)),
  });
  expect(told).toEqual(['1 of 5 tries', '2 of 5 tries', '3 of 5 tries', '4 of 5 tries', '5 of 5 tries']);
  expect(found.searched).toHaveLength(5);
  expect(found.weights).toEqual(found.searched![0]!.weights);
  expect(found.searched!.map(({ weights }) => String(weights))).toEqual(expect.arrayContaining(['0.5,0.5', '1,1']));
  expect(found.notes.join()).toMatch(
    /5 weights were tried on .*search\.jsonl: loss [\d.]+ with the best, [\d.]+ with the usual ones/,
  );
  expect(found.losses[0]!.models.map(({ name }) => name)).toEqual([
    'merged',
    'with the usual weights',
    first,
    second,
    'base',
  ]);
  // What is written is what was tried: the same weights given have the same loss.
  const again = await mergeAdapters([first, second], { base, out: fresh(), weights: found.weights, data });
  expect(again.losses[0]!.models[0]!.loss).toBeCloseTo(found.losses[0]!.models[0]!.loss, 3);
  const abort = new AbortController();
  const out = fresh();
  const stopped = mergeAdapters([first, second], {
    base,
    out,
    search,
    searchTries: 50,
    signal: abort.signal,
    onProgress: ({ done, of }) => void (of && done === 2 && abort.abort()),
  });
  await expect(stopped).rejects.toMatchObject({ kind: 'interrupted' });
  expect(existsSync(out)).toBe(false);
});

it.each([
  [{ search: 'x.jsonl', weights: [1, 1] }, /`search` finds them/],
  [{ search: 'x.jsonl', method: 'model-stock' }, /has no weights/],
  [{ searchTries: 9 }, /nothing is looked for without `search`/],
] as const)('a search that would do nothing is refused: %j', async (given, message) => {
  await expect(mergeAdapters([first, second], { base, out: fresh(), ...given })).rejects.toThrow(message);
});
