/** RegMean by its definition: what is fitted solves (sum of G + ridge I) A' = G A', in both of its forms. */
import { expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import type { LoraAdapter, Projection } from '../lora/adapter.ts';
import { type ProjectionGroup, projectionGroups } from '../models/block-options.ts';
import { type BlockInputs, fittedToInputs } from './regmean.ts';

const random = new Random(7);
const drawn = (length: number): Float32Array => Float32Array.from({ length }, () => random.uniform() - 0.5);
const width = 12;
const pair = (projection: Projection, rank: number, layer = 0) => ({
  ...{ layer, projection, rank, alpha: rank, inFeatures: width, outFeatures: 5 },
  ...{ a: drawn(rank * width), b: drawn(5 * rank) },
});
const adapter = (pairs: LoraAdapter['pairs']): LoraAdapter => ({ rslora: false, dropout: 0, baseModel: 'b', pairs });
const block = (rows: number): BlockInputs =>
  new Map((Object.keys(projectionGroups) as ProjectionGroup[]).map((group) => [group, drawn(rows * width)]));
async function* only(...blocks: (readonly BlockInputs[])[]) {
  yield* blocks;
}

/** X' X / rows. */
const gram = (x: Float32Array): number[][] => {
  const rows = x.length / width;
  const at = (i: number, j: number): number => {
    let sum = 0;
    for (let n = 0; n < rows; n++) sum += x[n * width + i]! * x[n * width + j]!;
    return sum / rows;
  };
  return Array.from({ length: width }, (_, i) => Array.from({ length: width }, (__, j) => at(i, j)));
};
/** Row r of A times a symmetric matrix. */
const times = (a: Float32Array, r: number, matrix: readonly (readonly number[])[]): number[] =>
  matrix.map((row) => row.reduce((sum, value, j) => sum + value * a[r * width + j]!, 0));

test.each([
  ['more rows than inputs', 20, 15],
  ['fewer rows than inputs', 5, 4],
])('%s', async (_, first, second) => {
  const adapters = [
    adapter([pair('q_proj', 2), pair('v_proj', 2), pair('down_proj', 3)]),
    adapter([pair('q_proj', 1), pair('o_proj', 2)]),
  ];
  const inputs = [block(first), block(second)];
  const fitted = await fittedToInputs(adapters, only(inputs));
  for (const [k, each] of fitted.entries()) {
    expect(each.pairs.map(({ projection }) => projection)).toEqual(
      adapters[k]!.pairs.map(({ projection }) => projection),
    );
    for (const [i, made] of each.pairs.entries()) {
      const group = (Object.keys(projectionGroups) as ProjectionGroup[]).find((name) =>
        (projectionGroups[name] as readonly Projection[]).includes(made.projection),
      )!;
      const grams = inputs.map((one) => gram(one.get(group)!));
      const trace = grams.reduce((sum, g) => sum + g.reduce((total, row, j) => total + row[j]!, 0), 0);
      const system = grams[0]!.map((row, x) =>
        row.map((value, y) => value + grams[1]![x]![y]! + (x === y ? (0.01 * trace) / width : 0)),
      );
      const given = adapters[k]!.pairs[i]!;
      expect(made.b).toEqual(given.b);
      for (let r = 0; r < made.rank; r++) {
        const [got, wanted] = [times(made.a, r, system), times(given.a, r, grams[k]!)];
        expect(Math.max(...got.map((value, j) => Math.abs(value - wanted[j]!)))).toBeLessThan(1e-5);
        expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(1e-2);
      }
    }
  }
});

test('adapters whose inputs have nothing in common keep what each does on its own, and do nothing on the others', async () => {
  const inputs = [block(40), block(40)];
  for (const [k, one] of inputs.entries())
    for (const x of one.values())
      for (let i = 0; i < x.length; i++) if (Math.floor((i % width) / (width / 2)) === k) x[i] = 0;
  const adapters = [adapter([pair('o_proj', 2)]), adapter([pair('o_proj', 2)])];
  const fitted = await fittedToInputs(adapters, only(inputs));
  for (const [k, { pairs }] of fitted.entries())
    for (const [j, value] of pairs[0]!.a.entries()) {
      const isOwn = Math.floor((j % width) / (width / 2)) !== k;
      const wanted = isOwn ? adapters[k]!.pairs[0]!.a[j]! : 0;
      expect(Math.abs(value - wanted)).toBeLessThan(isOwn ? 0.05 : 1e-6);
    }
});

test('what cannot be fitted is refused by name', async () => {
  const zero: BlockInputs = new Map([...block(20)].map(([group, x]) => [group, x.fill(0)]));
  const adapters = [0, 1].map(() => adapter([pair('o_proj', 1)]));
  await expect(fittedToInputs(adapters, only([zero, zero]))).rejects.toThrow(/layer 0 o_proj: cannot be fitted/);
});

test('layers are fitted to their own inputs, and ended in between', async () => {
  const adapters = [0, 1].map(() => adapter([pair('o_proj', 1, 0), pair('o_proj', 1, 1)]));
  const blocks = [0, 1].map(() => [block(20), block(20)]);
  const fitted = await fittedToInputs(adapters, only(...blocks));
  const turned = await fittedToInputs(adapters, only(blocks[1]!, blocks[0]!));
  expect(fitted[0]!.pairs.map(({ layer }) => layer)).toEqual([0, 1]);
  expect(fitted[0]!.pairs[0]!.a).not.toEqual(turned[0]!.pairs[0]!.a);
  await expect(fittedToInputs(adapters, only(...blocks), AbortSignal.abort())).rejects.toThrow(/was stopped/);
});
