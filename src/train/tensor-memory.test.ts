import { expect, test } from 'vitest';
import { clipping } from './clip.ts';
import { initAdamW, updateAdamW } from './optimizer.ts';
import type { Parameter } from './step.ts';
import { TensorMemory, zerosLike } from './tensor-memory.ts';

/** Lengths that fill no whole vector, and one of several parts of the sums. */
const lengths = [1, 3, 4, 7, 64, 10_001];

function parameters(memory: TensorMemory | null): Parameter[] {
  return lengths.map((length, p) => {
    const value = memory?.take(length) ?? new Float32Array(length);
    value.set(value.map((_, i) => Math.sin(i + p)));
    const gradient = zerosLike(value);
    return { name: `${p}`, shape: [length], value, gradient, decays: p % 2 === 0 };
  });
}

test('AdamW and the norm in WebAssembly are those of JavaScript', () => {
  const memory = TensorMemory.for(lengths.flatMap((length) => [length, length, length, length]))!;
  const [fast, plain] = [parameters(memory), parameters(null)];
  const [fastState, plainState] = [initAdamW(fast), initAdamW(plain)];
  expect(fastState.second.every((array) => TensorMemory.of(array) === memory)).toBe(true);
  expect(plainState.second.some((array) => TensorMemory.of(array))).toBe(false);
  for (let step = 0; step < 5; step++) {
    for (const { gradient } of [...fast, ...plain])
      gradient.set(gradient.map((_, i) => Math.cos(i * (step + 1)) / (1 + (i % 9))));
    const [one, other] = [clipping(fast, 1), clipping(plain, 1)];
    expect(one.norm / other.norm).toBeCloseTo(1, 6);
    expect(one.factor).toBeLessThan(1);
    updateAdamW(fast, fastState, 0.01, { weightDecay: 0.1, clip: one.factor });
    updateAdamW(plain, plainState, 0.01, { weightDecay: 0.1, clip: other.factor });
  }
  for (const [p, { value }] of plain.entries()) {
    value.forEach((expected, i) => {
      expect(Math.abs(fast[p]!.value[i]! - expected), `${p} ${i}`).toBeLessThan(2e-6);
    });
  }
});

test('a full memory gives ordinary arrays, and one beyond 32-bit addresses is not made', () => {
  const memory = TensorMemory.for([16384])!;
  const array = memory.take(16384)!;
  expect(memory.take(1)).toBeNull();
  expect(TensorMemory.of(zerosLike(array))).toBeNull();
  expect(zerosLike(array)).toHaveLength(16384);
  expect(TensorMemory.for([2 ** 30, 4])).toBeNull();
});
