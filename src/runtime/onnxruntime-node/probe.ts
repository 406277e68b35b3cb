/** What this processor's int8 kernels do: whether their sums saturate, and how fast they are beside float32. */
import { input, int8Matmul, matmul, quantizeRows } from '../../graph/graph.ts';
import { bytes, Executor, floats } from './executor.ts';

/** What the kernels of this processor do. */
export interface KernelProbe {
  /** Sums of products overflow 16 bits (x86 without VNNI): weights must keep to 7 bits. */
  readonly saturates: boolean;
  /** Operations (two a multiplication) per second of a product as training has them, activations quantized on the way. */
  readonly int8Rate: number;
  readonly float32Rate: number;
}

/** Largest magnitude of an int8 weight. */
export const maxLevels = 127;
/** maxLevels, or 63 where two products of 255 and a weight must fit into 16 bits. */
export const weightLevels = ({ saturates }: Pick<KernelProbe, 'saturates'>): number => (saturates ? 63 : maxLevels);

/** Rows, inputs and outputs of the probed product: a micro-batch through a middling projection. */
const size = { rows: 256, inner: 1024, columns: 1024 } as const;
/** The best of these counts: others may be using the machine. */
const repetitions = 8;
/** A saturated sum is wrong by a quarter or more, a right one by rounding. */
const tolerance = 1e-3;

/** Takes about a tenth of a second. */
export async function probeKernels(threads: number): Promise<KernelProbe> {
  const { rows, inner, columns } = size;
  const x = input('x', ['N', inner]);
  const weight = { values: input('w8', [inner, columns], 'int8'), scale: input('s', [columns]) };
  const int8 = new Map([['y', int8Matmul(quantizeRows(x), weight)]]);
  const float32 = new Map([['y', matmul(x, input('w', [columns, inner]), { transposeB: true })]]);
  // The largest values there are: every pair of products overflows 16 bits where that is the kernel's limit.
  const inputs = new Map([
    ['x', floats(new Float32Array(rows * inner).fill(1), [rows, inner])],
    ['w8', bytes(new Int8Array(inner * columns).fill(127), [inner, columns])],
    ['s', floats(new Float32Array(columns).fill(1 / 127), [columns])],
    ['w', floats(new Float32Array(inner * columns).fill(1), [columns, inner])],
  ]);
  const y = new Float32Array(rows * columns);
  const rate = async (graph: typeof int8): Promise<number> => {
    const executor = await Executor.create(graph, threads);
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < repetitions; i++) {
      const start = performance.now();
      await executor.run(inputs, new Map([['y', floats(y, [rows, columns])]]));
      best = Math.min(best, performance.now() - start);
    }
    await executor.close();
    return (2 * rows * inner * columns) / (best / 1000);
  };
  const float32Rate = await rate(float32);
  const int8Rate = await rate(int8);
  return { saturates: Math.abs(y[0]! / inner - 1) > tolerance, int8Rate, float32Rate };
}
