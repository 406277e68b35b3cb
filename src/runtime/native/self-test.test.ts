import { expect, test } from 'vitest';
import type { Kernels } from './kernels.ts';
import { loadKernels } from './load.ts';
import { failures } from './self-test.ts';

const loaded = loadKernels();
const reason = loaded.kernels ? '' : ` (skipped: ${loaded.reason})`;
const withKernels = test.skipIf(!loaded.kernels);

withKernels(`kernels that compute what they should pass, and others do not${reason}`, () => {
  const kernels = loaded.kernels as Kernels;
  expect(failures(kernels)).toEqual([]);
  // One product of a block that is off by a twentieth.
  const wrong: Kernels = {
    ...kernels,
    run(...call) {
      kernels.run(...call);
      const [stage, , , , arrays] = call;
      const gate = arrays['saved.gate'] as Float32Array;
      if (stage === 'after.forward') gate.set(gate.map((value) => 1.05 * value));
    },
  };
  expect(failures(wrong)).not.toEqual([]);
});
