/**
 * Writes every ONNX graph that training opens, for bench/onnx_check.py.
 * node bench/onnx-graphs.mjs OUT     (after npm run build; OUT is a new folder)
 * The bytes are caught where onnxruntime gets them, so that what is checked is what runs.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packRows } from '../dist/batches/pack.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { projections } from '../dist/lora/adapter.js';
import { initLora } from '../dist/lora/init.js';
import { projectionDimensions, readModelConfig } from '../dist/models/config.js';
import { quantizeModel } from '../dist/train/int8-model.js';
import { createFullStep, createLoraStep } from '../dist/train/open-step.js';
import { InferenceSession } from 'onnxruntime-node';

const out = process.argv[2];
mkdirSync(out);
const written = new Set();
let [opened, label] = [0, ''];
const create = InferenceSession.create.bind(InferenceSession);
InferenceSession.create = (bytes, ...rest) => {
  opened++;
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  if (!written.has(digest)) writeFileSync(join(out, `${label}-${digest}.onnx`), bytes);
  written.add(digest);
  return create(bytes, ...rest);
};

/** Two rows, one of which is longer than any tile: graphs that are compiled when they are first asked for are opened too. */
const rows = [9, 300].map((length) => ({
  tokens: Int32Array.from({ length }, (_, i) => 1 + (i % 50)),
  supervised: new Uint8Array(length).fill(1, 1),
}));
const [batch] = packRows(rows, { packing: true, microBatchSize: null, maxTokens: 512, padToken: 0 });
async function stepOf(options) {
  const step = await createLoraStep({ threads: 1, oneCall: false, ...options });
  await step.accumulate([batch], 1, [1]);
  await step.close();
}

const variants = {
  all: { targetModules: projections, dropout: 0, rslora: false },
  some: { targetModules: ['q_proj', 'v_proj', 'down_proj'], dropout: 0.1, rslora: true },
};
for (const name of ['llama', 'qwen2', 'qwen3', 'llama3']) {
  const model = openGguf(new URL(`../test/fixtures/reference/${name}/base.gguf`, import.meta.url).pathname);
  const config = readModelConfig(model);
  for (const [variant, settings] of Object.entries(variants)) {
    label = `${name}-lora-${variant}`;
    const adapter = initLora({
      ...settings,
      rank: 8,
      alpha: 16,
      seed: 0,
      baseModel: name,
      layers: config.layers,
      dimensions: (projection) => projectionDimensions(config, projection),
    });
    await stepOf({ model, adapter });
    label = `${name}-lora-${variant}-int8`;
    const quantized = () => quantizeModel({ model, compared: batch, threads: 1, levels: 127 });
    for (const activations of ['keep', 'float16']) await stepOf({ model, adapter, activations, ...(await quantized()) });
  }
  label = `${name}-full`;
  await (await createFullStep({ model, threads: 1 })).close();
  model.close();
}
console.log(`${opened} sessions opened, ${written.size} different graphs in ${out}`);
