/** Gradients of the preference losses against differences of the losses; TRL's numbers are held by src/train/preferences.test.ts. */
import { describe, expect, test } from 'vitest';
import { labelledLoss } from './labelled-loss.ts';
import { type AnswerScore, lossTypes, type PairLossOptions, pairLoss } from './pair-losses.ts';
import { PreferenceTally } from './preference-tally.ts';

const chosen: AnswerScore = { logProbability: -9.5, reference: -11, tokens: 7 };
const rejected: AnswerScore = { logProbability: -24, reference: -22.5, tokens: 11 };
const usual: PairLossOptions = { method: 'dpo', lossType: 'sigmoid', beta: 0.7, labelSmoothing: 0.2, gamma: 0.9 };
const kinds: readonly PairLossOptions[] = [
  ...lossTypes.map((lossType) => ({ ...usual, lossType })),
  { ...usual, method: 'orpo' },
  { ...usual, method: 'simpo' },
];
const step = 1e-5;
const moved = (answer: AnswerScore, by: number): AnswerScore => ({
  ...answer,
  logProbability: answer.logProbability + by,
});

describe.each(kinds)('$method $lossType', (options) => {
  test('gradients are the slopes of the loss, and prefer the chosen answer', () => {
    const found = pairLoss(chosen, rejected, options);
    const slope = (by: (d: number) => number): number => (by(step) - by(-step)) / (2 * step);
    expect(found.chosen).toBeCloseTo(
      slope((d) => pairLoss(moved(chosen, d), rejected, options).loss),
      6,
    );
    expect(found.rejected).toBeCloseTo(
      slope((d) => pairLoss(chosen, moved(rejected, d), options).loss),
      6,
    );
    expect(found.chosen).toBeLessThan(0);
    expect(found.rejected).toBeGreaterThan(0);
    expect(found.rewards.chosen).toBeGreaterThan(found.rewards.rejected);
  });

  test('stays finite where answers are certain or impossible', () => {
    for (const [won, lost] of [
      [0, -5000],
      [-5000, 0],
      [0, 0],
    ] as const) {
      const { loss, ...gradients } = pairLoss(
        { ...chosen, logProbability: won },
        { ...rejected, logProbability: lost },
        options,
      );
      expect([loss, gradients.chosen, gradients.rejected].every(Number.isFinite)).toBe(true);
    }
  });
});

test('before training a model is its reference: the loss is ln 2, and no reward differs', () => {
  const same = (answer: AnswerScore): AnswerScore => ({ ...answer, reference: answer.logProbability });
  const found = pairLoss(same(chosen), same(rejected), usual);
  expect(found.loss).toBeCloseTo(Math.LN2, 12);
  expect(found.rewards).toEqual({ chosen: 0, rejected: 0 });
  expect(found.chosen).toBeCloseTo(-usual.beta / 2, 12);
});

test('labels: good answers become likelier, bad ones less, by their weights', () => {
  const options = { beta: 0.3, desirableWeight: 2, undesirableWeight: 5 };
  for (const good of [true, false]) {
    const { gradient, loss } = labelledLoss(chosen, good, 0.4, options);
    const at = (by: number): number => labelledLoss(moved(chosen, by), good, 0.4, options).loss;
    expect(gradient).toBeCloseTo((at(step) - at(-step)) / (2 * step), 6);
    expect(Math.sign(gradient)).toBe(good ? -1 : 1);
    expect(loss).toBeLessThan(good ? 2 : 5);
  }
});

test('figures are means, and a tie is half a right pair: a coin would get as much', () => {
  const tally = new PreferenceTally();
  const seen = (reward: number) => ({ reward, logProbability: -6, tokens: 3 });
  tally.pair(seen(2), seen(1));
  tally.pair(seen(1), seen(1));
  expect(tally.figures).toEqual({
    count: 2,
    chosenReward: 1.5,
    rejectedReward: 1,
    margin: 0.5,
    accuracy: 0.75,
    chosenLogProbability: -2,
    rejectedLogProbability: -2,
  });
  expect(new PreferenceTally().figures.accuracy).toBeNull();
});
