import { describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { attention } from '../models/attention.ts';
import type { ModelConfig } from '../models/config.ts';
import { Executor, floats, type Tensor } from '../runtime/onnxruntime-node/executor.ts';

const headDim = 8;
const [C, T] = [5, 9];

/** Attention and its gradients by the definition, in double precision. */
function byDefinition(heads: number, kvHeads: number, data: Record<string, Float32Array>) {
  const { bias, k, q, v } = data as Record<'bias' | 'k' | 'q' | 'v', Float32Array>;
  const seed = data['d.o']!;
  const [width, kvWidth] = [heads * headDim, kvHeads * headDim];
  const made = {
    o: new Float64Array(C * width),
    'd.q': new Float64Array(C * width),
    'd.k': new Float64Array(T * kvWidth),
    'd.v': new Float64Array(T * kvWidth),
  };
  for (let h = 0; h < heads; h++) {
    const kv = Math.floor(h / (heads / kvHeads));
    for (let c = 0; c < C; c++) {
      const at = (t: number, d: number): number => t * kvWidth + kv * headDim + d;
      const own = (d: number): number => c * width + h * headDim + d;
      const dims = Array.from({ length: headDim }, (_, d) => d);
      const scores = Array.from({ length: T }, (_, t) =>
        dims.reduce((sum, d) => sum + (q[own(d)]! * k[at(t, d)]!) / Math.sqrt(headDim), bias[c * T + t]!),
      );
      const total = scores.reduce((sum, s) => sum + Math.exp(s), 0);
      const p = scores.map((s) => Math.exp(s) / total);
      const dp = p.map((_, t) => dims.reduce((sum, d) => sum + seed[own(d)]! * v[at(t, d)]!, 0));
      const mean = p.reduce((sum, share, t) => sum + share * dp[t]!, 0);
      for (let t = 0; t < T; t++) {
        const ds = (p[t]! * (dp[t]! - mean)) / Math.sqrt(headDim);
        for (const d of dims) {
          made.o[own(d)]! += p[t]! * v[at(t, d)]!;
          made['d.v'][at(t, d)]! += p[t]! * seed[own(d)]!;
          made['d.q'][own(d)]! += ds * k[at(t, d)]!;
          made['d.k'][at(t, d)]! += ds * q[own(d)]!;
        }
      }
    }
  }
  return made;
}

describe.each([
  [2, 2],
  [6, 2],
])('attention of %i heads to %i', (heads, kvHeads) => {
  const config = { heads, kvHeads, headDim } as ModelConfig;
  const random = new Random(3, heads);
  const array = (length: number): Float32Array => Float32Array.from({ length }, () => 2 * random.uniform() - 1);
  const [width, kvWidth] = [heads * headDim, kvHeads * headDim];
  const data = {
    q: array(C * width),
    k: array(T * kvWidth),
    v: array(T * kvWidth),
    bias: array(C * T),
    'd.o': array(C * width),
  };
  const expected = byDefinition(heads, kvHeads, data);

  test.each([false, true])('and its gradients are those of the definition; probabilities kept: %s', async (keeps) => {
    const graphs = attention(config, keeps);
    expect(graphs.saved).toEqual(keeps ? ['saved.p'] : []);
    const shapes: Record<string, number[]> = {
      q: [C, width],
      k: [T, kvWidth],
      v: [T, kvWidth],
      bias: [C, T],
      'd.o': [C, width],
      o: [C, width],
      'saved.p': [heads, C, T],
      'd.q': [C, width],
      'd.k': [T, kvWidth],
      'd.v': [T, kvWidth],
    };
    const tensors = new Map<string, Tensor>(Object.entries(data).map(([name, x]) => [name, floats(x, shapes[name]!)]));
    for (const graph of [graphs.forward, graphs.backward]) {
      const stage = await Executor.create(graph, 1);
      const outputs = new Map(
        stage.outputs.map((name) => {
          const shape = shapes[name]!;
          return [name, floats(new Float32Array(shape.reduce((a, b) => a * b)), shape)] as const;
        }),
      );
      await stage.run(tensors, outputs);
      await stage.close();
      for (const [name, tensor] of outputs) tensors.set(name, tensor);
    }
    for (const [name, values] of Object.entries(expected)) {
      const got = tensors.get(name)!.data as Float32Array;
      values.forEach((value, i) => {
        expect(got[i], `${name} ${i}`).toBeCloseTo(value, 5);
      });
    }
  });
});
