/** Norms of rows. */
import type { Emission, Emitters } from './emission.ts';

/** sqrt(mean(x^2) + epsilon) of each row, [R, 1]. Where it is written twice for one x, onnxruntime computes it once. */
function rootMeanSquare(at: Emission, x: string, epsilon: number): string {
  const square = at.emit('ReduceMean', [at.emit('Mul', [x, x]), at.int64(-1)], { keepdims: { int: 1 } });
  return at.emit('Sqrt', [at.emit('Add', [square, at.float(epsilon)])]);
}

export const norm = {
  'rms-norm': (at, [x, weight], { epsilon }) => {
    if (at.graph.units.has(at.node.inputs[0]!))
      at.result('Mul', [at.emit('Div', [x, rootMeanSquare(at, x, epsilon)]), weight]);
    else at.result('RMSNormalization', [x, weight], { axis: { int: -1 }, epsilon: { float: epsilon } });
  },
  'unit-rows': (at, [x], { epsilon }) => at.result('Div', [x, rootMeanSquare(at, x, epsilon)]),
  'rms-norm-grad': (at, [unit, x, g], { epsilon }) => {
    // dx = (g - u mean(g u)) / rms(x), u = x / rms(x)
    const mean = at.emit('ReduceMean', [at.emit('Mul', [g, unit]), at.int64(-1)], { keepdims: { int: 1 } });
    const pulled = at.emit('Sub', [g, at.emit('Mul', [unit, mean])]);
    at.result('Div', [pulled, rootMeanSquare(at, x, epsilon)]);
  },
} satisfies Partial<Emitters>;
