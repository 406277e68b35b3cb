/**
 * What sharing the prompt of a pair saves: processor time of forward and backward with the prompt computed once, over that with a prompt for each side, in
 * turns, and how far the gradients are apart. Tokens say the least that it can be: a prompt of half of each side leaves three quarters.
 * Usage: node bench/shared-pairs.mjs [MODEL.gguf] [--prompt 128] [--answer 128] [--pairs 2] [--rounds 5] [--threads 2]   (after npm run build)
 */
import { parseArgs } from 'node:util';
import { packRows } from '../dist/batches/pack.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { readModelConfig } from '../dist/models/config.js';
import { resolveModel } from '../dist/store/local-models.js';
import { createLoraStep } from '../dist/train/open-step.js';
import { freshAdapter } from './fresh-adapter.mjs';
import { relative } from './relative.mjs';

const number = (value) => ({ type: 'string', default: String(value) });
const { positionals, values } = parseArgs({ allowPositionals: true, options: { prompt: number(128), answer: number(128), pairs: number(2), rounds: number(5), threads: number(2) } });
const [prompt, answer, pairs, rounds, threads] = ['prompt', 'answer', 'pairs', 'rounds', 'threads'].map((name) => Number(values[name]));
const model = openGguf((await resolveModel(positionals[0] ?? 'nomoat-mini')).path);
const config = readModelConfig(model);
const adapter = freshAdapter(config, 8);
for (const { b } of adapter.pairs) b.forEach((_, i) => (b[i] = ((i % 13) - 6) / 1000));
const step = await createLoraStep({ model, adapter, threads, oneCall: false });

const side = (pair, other) => ({
  tokens: Int32Array.from({ length: prompt + answer }, (_, t) => (t * 31 + pair * 97 + (t < prompt ? 0 : 7 + other * 101)) % config.vocabulary),
  supervised: Uint8Array.from({ length: prompt + answer }, (_, t) => Number(t >= prompt)),
});
const rows = Array.from({ length: pairs }, (_, pair) => ({ ...side(pair, 0), rejected: side(pair, 1), source: { file: 'made', line: pair } }));
const batches = Object.fromEntries([true, false].map((sharesPairs) => [sharesPairs, packRows(rows, { packing: true, microBatchSize: null, maxTokens: Number.POSITIVE_INFINITY, padToken: 0, sharesPairs })]));

/** User seconds of one pass, and its gradients. The loss is a function of log-probabilities, as that of preferences is. */
async function once(sharesPairs) {
  step.clearGradients();
  const { user: before } = process.cpuUsage();
  await step.accumulate(batches[sharesPairs], (logp) => logp.map((_, i) => (i % 2 ? 0.01 : -0.01)), batches[sharesPairs].map(() => 0));
  const { user } = process.cpuUsage();
  return { seconds: (user - before) / 1e6, gradients: step.parameters.map(({ gradient }) => gradient.slice()) };
}
const median = (all) => [...all].sort((a, b) => a - b)[all.length >> 1];
const [shared, apart] = [await once(true), await once(false)];
const ratios = [];
for (let round = 0; round < rounds; round++) {
  const [first, second] = [await once(round % 2 === 0), await once(round % 2 !== 0)];
  ratios.push(round % 2 === 0 ? first.seconds / second.seconds : second.seconds / first.seconds);
}
const tokensOf = (sharesPairs) => batches[sharesPairs].reduce((sum, { tokens }) => sum + tokens.length, 0);
console.log(JSON.stringify({ prompt, answer, pairs, tokens: { shared: tokensOf(true), apart: tokensOf(false) }, ofTokens: tokensOf(true) / tokensOf(false), ofTime: median(ratios), ratios, gradientsApart: relative(shared.gradients, apart.gradients) }));
await step.close();
model.close();
