/** Log-probabilities of the targets, and minus their gradient. */
import type { Emission, Emitters } from './emission.ts';

const logProbabilities = (at: Emission, logits: string): string =>
  at.emit('LogSoftmax', [logits], { axis: { int: -1 } });

/** The node's value: x [R, V] with values [R, 1] added at the columns `index` [R, 1]; in place where nothing else reads x. */
export const addAt = (at: Emission, x: string, index: string, values: string): void =>
  at.result('ScatterElements', [x, index, values], { axis: { int: 1 }, reduction: { string: 'add' } });

export const loss = {
  // The two share the logarithms: the engine computes once what is written twice.
  'log-probability': (at, [logits, target]) =>
    at.result('GatherElements', [logProbabilities(at, logits), target], { axis: { int: 1 } }),
  'log-probability-grad': (at, [logits, target]) => {
    const p = at.emit('Exp', [logProbabilities(at, logits)]);
    addAt(at, p, target, at.emit('Expand', [at.float(-1), at.emit('Shape', [target])]));
  },
} satisfies Partial<Emitters>;
