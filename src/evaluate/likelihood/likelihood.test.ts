import { expect, test } from 'vitest';
import { testSetOf } from '../test-set.ts';
import { calibrationOf, softmax } from './calibration.ts';
import { candidatesOf, labelChoices, rowOf } from './label-choices.ts';
import { lossReport, lossText, modelLoss } from './loss.ts';

test('calibration is that of numpy: expected error over ten bins, Brier over all candidates', () => {
  const probabilities = [
    [0.7, 0.2, 0.1],
    [0.05, 0.9, 0.05],
    [0.4, 0.35, 0.25],
    [0.1, 0.1, 0.8],
    [0.34, 0.33, 0.33],
    [0.95, 0.03, 0.02],
  ];
  const found = calibrationOf(probabilities.map((each, i) => ({ probabilities: each, right: [0, 1, 1, 2, 2, 0][i]! })));
  expect(found.ece).toBeCloseTo(0.2316666666666667, 12);
  expect(found.brier).toBeCloseTo(0.2562, 12);
  expect(found.bins).toHaveLength(10);
  expect(
    found.bins.filter(({ count }) => count > 0).map(({ accuracy, count, from }) => [from, count, accuracy]),
  ).toEqual([
    [0.3, 2, 0],
    [0.6, 1, 1],
    [0.7, 1, 1],
    [0.8, 1, 1],
    [0.9, 1, 1],
  ]);
  // A certain one belongs to the last bin, and nothing is known of nothing.
  expect(calibrationOf([{ probabilities: [1, 0], right: 0 }]).bins.at(-1)).toMatchObject({
    count: 1,
    confidence: 1,
    accuracy: 1,
  });
  expect(calibrationOf([])).toMatchObject({ ece: 0, brier: 0 });
  const shares = softmax([-1000, -1001]);
  expect(shares[0]).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
});

test('the likeliest label is chosen, by its sum and by its characters', () => {
  const ask = { messages: [{ role: 'user', content: 'x' }] };
  const questions = ['no', 'certainly', 'no', 'certainly'].map((expected) => ({ ask, expected }));
  expect(candidatesOf(questions)).toEqual(['no', 'certainly']);
  expect(rowOf(questions[0]!, 'no')).toEqual({ messages: ask.messages, answer: 'no' });
  expect(rowOf({ ask: { prompt: 'p' }, expected: '' }, 'no')).toEqual({ prompt: 'p', answer: 'no' });
  const { calibration, chosen, scores } = labelChoices(
    questions,
    ['no', 'certainly'],
    [
      [-1, -9],
      [-4, -9],
      [-4, -9],
      [-9, -1],
    ],
  );
  expect(chosen).toEqual(['no', 'no', 'no', 'certainly']);
  expect(scores).toEqual({ 'label-likelihood': [1, 0, 1, 1], 'label-likelihood-norm': [1, 1, 0, 1] });
  expect(calibration.bins.at(-1)!.accuracy).toBe(0.75);
});

test('lower losses are better, and are compared pair by pair', () => {
  const questions = Array.from({ length: 40 }, (_, i) => ({ ask: { prompt: `${i}` }, expected: 'abcd' }));
  const losses = (name: string, add: number) => ({
    name,
    losses: questions.map((_, i) => ({ nats: 2 * (1 + i / 10 + add + (i % 3) / 100), tokens: 2, bytes: 4 })),
  });
  const [low, high, same] = [losses('low', 0), losses('high', 0.3), losses('same', 0)];
  const report = lossReport([low, high, same], testSetOf(questions))!;
  expect(report.comparisons.map(({ verdict }) => verdict)).toEqual(['better', 'no-difference-shown']);
  expect(report.comparisons[0]!.difference).toBeCloseTo(-0.3, 12);
  expect(lossText(report.comparisons[0]!)).toMatch(/low is better than high .*0\.300 nats per token less.*p < 0\.001/);
  expect(lossReport([high, low], testSetOf(questions))!.comparisons[0]!.verdict).toBe('worse');
  expect(lossText(lossReport([high, low], testSetOf(questions))!.comparisons[0]!)).toMatch(
    /high is worse than low .*nats per token more/,
  );
  const few = [low, high].map((each) => ({ ...each, losses: each.losses.slice(0, 5) }));
  expect(lossReport(few, testSetOf(questions.slice(0, 5)))!.comparisons[0]!.verdict).toBe('too-few-examples');
  expect(lossReport([{ name: 'x' }], testSetOf(questions))).toBeNull();
  // Of unequal answers every token counts once, and so does every byte.
  const { bitsPerByte, loss, perplexity } = modelLoss('x', [
    { nats: 3, tokens: 3, bytes: 5 },
    { nats: 1, tokens: 1, bytes: 3 },
    { nats: 8, tokens: 2, bytes: 8 },
  ]);
  expect([loss, perplexity, bitsPerByte]).toEqual([2, Math.exp(2), 12 / Math.LN2 / 16]);
});
