import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { projections } from '../lora/adapter.ts';
import { readModelConfig } from '../models/config.ts';
import { openStages } from '../train/stages.ts';
import { assumedRates, durationOf, stepSeconds } from './costs.ts';
import { memoryOf, savedPerToken, weightBytes } from './memory.ts';
import { moneyOf } from './prices.ts';
import { type Candidate, lacks, recommend } from './recommend.ts';
import { projectionWeightsPerBlock, type Rates, type Setting, type Shape, type Work } from './work-shape.ts';

/** SmolLM2-135M. */
const smol: Shape = {
  layers: 30,
  modelWidth: 576,
  heads: 9,
  kvHeads: 3,
  headDim: 64,
  feedForward: 1536,
  vocabulary: 49152,
  tiedHead: true,
  qkNorms: false,
};
const setting: Setting = {
  method: 'lora',
  precision: 'f32',
  activations: 'keep',
  kernels: false,
  streamed: false,
  keepEpochs: 0,
  trained: 2_442_240,
  parameters: 134_515_008,
  fileBytes: 98e6,
  measuredBlocks: 2,
  copyBytes: 538e6,
  copyIsThere: true,
};
const rates: Rates = {
  tokens: 1000,
  headRows: 100,
  start: 0.01,
  firstBlock: 0.1,
  furtherBlock: 0.2,
  head: 0.5,
  forwardBlock: 0.05,
  forwardHead: 0.1,
  optimizerBlock: 0.001,
  open: 0.3,
  readBlock: 0.02,
  quantizeBlock: 0.04,
  diskRate: 1e9,
  grownBytes: 300e6,
};
const work: Work = {
  steps: 10,
  microBatchesPerStep: 2,
  tokensPerStep: 1500,
  realTokensPerStep: 1400,
  supervisedPerStep: 150,
  largestMicroBatch: 1000,
  validations: 3,
  validationTokens: 500,
  validationSupervised: 50,
  referenceTokens: 0,
  referenceSupervised: 0,
  proofTokens: 1000,
  verdictShare: 0.1,
  safetyShare: 0,
};

test('weights of a block, and what they take', () => {
  expect(projectionWeightsPerBlock(smol)).toBe(884_736 + 2_654_208);
  expect(weightBytes(smol, setting)).toBe(134_515_008 * 4);
  expect(weightBytes(smol, { ...setting, precision: 'int8' })).toBe(30 * 3_538_944 + 2 * 49152 * 576);
});

test.each(['llama', 'qwen2', 'qwen3'])(
  '%s: a token leaves in a block what the graphs keep for backward',
  async (name) => {
    const model = openGguf(join(import.meta.dirname, '../../test/fixtures/reference', name, 'base.gguf'));
    const config = readModelConfig(model);
    const qkNorms = model.tensors.has('blk.0.attn_q_norm.weight');
    const biases = model.tensors.has('blk.0.attn_q.bias');
    const options = { trainable: 'adapter', precision: 'f32', targets: projections, rank: 2, dropout: false } as const;
    const stages = await openStages(config, { ...options, biases, qkNorms }, { threads: 1 });
    const { feedForward, headDim, heads, kvHeads, modelWidth } = config;
    const widths: Record<string, number> = {
      mid: modelWidth,
      gate: feedForward,
      up: feedForward,
      attn_q_raw: heads * headDim,
      attn_k_raw: kvHeads * headDim,
    };
    const saved = [...stages.preForward.outputs, ...stages.postForward.outputs].filter((out) =>
      out.startsWith('saved.'),
    );
    const kept = saved.reduce((sum, out) => sum + widths[out.slice('saved.'.length)]!, 0);
    // Beside them: the input, q, k, v, attention's output and its probabilities in tiles of 64 rows.
    const own = modelWidth + headDim * (2 * heads + 2 * kvHeads) + 64 * heads;
    const saves = (activations: Setting['activations'], kernels = false): number =>
      savedPerToken({ ...config, qkNorms }, { activations, kernels, method: 'lora' });
    expect(saves('keep')).toBe(own + kept);
    expect(saves('recompute')).toBe(modelWidth);
    // Our kernels keep one sum of each row instead.
    expect(saves('keep', true)).toBe(own + kept - 63 * heads);
    const half = saves('float16');
    expect(half).toBe(2 * modelWidth + (own + kept - 2 * modelWidth) / 2);
    await stages.close();
    model.close();
  },
);

