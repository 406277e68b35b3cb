import { expect, test } from 'vitest';
import { relative } from '../../test/relative.ts';
import { seededRandom } from '../batches/random.ts';
import type { ModelConfig } from '../models/config.ts';
import { head, int8Head } from '../models/head.ts';
import { quantizeMatrix, transposedValues } from '../models/quantize.ts';
import { bytes, Executor, floats, integers, type Tensor } from '../runtime/onnxruntime-node/executor.ts';
import { HeadThresholds } from './head-thresholds.ts';

const width = 64;
const vocabulary = 8192;
const config = { modelWidth: width, normEpsilon: 1e-5, vocabulary } as ModelConfig;

/** The token that the `r`th row is closest to. */
const bestOf = (r: number): number => r * 7 + 3;

/** Numbers of about a normal distribution, always the same. */
function normal(count: number, seed: number): Float32Array {
  const uniform = seededRandom(seed);
  return Float32Array.from({ length: count }, () => uniform() + uniform() + uniform() + uniform() - 2);
}

/** Rows whose best token takes about `share`; the rest is spread over all others. The target is that token or one of the others. Each `draw` has numbers of its own. */
async function gradientError(
  share: number,
  best: 'target' | 'other',
  draw: number,
): Promise<{ loss: number; gradient: number }> {
  const seed = 100 * draw;
  const rows = 16;
  const x = normal(rows * width, seed + 2);
  // All rows of the matrix have something in common, so that it is missed if thousands of small probabilities round to zero.
  const common = normal(width, seed + 3);
  const output = normal(vocabulary * width, seed + 1).map((value, i) => 0.1 * value + common[i % width]!);
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * width, (r + 1) * width);
    const size = Math.hypot(...row);
    const logit = Math.log((share / (1 - share)) * vocabulary);
    // The logit of x's own row is that of the others and `logit` on top, x being normed to a length of sqrt(width). What of a gradient is
    // parallel to x the norm takes away: so that row has a part across x as well.
    const across = normal(width, seed + 9 + r);
    const along = across.reduce((sum, v, d) => sum + v * row[d]!, 0) / size ** 2;
    for (let d = 0; d < width; d++)
      output[bestOf(r) * width + d] =
        common[d]! + (row[d]! / size) * (logit / Math.sqrt(width)) + across[d]! - along * row[d]!;
  }
  const targets = Array.from({ length: rows }, (_, r) => (best === 'target' ? bestOf(r) : 5000 + r));
  const target = integers(BigInt64Array.from(targets, BigInt), [rows, 1]);
  const weight = quantizeMatrix(output, width, 127);
  const shared: [string, Tensor][] = [
    ['x', floats(x, [rows, width])],
    ['target', target],
    ['output_norm', floats(new Float32Array(width).fill(1), [width])],
    ['d.logp', floats(new Float32Array(rows).fill(-1), [rows, 1])],
  ];
  const values = transposedValues(weight);
  const targetRows = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++)
    for (let d = 0; d < width; d++)
      targetRows[r * width + d] = values[targets[r]! * width + d]! * weight.scale[targets[r]!]!;
  const results = [];
  for (const [graph, inputs] of [
    [head(config, 'input'), [['output', floats(output, [vocabulary, width])]]],
    [
      int8Head(config, 'input'),
      [
        ['output', bytes(weight.values, [width, vocabulary])],
        ['output.transposed', bytes(values, [vocabulary, width])],
        ['output.scale', floats(weight.scale, [vocabulary])],
        ['target_rows', floats(targetRows, [rows, width])],
        ['thresholds', floats(new HeadThresholds(vocabulary).of(1, 0), [vocabulary])],
      ],
    ],
  ] as const) {
    const executor = await Executor.create(graph, 2);
    const [logp, dx] = [new Float32Array(rows), new Float32Array(rows * width)];
    await executor.run(
      new Map<string, Tensor>([...shared, ...inputs]),
      new Map([
        ['logp', floats(logp, [rows, 1])],
        ['d.x', floats(dx, [rows, width])],
      ]),
    );
    await executor.close();
    results.push({ logp, dx });
  }
  const [exact, int8] = results as [(typeof results)[0], (typeof results)[0]];
  return { loss: relative(int8.logp, exact.logp), gradient: relative(int8.dx, exact.dx) };
}

test.each([
  [0.3, 'other', 0.08],
  [0.9, 'other', 0.04],
  [0.5, 'target', 0.04],
  [0.99, 'target', 0.1],
] as const)(
  'one token takes %s and thousands the rest: neither is rounded away (the target is that one: %s)',
  async (share, best, bound) => {
    // Rounded to nearest: 0.96, 0.11, 0.29, 0.08 away. With the target among the others, or its row not times 1 - p: 0.58 and 9.6 in the last two.
    const errors = [];
    for (const draw of [0, 1, 2]) errors.push(await gradientError(share, best, draw));
    for (const { gradient, loss } of errors) {
      expect(loss).toBeLessThan(0.1);
      expect(gradient).toBeLessThan(bound);
    }
  },
);

test('thresholds lie evenly between -1/2 and 1/2, are the same for one seed and call, and others for others', () => {
  const thresholds = new HeadThresholds(1000);
  const some = thresholds.of(7, 0);
  expect(some).toHaveLength(1000);
  expect(new HeadThresholds(1000).of(7, 0)).toEqual(some);
  for (const other of [thresholds.of(8, 0), thresholds.of(7, 128)]) expect(other).not.toEqual(some);
  const gaps = some
    .slice()
    .sort()
    .map((value, i) => Math.abs(value - (i + 0.5) / 1000 + 0.5));
  expect(Math.max(...gaps)).toBeLessThan(0.003);
});
