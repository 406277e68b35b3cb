/** The file of int8 layers is closed only when nothing reads it any more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { projections } from '../lora/adapter.ts';
import { projectionDimensions, readModelConfig } from '../models/config.ts';
import { emptyMatrix } from '../models/quantize.ts';
import { diskStore } from './disk-store.ts';

/** What happens to files, in order. */
const seen: string[] = [];
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  type Done = (error: Error | null, count: number) => void;
  type ReadArguments = [descriptor: number, buffer: Int8Array, offset: number, length: number, position: number, Done];
  const read = (...[descriptor, buffer, offset, length, position, done]: ReadArguments): void => {
    // A slow disk.
    setTimeout(() => {
      const count = fs.readSync(descriptor, buffer, offset, length, position);
      seen.push('read');
      done(null, count);
    }, 50);
  };
  const closeSync = (descriptor: number): void => {
    seen.push('closed');
    fs.closeSync(descriptor);
  };
  return { ...fs, read, closeSync };
});

const folder = mkdtempSync(join(tmpdir(), 'nomoat-layers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('close waits for the layer that is being read ahead', async () => {
  const model = openGguf(join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf'));
  const config = readModelConfig(model);
  const store = diskStore(join(folder, 'layers'));
  const matrix = (projection: (typeof projections)[number]) => {
    const { inFeatures, outFeatures } = projectionDimensions(config, projection);
    return [projection, emptyMatrix(inFeatures, outFeatures)] as const;
  };
  for (let layer = 0; layer < 2; layer++) store.add({ matrices: new Map(projections.map(matrix)), vectors: new Map() });
  const head = { norm: new Float32Array(config.modelWidth), output: emptyMatrix(config.modelWidth, config.vocabulary) };
  const weights = store.finish(model, config, head);
  await weights.layer(0, 1);
  seen.length = 0;
  weights.close();
  expect(seen).toEqual([]);
  await expect.poll(() => seen).toEqual(['read', 'closed']);
  model.close();
});