test('memory: what is saved grows with tokens and blocks, what was measured is scaled', () => {
  const at = (tokens: number, of: Partial<Setting> = {}): ReturnType<typeof memoryOf> =>
    memoryOf({
      shape: smol,
      setting: { ...setting, ...of },
      rates: rates,
      tokens: { microBatch: tokens, step: 1500, validation: 0 },
      held: 100e6,
    });
  const whole = at(1000);
  expect(whole.saved).toBe(1000 * (6336 * 30 + 576) * 4);
  // The measured growth less the activations that its two blocks saved.
  expect(whole.working).toBeCloseTo(300e6 - 2 * 6336 * 4 * 1000, 0);
  expect(at(500).saved).toBe(whole.saved / 2);
  expect(at(500).working).toBe(whole.working / 2);
  expect(at(1000, { activations: 'recompute' }).saved).toBeLessThan(whole.saved / 9);
  // The block at work has its activations beside what is held of the others.
  for (const activations of ['float16', 'recompute'] as const)
    expect(at(1000, { activations }).working - whole.working).toBeCloseTo(6336 * 4 * 1000, 0);
  expect(at(1000, { precision: 'int8' }).training).toBeLessThan(whole.training - 350e6);
  const left = whole.fixed + whole.weights + whole.saved + whole.trained;
  expect(whole.training).toBe(left + whole.working);
  // What training held is given back before the copy of the base is mapped.
  expect(whole.proof).toBe(left);
  expect(whole.peak).toBe(whole.training);
  expect(at(10, { copyBytes: 2e9 }).proof).toBe(whole.fixed + 2e9);
  expect(at(10, { copyBytes: 2e9 }).peak).toBe(whole.fixed + 2e9);
  expect(at(10, { copyBytes: 2e9, method: 'full' }).proof).toBe(whole.fixed + 2e9 + setting.trained * 20);
  expect(
    memoryOf({
      shape: smol,
      setting: setting,
      rates: null,
      tokens: { microBatch: 1000, step: 1500, validation: 0 },
      held: 0,
    }).working,
  ).toBeGreaterThan(50e6);
});

test('streamed blocks: two in memory, and the hidden states of all micro-batches of a step', () => {
  const int8 = { ...setting, precision: 'int8', activations: 'recompute' } as const;
  const at = (of: Partial<Setting>) =>
    memoryOf({
      shape: smol,
      setting: { ...int8, ...of },
      rates: rates,
      tokens: { microBatch: 1000, step: 1500, validation: 0 },
      held: 0,
    });
  expect(at({ streamed: true }).weights).toBe(2 * 3_538_944 + 2 * 49152 * 576);
  expect(at({ streamed: true }).saved).toBe(at({}).saved * 1.5);
});

test('streamed blocks: a step and an evaluation take no less time than reading them', () => {
  const int8 = { ...setting, precision: 'int8', activations: 'recompute' } as const;
  const block = 3_538_944;
  const of = (streamed: boolean, diskRate: number) =>
    durationOf({ shape: smol, setting: { ...int8, streamed }, rates: { ...rates, diskRate }, work, preparation: 0 });
  expect(of(true, 1e12).step).toBe(of(false, 1e12).step);
  const slow = of(true, 1e6);
  expect(slow.step).toBeCloseTo((59 * block) / 1e6, 6);
  expect(slow.validation).toBeCloseTo((3 * 30 * block) / 1e6, 6);
});

test('streamed blocks: held-out rows wait between two of them, up to a bound', () => {
  const int8 = { ...setting, precision: 'int8', activations: 'recompute', streamed: true } as const;
  const saved = (validation: number) =>
    memoryOf({ shape: smol, setting: int8, rates: rates, tokens: { microBatch: 10, step: 10, validation }, held: 0 })
      .saved;
  expect(saved(0)).toBe(10 * 576 * 4 * 31);
  expect(saved(20_000) - saved(0)).toBe(20_000 * 2 * 576 * 4);
  expect(saved(1e6) - saved(0)).toBe(256e6);
});

test('activations as float16 cost their conversions', () => {
  const more = stepSeconds(smol, rates, work, { ...setting, activations: 'float16' }) - stepSeconds(smol, rates, work);
  expect(more).toBeCloseTo(1500 * 30 * (6336 - 1152) * 2 * 0.2e-9, 9);
});

test('recomputed activations cost one more forward pass', () => {
  const more =
    stepSeconds(smol, rates, work, { ...setting, activations: 'recompute' }) - stepSeconds(smol, rates, work);
  expect(more).toBeCloseTo(1.5 * 30 * 0.05, 9);
});

test('a step is its blocks, its head, its micro-batches and its optimizer', () => {
  expect(stepSeconds(smol, rates, work)).toBeCloseTo(2 * 0.01 + 1.5 * (0.1 + 29 * 0.2) + 1.5 * 0.5 + 30 * 0.001, 9);
});

