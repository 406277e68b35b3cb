/**
 * Our PEFT files in real PEFT, and our GGUF LoRAs in llama.cpp: node bench/peft-round-trip.mjs
 * Adapters of three ranks on two families (the tiny models of test/fixtures/reference), each written in both formats; PEFT's
 * log-probabilities of a row against llama.cpp's, token by token. NOMOAT_PYTHON names a Python with torch, transformers, peft and gguf.
 * Exits with 1 where one is 1e-4 apart or more.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeGgufLora } from '../dist/adapter/gguf-lora.js';
import { writePeft } from '../dist/adapter/peft.js';
import { Random } from '../dist/batches/random.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { llamaLogProbabilities } from '../dist/llama/log-probabilities.js';
import { initLora } from '../dist/lora/init.js';
import { projections } from '../dist/lora/adapter.js';
import { projectionDimensions, readModelConfig } from '../dist/models/config.js';

const python = process.env.NOMOAT_PYTHON ?? 'python3';
const reference = join(import.meta.dirname, '../test/fixtures/reference');
const out = mkdtempSync(join(tmpdir(), 'nomoat-peft-'));
const cases = [];
try {
  for (const family of ['llama', 'qwen2'])
    for (const [rank, rslora] of [[2, false], [5, true], [16, false]]) {
      const modelPath = join(reference, family, 'base.gguf');
      const model = openGguf(modelPath);
      const config = readModelConfig(model);
      const dimensions = (projection) => projectionDimensions(config, projection);
      const adapter = initLora({ rank, alpha: 8, rslora, dropout: 0, targetModules: projections, baseModel: family, seed: rank, layers: config.layers, dimensions });
      const random = new Random(rank, 1);
      for (const { b } of adapter.pairs) for (let i = 0; i < b.length; i++) b[i] = 0.2 * (2 * random.uniform() - 1);
      const folder = join(out, `${family}-${rank}`);
      writePeft(folder, adapter);
      writeGgufLora(join(folder, 'adapter.gguf'), adapter, model);
      model.close();
      const tokens = Int32Array.from({ length: 24 }, (_, i) => (i * 37 + 5) % config.vocabulary);
      const row = { source: 0, tokens, supervised: Uint8Array.from(tokens, (_, i) => (i === 0 ? 0 : 1)) };
      const of = async (adapterPath) => [...(await llamaLogProbabilities({ modelPath, adapterPath, rows: [row], threads: 1 }))[0].logProbabilities];
      cases.push({ family, rank, base: join(reference, family), folder, tokens: [...tokens], adapted: await of(join(folder, 'adapter.gguf')), plain: await of(null) });
    }
  writeFileSync(join(out, 'cases.json'), JSON.stringify(cases));
  const { status } = spawnSync(python, [join(import.meta.dirname, 'oracles/check_peft_files.py'), join(out, 'cases.json')], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(out, { recursive: true });
}
