/**
 * Checks a finished reference run against the reference: gradients of step 5, exact answers of the exported adapter under llama.cpp, and our loss on
 * the first held-out rows (to compare with bench/peft/load_adapter.py).
 * Usage: node bench/reference-check.mjs BASE.gguf REFERENCE_FOLDER RUN    (after npm run build)
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { llamaLogProbabilities } from '../dist/llama/log-probabilities.js';
import { evenAdapter } from '../dist/adapter/even-adapter.js';
import { readPeft } from '../dist/adapter/peft.js';
import { packRows } from '../dist/batches/pack.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { readModelConfig } from '../dist/models/config.js';
import { readSafetensors } from '../dist/formats/safetensors.js';
import { readExamples } from '../dist/dataset/dataset-files.js';
import { chatTemplateOf } from '../dist/text/chat-template.js';
import { openTokenizer } from '../dist/llama/tokenizer.js';
import { buildRows } from '../dist/tokens/rows.js';
import { createLoraStep } from '../dist/train/open-step.js';
import { relative } from './relative.mjs';

const [base, reference, run] = process.argv.slice(2);
const model = openGguf(base);
const tokenizer = await openTokenizer(base);
const options = { template: () => chatTemplateOf(model), tokenizer, sequenceLength: 512, tooLong: 'refuse', supervise: 'answers', specialTokens: 'auto' };
const rowsOf = async (name) => buildRows((await readExamples([join(reference, name)])).train, options).rows;
const [train, test] = [await rowsOf('train.jsonl'), await rowsOf('test.jsonl')];
await tokenizer.close();
const pack = (rows) => packRows(rows, { packing: true, microBatchSize: null, maxTokens: 1024, padToken: 0 });

const { layers } = readModelConfig(model);
const adapterIn = (path, context) => evenAdapter(readPeft(path, context), { part: path, layers });
const start = adapterIn(join(reference, 'lora.before_step5.f16.safetensors'), { alpha: 16 });
const step = await createLoraStep({ model, adapter: start, threads: 2 });
const batches = pack(train.slice(80, 96));
const count = batches.reduce((sum, batch) => sum + batch.supervisedTokens, 0);
for (const batch of batches) await step.accumulate([batch], 1 / count, [0]);
const { tensors } = readSafetensors(join(reference, 'lora.gradients.step5.f16.safetensors'));
let worst = 0;
for (const { name, gradient } of step.parameters) worst = Math.max(worst, relative([gradient], [tensors.get(name).float32()]));
await step.close();
console.log(JSON.stringify({ tensors: step.parameters.length, worstGradientError: worst }));

const trained = await createLoraStep({ model, adapter: adapterIn(join(run, 'adapter')), threads: 2 });
let [loss, tokens] = [0, 0];
for (const batch of pack(test.slice(0, 40))) for (const value of (await trained.logProbabilities([batch]))[0]) [loss, tokens] = [loss - value, tokens + 1];
await trained.close();
console.log(JSON.stringify({ rows: 40, loss: loss / tokens, tokens }));

const results = await llamaLogProbabilities({ modelPath: base, adapterPath: join(run, 'adapter', 'adapter.gguf'), rows: test, threads: 2 });
const exact = results.filter(({ mostLikely }) => mostLikely.every(Boolean)).length;
console.log(JSON.stringify({ rows: test.length, exact, share: exact / test.length, reference: JSON.parse(readFileSync(join(reference, 'case.json'), 'utf8')).held_out_after.exact }));
process.exit(0);
