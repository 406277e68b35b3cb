/** The rate of the engine's int8 product alone, in operations (two a multiplication) per second: the limit that a step is held against. */
import { input, int8Matmul } from '../dist/graph/graph.js';
import { bytes, Executor, floats } from '../dist/runtime/onnxruntime-node/executor.js';
import * as ort from 'onnxruntime-node';

/** Best of many, of `rows` rows through a weight [inner, columns] that is an input, as in a step. */
export async function int8Limit(rows, inner, columns, threads) {
  const product = (x) => int8Matmul(x, input('scale', ['N', 1]), input('w', [inner, columns], 'int8'), input('s', [columns]));
  const executor = await Executor.create(new Map([['y', product(input('x', ['N', inner], 'uint8'))]]), threads);
  const feeds = new Map([
    ['x', new ort.Tensor('uint8', new Uint8Array(rows * inner).fill(130), [rows, inner])],
    ['scale', floats(new Float32Array(rows).fill(1), [rows, 1])],
    ['w', bytes(new Int8Array(inner * columns).fill(3), [inner, columns])],
    ['s', floats(new Float32Array(columns).fill(1), [columns])],
  ]);
  const into = new Map([['y', floats(new Float32Array(rows * columns), [rows, columns])]]);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 30; i++) {
    const start = performance.now();
    await executor.run(feeds, into);
    best = Math.min(best, performance.now() - start);
  }
  await executor.close();
  return (2 * rows * inner * columns) / (best / 1000);
}
