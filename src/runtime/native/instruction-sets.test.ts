/** The kernels of all sets of instructions that this processor has, through blocks of random sizes: the same bits, whatever computes them. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compute, digestOf, drawBlock, inputsOf, pack } from '../../../bench/random-blocks.mjs';
import { Random } from '../../batches/random.ts';
import { kernelsIn } from './load.ts';

const native = join(import.meta.dirname, '../../../native');
const sets = ['avx512-vnni', 'avx2'].map((set) => ({ set, loaded: kernelsIn(native, set) }));
const missing = sets.flatMap(({ loaded }) => (loaded.kernels ? [] : [loaded.reason]));
const blocks = 10;

test.skipIf(missing.length === sets.length)(
  `equal bits for every set of instructions and one to four threads${missing.length > 0 ? ` (without ${missing.join('; ')})` : ''}`,
  () => {
    for (let i = 0; i < blocks; i++) {
      const random = new Random(i, 0);
      const drawn = () => random.uniform();
      const block = drawBlock(drawn);
      const inputs = inputsOf(block, drawn);
      const digests = sets.flatMap(({ loaded: { kernels } }) => {
        if (!kernels) return [];
        const packed = pack(kernels, inputs, block.int8);
        return [1, 2, 3, 4].map((threads) => digestOf(compute(kernels, block, { ...inputs, packed }, threads)));
      });
      expect(new Set(digests).size, JSON.stringify(block)).toBe(1);
    }
  },
  60_000,
);
