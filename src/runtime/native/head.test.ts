import { expect, test } from 'vitest';
import { relative } from '../../../test/relative.ts';
import { Random } from '../../batches/random.ts';
import type { ModelConfig } from '../../models/config.ts';
import { head, int8Head } from '../../models/head.ts';
import { quantizeMatrix, transposedValues } from '../../models/quantize.ts';
import { bytes, Executor, floats, integers, type Tensor, type Tensors } from '../onnxruntime-node/executor.ts';
import { shapeOf } from './block-stages.ts';
import { type HeadStage, nativeHead } from './head.ts';
import type { Kernels } from './kernels.ts';
import { loadKernels } from './load.ts';

const loaded = loadKernels();
const reason = loaded.kernels ? '' : ` (skipped: ${loaded.reason})`;
const withKernels = test.skipIf(!loaded.kernels);
const options = { trainable: 'adapter', targets: [], rank: 4, dropout: false, biases: false, qkNorms: false } as const;
const configOf = (modelWidth: number, vocabulary: number): ModelConfig =>
  ({ modelWidth, vocabulary, heads: 1, kvHeads: 1, headDim: 16, feedForward: 16, normEpsilon: 1e-5 }) as ModelConfig;

/** A head and rows of which some are nearly sure of their token, as trained models are. */
function inputsOf(
  { modelWidth, vocabulary }: ModelConfig,
  rows: number,
  precision: 'f32' | 'int8',
): Map<string, Tensor> {
  const random = new Random(7, vocabulary);
  const drawn = (length: number): Float32Array => Float32Array.from({ length }, () => 2 * random.uniform() - 1);
  const [output, x] = [drawn(vocabulary * modelWidth), drawn(rows * modelWidth)];
  const target = BigInt64Array.from({ length: rows }, (_, i) =>
    BigInt((i * 37 + (i % 3 === 0 ? vocabulary - 1 : 5)) % vocabulary),
  );
  for (let i = 0; i < rows; i += 2)
    for (let d = 0; d < modelWidth; d++) x[i * modelWidth + d]! += output[Number(target[i]) * modelWidth + d]! / 4;
  const shared: [string, Tensor][] = [
    ['x', floats(x, [rows, modelWidth])],
    ['target', integers(target, [rows, 1])],
    [
      'output_norm',
      floats(
        drawn(modelWidth).map((value) => 1 + value / 4),
        [modelWidth],
      ),
    ],
    ['d.logp', floats(drawn(rows), [rows, 1])],
  ];
  if (precision === 'f32') return new Map([...shared, ['output', floats(output, [vocabulary, modelWidth])]]);
  const matrix = quantizeMatrix(output, modelWidth, 127);
  const values = transposedValues(matrix);
  const rowsOfTargets = Float32Array.from({ length: rows * modelWidth }, (_, i) => {
    const token = Number(target[Math.floor(i / modelWidth)]);
    return values[token * modelWidth + (i % modelWidth)]! * matrix.scale[token]!;
  });
  return new Map([
    ...shared,
    ['output', bytes(matrix.values, [modelWidth, vocabulary])],
    ['output.scale', floats(matrix.scale, [vocabulary])],
    ['output.transposed', bytes(values, [vocabulary, modelWidth])],
    ['target_rows', floats(rowsOfTargets, [rows, modelWidth])],
    [
      'thresholds',
      floats(
        drawn(vocabulary).map((value) => value / 2),
        [vocabulary],
      ),
    ],
  ]);
}

async function run(stage: HeadStage, inputs: Tensors, gradient: boolean): Promise<Record<string, Float32Array>> {
  const [rows, width] = inputs.get('x')!.dims as [number, number];
  const [logp, dx] = [new Float32Array(rows), new Float32Array(rows * width)];
  const outputs = new Map([['logp', floats(logp, [rows, 1])]]);
  if (gradient) outputs.set('d.x', floats(dx, [rows, width]));
  // With copies of the int8 values, which the kernels arrange anew where they lie.
  const own = [...inputs].map(
    ([name, t]) => [name, t.type === 'int8' ? bytes(Int8Array.from(t.data as Int8Array), t.dims) : t] as const,
  );
  await stage.run(new Map(own), outputs);
  await stage.close();
  return gradient ? { logp, 'd.x': dx } : { logp };
}

const kernelsOf = (config: ModelConfig, precision: 'f32' | 'int8', threads: number) =>
  nativeHead(loaded.kernels as Kernels, config, {
    int8: precision === 'int8',
    shape: shapeOf(config, { ...options, precision }, threads),
  })!;

for (const [width, vocabulary, rows] of [
  [64, 1024, 70],
  [96, 2064, 13],
  [144, 1040, 1],
] as const) {
  // biome-ignore format: a table
  const config = configOf(width, vocabulary);
  for (const [precision, bound] of [
    ['f32', 3e-6],
    ['int8', 2e-3],
  ] as const) {
    // biome-ignore format: a table
    withKernels(`${precision} head of ${vocabulary} tokens, ${width} wide: what the graphs compute, for any number of threads${reason}`, async () => {
      const inputs = inputsOf(config, rows, precision);
      const graphs = precision === 'int8' ? int8Head : head;
      const [both, alone] = [await Executor.create(graphs(config, 'input'), 1), await Executor.create(graphs(config, 'none'), 1)];
      const expected = await run(both, inputs, true);
      const got = await run(kernelsOf(config, precision, 2).head, inputs, true);
      for (const [name, values] of Object.entries(expected)) expect(relative(got[name]!, values), name).toBeLessThan(bound);
      const forward = await run(kernelsOf(config, precision, 2).headForward, inputs, false);
      expect(relative(forward.logp!, (await run(alone, inputs, false)).logp!)).toBeLessThan(bound);
      expect(forward.logp).toEqual(got.logp);
      for (const threads of [1, 3, 4]) expect(await run(kernelsOf(config, precision, threads).head, inputs, true)).toEqual(got);
    });
  }
}

withKernels(
  `tokens that are none are refused, and so are vocabularies that are no multiple of 16${reason}`,
  async () => {
    const config = configOf(64, 1024);
    const inputs = inputsOf(config, 3, 'f32').set('target', integers(BigInt64Array.from([0n, 1024n, 0n]), [3, 1]));
    await expect(run(kernelsOf(config, 'f32', 1).head, inputs, true)).rejects.toThrow(/no token/);
    expect(
      nativeHead(loaded.kernels as Kernels, configOf(64, 1025), {
        int8: true,
        shape: shapeOf(config, { ...options, precision: 'int8' }, 1),
      }),
    ).toBeNull();
  },
);
