/**
 * Steps of our own kernels through blocks of random sizes: equal bits for 1 to 4 threads, again and again, and for every set of instructions that this
 * processor has; on some of them memory fails at each array in turn, and the same step afterwards gives the same bits. bench/sanitized.sh runs it with the kernels
 * under AddressSanitizer, UBSan or ThreadSanitizer.
 * node bench/kernel-shapes.mjs [--steps 1000] [--seed 1] [--repetitions 20] [--failures 50] [--threads 1,2,3,4] [--native FOLDER] [--sets avx512-vnni,avx2]; wants a built dist. `--failures`: on every so many-th step.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kernelsIn } from '../dist/runtime/native/load.js';
import { compute, digestOf, drawBlock, inputsOf, pack } from './random-blocks.mjs';
import { random } from './seeded-random.mjs';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    repetitions: { type: 'string', default: '20' },
    failures: { type: 'string', default: '50' },
    threads: { type: 'string', default: '1,2,3,4' },
    native: { type: 'string', default: join(import.meta.dirname, '../native') },
    sets: { type: 'string', default: 'avx512-vnni,avx2' },
  },
});
const [steps, seed, repetitions, every] = [values.steps, values.seed, values.repetitions, values.failures].map(Number);

const threads = values.threads.split(',').map(Number);

const loaded = [];
for (const set of values.sets.split(',')) {
  const found = kernelsIn(values.native, set);
  if (found.kernels) loaded.push({ set, kernels: found.kernels });
  else console.log(`kernel-shapes: ${set} skipped, since ${found.reason}`);
}
if (loaded.length === 0) process.exit(0);

/** Lets each array of the kernels fail in turn until nothing fails any more: nothing but that error comes of it. Returns the bits of the step that passes. */
function failing(kernels, block, inputs) {
  for (let after = 0; ; after++) {
    kernels.failArray(after);
    try {
      const got = digestOf(compute(kernels, block, { ...inputs, packed: pack(kernels, inputs, block.int8) }, 4));
      kernels.failArray(-1);
      return { got, failures: after };
    } catch (error) {
      if (!/bad_alloc/.test(error.message)) throw error;
    }
  }
}

const began = performance.now();
let [failures, compared] = [0, 0];
/** Of the results of all steps: the same for equal steps and seed, whatever system, compiler or set of instructions. */
const bits = createHash('sha256');
for (let step = 0; step < steps; step++) {
  const drawn = random(seed * 1e6 + step);
  const block = drawBlock(drawn);
  const inputs = inputsOf(block, drawn);
  let expected = null;
  const see = (got, how) => {
    expected ??= got;
    compared++;
    if (got !== expected) throw new Error(`step ${step}, seed ${seed}: other bits ${how}: ${JSON.stringify(block)}`);
  };
  for (const { kernels, set } of loaded) {
    if (every > 0 && step % every === 0) {
      const failed = failing(kernels, block, inputs);
      failures += failed.failures;
      see(failed.got, `with ${set} after arrays failed`);
    }
    const packed = pack(kernels, inputs, block.int8);
    for (let i = 0; i < threads.length + repetitions; i++) {
      const count = threads[i % threads.length];
      see(digestOf(compute(kernels, block, { ...inputs, packed }, count)), `with ${set} and ${count} threads`);
    }
  }
  bits.update(expected);
}
console.log(JSON.stringify({ steps, sets: loaded.map(({ set }) => set), comparedSteps: compared, failedArrays: failures, bits: bits.digest('hex').slice(0, 16), seconds: Math.round((performance.now() - began) / 1000) }));
