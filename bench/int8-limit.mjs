/** The rate of the engine's int8 product alone, in operations (two a multiplication) per second: the limit that a step is held against. */
import * as ort from 'onnxruntime-node';
import { OnnxWriter, valueInfo } from '../dist/graph/onnx/writer.js';
import { bytes, Executor, floats } from '../dist/runtime/onnxruntime-node/executor.js';

/** Best of many, of `rows` rows through a weight [inner, columns] that is an input, as in a step; the bare kernel, without the rows' scales. */
export async function int8Limit(rows, inner, columns, threads) {
  const to = new OnnxWriter();
  to.node('MatMulIntegerToFloat', ['x', 'w', to.float(1), 's', to.byte(128)], {}, 'y');
  const given = [
    ['x', [rows, inner], 'uint8'],
    ['w', [inner, columns], 'int8'],
    ['s', [columns], 'float32'],
  ];
  const named = ([name, shape, type]) => valueInfo(name, { shape, type });
  const model = to.model(given.map(named), [named(['y', [rows, columns], 'float32'])]);
  const executor = await Executor.open(model, threads, 'cpu');
  const inputs = new Map([
    ['x', new ort.Tensor('uint8', new Uint8Array(rows * inner).fill(130), [rows, inner])],
    ['w', bytes(new Int8Array(inner * columns).fill(3), [inner, columns])],
    ['s', floats(new Float32Array(columns).fill(1), [columns])],
  ]);
  const outputs = new Map([['y', floats(new Float32Array(rows * columns), [rows, columns])]]);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 30; i++) {
    const start = performance.now();
    await executor.run(inputs, outputs);
    best = Math.min(best, performance.now() - start);
  }
  await executor.close();
  return (2 * rows * inner * columns) / (best / 1000);
}
