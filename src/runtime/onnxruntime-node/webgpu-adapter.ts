/**
 * Whether WebGPU finds an adapter here, and whether it holds arrays as large as a model's. Asked in a process of its own: where a driver
 * is broken the library may end the process instead of throwing. Promises an answer within a bounded time; never throws.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import './no-telemetry.ts';
import { NomoatError } from '../../errors.ts';
import { add, input, sumRows } from '../../graph/graph.ts';
import { emitOnnx } from '../../graph/onnx/emit.ts';

/** Whether a graphics adapter was found that computes, or why none was. */
export type Adapter = { readonly found: true } | { readonly found: false; readonly reason: string };

/** Drivers that compile their first shader in software take a few seconds. */
const patience = 60_000;
/** Sums an array and itself on the device. Standard input is the graph, the arguments where onnxruntime-node lies and how long the array is. */
const script = `
const ort = require(process.argv[1]);
const model = new Uint8Array(require('node:fs').readFileSync(0));
const extra = { session: { disable_cpu_ep_fallback: '1' } };
(async () => {
  const session = await ort.InferenceSession.create(model, { executionProviders: ['webgpu'], logSeverityLevel: 4, extra });
  const x = new Float32Array(Number(process.argv[2]));
  x[x.length - 1] = 21;
  const { y } = await session.run({ x: new ort.Tensor('float32', x, [x.length, 1]) });
  if (y.data[0] !== 42) throw new Error('21 + 21 came out as ' + y.data[0]);
  process.stdout.write('works');
})().catch((error) => { process.stdout.write(String(error.message)); process.exitCode = 1; });`;

/** Tries an array of `size` float32 numbers. Takes about a fifth of a second for a small one. */
export function findAdapter(size = 1): Adapter {
  const x = input('x', ['N', 1]);
  const { error, signal, stdout } = spawnSync(
    process.execPath,
    ['-e', script, createRequire(import.meta.url).resolve('onnxruntime-node'), String(size)],
    { input: emitOnnx(new Map([['y', sumRows(add(x, x))]]), 'webgpu'), encoding: 'utf8', timeout: patience },
  );
  if (stdout === 'works') return { found: true };
  if (error) return { found: false, reason: `asking for one failed (${error.message})` };
  if (signal) return { found: false, reason: `the driver ended the process that asked for one (${signal})` };
  // onnxruntime begins with its own source's place, which helps nobody.
  const last = stdout.trim().split('\n')[0] ?? '';
  return {
    found: false,
    reason: last.replace(/^.*was false\. /, '') || 'the process that asked for one ended silently',
  };
}

/** Throws NomoatError where there is none. */
export function assertAdapter(): void {
  const adapter = findAdapter();
  if (adapter.found) return;
  throw new NomoatError({
    code: 'no-device',
    part: "`device: 'webgpu'`",
    fault: `no WebGPU adapter works here: ${adapter.reason}`,
    remedy:
      'Leave `device` out to train on the processor, or install a graphics driver (on Linux also the Vulkan loader, libvulkan1).',
    fields: { reason: adapter.reason },
  });
}

/** Throws NomoatError where the adapter fails with the largest of the matrices that it will have to hold, [rows, columns] of float32. */
export function assertAdapterHolds(
  { columns, name, rows }: { name: string; rows: number; columns: number },
  find = findAdapter,
): void {
  const adapter = find(rows * columns);
  if (adapter.found) return;
  const bytes = rows * columns * Float32Array.BYTES_PER_ELEMENT;
  throw new NomoatError({
    code: 'no-device',
    part: "`device: 'webgpu'`",
    fault: `the graphics adapter failed with an array as large as ${name} [${rows}, ${columns}], ${(bytes / 1e6).toFixed(0)} MB in one piece: ${adapter.reason}`,
    remedy: 'Leave `device` out to train on the processor, or take a smaller `model`.',
    fields: { matrix: name, bytes, reason: adapter.reason },
  });
}
