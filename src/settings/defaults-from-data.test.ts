import { expect, test } from 'vitest';
import {
  chooseBatchSize,
  chooseDefaults,
  chooseEpochs,
  chooseLearningRate,
  chooseRank,
  chooseSequenceLength,
  explainDefaults,
  type ModelFacts,
  type RequestedDefaults,
} from './defaults-from-data.ts';

const nothing: RequestedDefaults = {
  sequenceLength: null,
  batchSize: null,
  epochs: null,
  rank: null,
  learningRate: null,
};
/** SmolLM2-135M, all seven projections. */
const smol: ModelFacts = {
  modelWidth: 576,
  contextLength: 8192,
  weights: 134_515_008,
  weightsPerRank: 305_280,
  architecture: 'llama',
  method: 'lora',
};
const data = { rows: 1600, supervisedTokens: 7581 };

test('the sequence length holds 99.5% of the rows in steps of 64, within context and bound', () => {
  const rows = (count: number, length: number): number[] => Array.from({ length: count }, () => length);
  expect(chooseSequenceLength(rows(100, 50), 8192)).toBe(64);
  expect(chooseSequenceLength(rows(100, 65), 8192)).toBe(128);
  // 1 of 300 is an outlier; 2 of 300 are more than half a percent.
  expect(chooseSequenceLength([...rows(299, 60), 700], 8192)).toBe(64);
  expect(chooseSequenceLength([...rows(298, 60), 700, 700], 8192)).toBe(704);
  // Up to twice the length, an outlier is held: it costs next to nothing.
  expect(chooseSequenceLength([...rows(299, 60), 120], 8192)).toBe(128);
  expect(chooseSequenceLength(rows(10, 5000), 8192)).toBe(2048);
  expect(chooseSequenceLength(rows(10, 5000), 1024)).toBe(1024);
});

test('the batch is halved until a pass has 25 updates', () => {
  expect([10, 100, 199, 280, 400, 1600, 1e6].map(chooseBatchSize)).toEqual([4, 4, 8, 8, 16, 16, 16]);
});

test('passes fall with the number of updates in one, and a toy gets more', () => {
  expect([100, 1600, 2400, 3200, 4800, 1e6].map((rows) => chooseEpochs(rows, 16, 135e6))).toEqual([3, 3, 2, 2, 1, 1]);
  expect(chooseEpochs(245, 8, 3e6)).toBe(6);
  expect(chooseEpochs(20_000, 16, 3e6)).toBe(1);
});

test('the rank grows with the supervised tokens', () => {
  expect([7581, 2_442_240, 2_442_241, 5e6, 1e9].map((n) => chooseRank(n, 305_280))).toEqual([8, 8, 16, 32, 64]);
});

test('the learning rate falls with the width, and full fine-tuning takes a tenth', () => {
  expect(chooseLearningRate(smol)).toBe(0.0025);
  expect(chooseLearningRate({ ...smol, modelWidth: 1999 })).toBe(0.0005);
  expect(chooseLearningRate({ ...smol, modelWidth: 2048 })).toBe(0.00049);
  expect(chooseLearningRate({ ...smol, modelWidth: 4096 })).toBe(0.00029);
  expect(chooseLearningRate({ ...smol, modelWidth: 64 })).toBe(0.005);
  expect(chooseLearningRate({ ...smol, modelWidth: 1024, architecture: 'qwen3' })).toBe(0.00053);
  expect(chooseLearningRate({ ...smol, method: 'full' })).toBe(0.00013);
});

test('preferences are learnt in one pass, DPO at a tenth of the rate, others at a fortieth', () => {
  const preferences: ModelFacts = { ...smol, method: 'preferences' };
  expect(chooseLearningRate(preferences)).toBe(0.000063);
  expect(chooseLearningRate({ ...smol, method: 'dpo' })).toBe(0.00025);
  for (const method of ['dpo', 'preferences'] as const) {
    const { epochs, rank } = chooseDefaults(nothing, 128, data, { ...smol, method });
    expect([epochs, rank]).toEqual([1, 8]);
  }
  expect(
    explainDefaults(nothing, chooseDefaults(nothing, 128, data, preferences), { ...data, longest: 96 }, preferences),
  ).toContain('rank 8');
});

test('what was given stays, and the rest is built upon it', () => {
  expect(chooseDefaults(nothing, 128, data, smol)).toEqual({
    sequenceLength: 128,
    batchSize: 16,
    epochs: 3,
    rank: 8,
    learningRate: 0.0025,
  });
  const given = { sequenceLength: 512, batchSize: 1, epochs: 7, rank: 4, learningRate: 0.1 };
  expect(chooseDefaults(given, 512, data, smol)).toEqual(given);
  // One row a step: 1600 updates in a pass are enough.
  expect(chooseDefaults({ ...nothing, batchSize: 1 }, 128, data, smol).epochs).toBe(1);
});

test('the line names what was chosen and nothing else', () => {
  const chosen = chooseDefaults(nothing, 128, data, smol);
  const facts = { ...data, longest: 96 };
  expect(explainDefaults(nothing, chosen, facts, smol)).toBe(
    'Chosen from the data: sequence length 128 (longest row 96), batches of 16, 3 epochs (1,600 rows), rank 8 (7,581 supervised tokens), learning rate 0.0025 (width 576).',
  );
  expect(explainDefaults({ ...nothing, batchSize: 16, epochs: 1 }, chosen, facts, smol)).not.toMatch(/batches|epochs/);
  expect(explainDefaults(chosen, chosen, facts, smol)).toBeNull();
  expect(explainDefaults(nothing, chosen, facts, { ...smol, method: 'full' })).not.toContain('rank');
});