test('the whole run', () => {
  const d = durationOf({ shape: smol, setting: setting, rates: rates, work, preparation: 5 });
  expect(d.training).toBeCloseTo(10 * d.step, 9);
  // 500 tokens through 30 blocks at 0.05 s a thousand, 50 rows of the head at 0.1 s a hundred, three times.
  expect(d.validation).toBeCloseTo(3 * (0.5 * 30 * 0.05 + 0.05), 9);
  expect(d.firstStep).toBeCloseTo(5 + d.loading + d.step, 9);
  expect(d.total).toBeCloseTo(5 + d.loading + d.training + d.validation + d.proof + d.samples + d.verdict, 9);
  expect(d.tokensPerSecond).toBeCloseTo(1400 / d.step, 9);
  const int8 = durationOf({
    shape: smol,
    setting: { ...setting, precision: 'int8' },
    rates: rates,
    work,
    preparation: 5,
  });
  expect(int8.loading).toBeGreaterThan(d.loading + 30 * (0.04 + 4 * 0.32 * 0.05));
  expect(
    durationOf({ shape: smol, setting: { ...setting, copyIsThere: false }, rates: rates, work, preparation: 5 }).proof,
  ).toBeGreaterThan(d.proof + 0.538);
});

test('assumed rates grow with the work and fall with what the machine does', () => {
  const of = (speed: number, tokens: number, method: 'lora' | 'full' = 'lora') =>
    assumedRates(smol, { tokens, headRows: 10 }, 20e9 * speed, method);
  expect(of(2, 100).furtherBlock).toBeLessThan(of(1, 100).furtherBlock);
  expect(of(1, 200).furtherBlock).toBeGreaterThan(1.5 * of(1, 100).furtherBlock);
  // Where every weight is trained, backward multiplies twice as much, and each has its update.
  const [lora, full] = [of(1, 100), of(1, 100, 'full')];
  const calls = 8 * 60e-6;
  expect((full.furtherBlock - calls) / (lora.furtherBlock - calls)).toBeCloseTo(1.5, 6);
  expect(full.head / lora.head).toBeCloseTo(1.5, 6);
  expect([lora.optimizerBlock, full.optimizerBlock * 30]).toEqual([
    0,
    expect.closeTo((106_168_320 + 28_311_552) * 2e-9, 6),
  ]);
});

test('energy and money', () => {
  const money = moneyOf(7200, { watts: 50, perKilowattHour: 0.4, perHour: 3 });
  expect(money.kilowattHours).toBeCloseTo(0.1, 9);
  expect(money.energyCost).toBeCloseTo(0.04, 9);
  expect(money.rentedCost).toBeCloseTo(6, 9);
});

test('what a run lacks, and which one to take', () => {
  const room = { memoryBytes: 8e9, diskBytes: 1e9 };
  const candidate = (name: string, neededMemoryBytes: number, seconds: number, diskBytes = 1e8): Candidate => ({
    name,
    neededMemoryBytes,
    seconds,
    diskBytes,
  });
  expect(lacks(candidate('a', 9e9, 1), room)).toBeNull(); // within the tolerance
  expect(lacks(candidate('a', 10e9, 1), room)).toBe('memory');
  expect(lacks(candidate('a', 1e9, 1, 2e9), room)).toBe('disk');
  expect(lacks(candidate('a', 1e12, 1, 1e12), { memoryBytes: null, diskBytes: null })).toBeNull();
  const asked = candidate('asked', 1e9, 100);
  expect(recommend([asked, candidate('faster', 1e9, 50)], room)).toBe('asked');
  expect(recommend([candidate('asked', 20e9, 100), candidate('leaner', 5e9, 200)], room)).toBe('leaner');
  expect(recommend([candidate('asked', 1e9, 1e6), candidate('faster', 1e9, 1e4)], room)).toBe('faster');
  expect(recommend([candidate('asked', 1e9, 1e6), candidate('faster', 1e9, 1e5)], room)).toBe('asked');
  expect(recommend([candidate('asked', 20e9, 1)], room)).toBeNull();
});

test('the pass for the reference of preferences comes before the first step', () => {
  const of = (more: Partial<Work>) =>
    durationOf({ shape: smol, setting, rates, work: { ...work, ...more }, preparation: 1 });
  const [without, withPass] = [of({}), of({ referenceTokens: 4000, referenceSupervised: 200 })];
  // 30 blocks of 0.05 s a thousand tokens, and the head for 200.
  expect(withPass.firstStep - without.firstStep).toBeCloseTo(4 * 30 * 0.05 + 0.2, 6);
  expect(withPass.total).toBeGreaterThan(without.total + 6);
});

test('the safety check is in the whole, by the size of the model and within what it may take', () => {
  const of = (safetyShare: number, parameters = setting.parameters) =>
    durationOf({
      ...{ shape: smol, rates, preparation: 1, work: { ...work, safetyShare } },
      setting: { ...setting, parameters },
    });
  expect(of(0).safety).toBe(0);
  expect(of(0.05).safety).toBeCloseTo(17.5, 1);
  expect(of(0.05).total - of(0).total).toBeCloseTo(17.5, 1);
  expect(of(0.05, 3e6).safety).toBeLessThan(2);
  expect(of(0.05, 7e9).safety).toBeLessThanOrEqual(25);
});
