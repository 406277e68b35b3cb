import { expect, test } from 'vitest';
import { NomoatError } from '../../errors.ts';
import { type Adapter, assertAdapterHolds, findAdapter } from './webgpu-adapter.ts';

const adapter = findAdapter();
const why = adapter.found ? '' : ` (skipped: no WebGPU adapter: ${adapter.reason})`;

/** An adapter whose largest buffer is 128 MB. */
const small = (size = 1): Adapter =>
  size * 4 <= 128 * 2 ** 20 ? { found: true } : { found: false, reason: 'the buffer is too large' };
const wide = { name: 'token_embd.weight', rows: 49_152, columns: 2048 };

function refusal(of: () => void): NomoatError {
  try {
    of();
  } catch (error) {
    if (error instanceof NomoatError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('a matrix that the adapter does not hold is refused by name and size, with a remedy', () => {
  const { fault, fields, part, remedy } = refusal(() => assertAdapterHolds(wide, small));
  expect(part).toBe("`device: 'webgpu'`");
  expect(fault).toContain('token_embd.weight [49152, 2048], 403 MB in one piece: the buffer is too large');
  expect(fields).toMatchObject({ matrix: 'token_embd.weight', bytes: 49_152 * 2048 * 4 });
  expect(remedy).toContain('Leave `device` out');
  expect(() => assertAdapterHolds({ ...wide, columns: 576 }, small)).not.toThrow();
});

test.runIf(adapter.found)(
  `this adapter holds a small one${why}`,
  () => {
    expect(() => assertAdapterHolds({ name: 'output.weight', rows: 1000, columns: 64 })).not.toThrow();
  },
  180_000,
);
