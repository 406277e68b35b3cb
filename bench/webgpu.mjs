/**
 * Training on a graphics card through WebGPU: three steps of a tiny model and of SmolLM2 beside the processor, losses and gradients; tokens/s of SmolLM2 (4 x 256, every token supervised)
 * and of a 1.1B shape with random weights (2 x 512), beside PEFT in bfloat16 on the same card where PYTHON's torch sees one. OUT.json is written anew after each part.
 * Usage: node bench/webgpu.mjs SMOLLM2.gguf OUT.json [--peft PYTHON] [--steps 3] [--work 4x256] [--large 2x512] [--layers N]    (after npm run build; --large none leaves the shape out;
 * --layers: another depth of it; bench/webgpu.sh ends it after five minutes)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packRows } from '../dist/batches/pack.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { readModelConfig } from '../dist/models/config.js';
import { findAdapter } from '../dist/runtime/onnxruntime-node/webgpu-adapter.js';
import { createLoraStep } from '../dist/train/open-step.js';
import { initAdamW, updateAdamW } from '../dist/train/optimizer.js';
import { freshAdapter } from './fresh-adapter.mjs';
import { randomRows } from './random-rows.mjs';
import { relative } from './relative.mjs';

const option = (value) => ({ type: 'string', default: value });
const { positionals, values } = parseArgs({ allowPositionals: true, options: { peft: { type: 'string' }, steps: option('3'), work: option('4x256'), large: option('2x512'), layers: { type: 'string' } } });
const [smol, out] = positionals;
if (!out) throw new Error('give SMOLLM2.gguf OUT.json');
const here = import.meta.dirname;
const tiny = join(here, '../test/fixtures/reference/llama/base.gguf');
const steps = Number(values.steps);
const rank = 16;
const threads = cpus().length;

const found = { node: process.version, processor: cpus()[0].model, cores: threads, card: null, adapter: null, beside: [], large: null, peft: [] };
const keep = () => writeFileSync(out, `${JSON.stringify(found, null, 2)}\n`);

/** Steps with AdamW from one and the same adapter: their losses, seconds, and the first one's gradients. */
async function train(path, work, device) {
  const model = openGguf(path);
  const config = readModelConfig(model);
  const adapter = freshAdapter(config, rank);
  // B as it is after some steps: with zeros half of the gradients are none.
  for (const { b } of adapter.pairs) b.set(b.map((_, i) => Math.sin(i) / 1000));
  const batches = packRows(randomRows(config, work), { packing: true, microBatchSize: null, maxTokens: 1024, padToken: 0 });
  const tokens = batches.reduce((sum, { realTokens }) => sum + realTokens, 0);
  const scale = 1 / batches.reduce((sum, { supervisedTokens }) => sum + supervisedTokens, 0);
  const step = await createLoraStep({ model, adapter, threads, device });
  const moments = initAdamW(step.parameters);
  const [losses, seconds] = [[], []];
  let gradients = null;
  for (let i = 0; i < steps; i++) {
    const began = performance.now();
    step.clearGradients();
    const { lossSum } = await step.accumulate(batches, scale, batches.map((_, b) => b));
    gradients ??= step.parameters.map(({ gradient }) => gradient.slice());
    updateAdamW(step.parameters, moments, 1e-3, { weightDecay: 0 });
    losses.push(lossSum * scale);
    seconds.push((performance.now() - began) / 1000);
  }
  await step.close();
  model.close();
  // The first step warms up: shaders are compiled.
  return { losses, seconds, tokensPerSecond: tokens / Math.min(...seconds.slice(1)), gradients };
}

async function beside(name, path, work) {
  const { gradients: exact, ...processor } = await train(path, work, 'cpu');
  const { gradients, ...card } = await train(path, work, 'webgpu');
  const worstLoss = Math.max(...card.losses.map((loss, i) => Math.abs(loss / processor.losses[i] - 1)));
  const worstGradient = Math.max(...gradients.map((gradient, i) => relative([gradient], [exact[i]])));
  found.beside.push({ name, work, worstLoss, worstGradient, processor, card });
  keep();
  console.log(`${name}, ${work}: losses within ${worstLoss.toExponential(1)}, gradients within ${worstGradient.toExponential(1)}; tokens/s ${card.tokensPerSecond.toFixed(0)} on the card, ${processor.tokensPerSecond.toFixed(0)} on the processor`);
}

async function large() {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-webgpu-'));
  try {
    const path = join(folder, 'large.gguf');
    execFileSync(process.execPath, [join(here, 'synthetic-model.mjs'), 'tinyllama-1.1b', path, ...(values.layers ? ['--layers', values.layers] : [])], { stdio: 'ignore' });
    const { gradients: _, ...card } = await train(path, values.large, 'webgpu');
    found.large = { shape: 'tinyllama-1.1b', layers: values.layers ?? 'all', work: values.large, ...card };
    console.log(`TinyLlama's shape, ${values.large}: ${card.tokensPerSecond.toFixed(0)} tokens/s on the card`);
  } catch (error) {
    found.large = { fault: String(error.message).split('\n')[0] };
    console.log(`TinyLlama's shape: ${found.large.fault}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  keep();
}

/** PEFT's steps on the same card, or why there are none. */
function peft(shape, work) {
  const args = [join(here, 'peft/train.py'), '--shape', shape, '--random', work, '--rank', String(rank), '--steps', String(steps + 2), '--dtype', 'bfloat16', '--device', 'cuda'];
  const { status, stdout, stderr } = spawnSync(values.peft, args, { encoding: 'utf8', maxBuffer: 64 << 20 });
  const told = status === 0 ? JSON.parse(stdout.trim().split('\n').at(-1)) : { fault: stderr.trim().split('\n').at(-1) };
  found.peft.push({ shape, work, ...told });
  keep();
  console.log(`PEFT, ${shape}, ${work}: ${told.fault ?? `${told.medianStepTokensPerSecond.toFixed(0)} tokens/s on the card`}`);
}

const card = spawnSync('nvidia-smi', ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'], { encoding: 'utf8' });
found.card = card.status === 0 ? card.stdout.trim() : null;
found.adapter = findAdapter();
keep();
if (!found.adapter.found) {
  console.log(`webgpu: skipped, since there is no adapter: ${found.adapter.reason}`);
  process.exit(0);
}
await beside('tiny llama', tiny, '4x64');
await beside('SmolLM2', smol, values.work);
if (values.large !== 'none') await large();
if (values.peft) {
  peft('smollm2-135m', values.work);
  if (values.large !== 'none') peft('tinyllama-1.1b', values.large);
}
process.exit(0);
