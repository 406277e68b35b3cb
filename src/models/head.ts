/** The head of a model as a graph: log-probabilities of the targets, and their gradients. Pure. Symbols as in block.ts. */
import { gradients } from '../graph/gradient/gradient.ts';
import {
  add,
  dither,
  exp,
  type Graph,
  input,
  int8Matmul,
  logProbability,
  matmul,
  mul,
  quantizeRows,
  rmsNorm,
  rowScale,
  scalar,
  softmax,
  zeroAt,
} from '../graph/graph.ts';
import type { ModelConfig } from './config.ts';
import { summed } from './differentiate.ts';
import { hadamardRows } from './hadamard-rows.ts';

/**
 * Final hidden rows x [R, D] and target [R, 1] -> log-probability `logp` [R, 1], or just the `logits` [R, V]. With `gradient`, also d.x for the seed d.logp, and for
 * 'all' d.output_norm and d.output too.
 */
export function head(config: ModelConfig, gradient: 'logits' | 'none' | 'input' | 'all', accumulates = false): Graph {
  const { modelWidth, normEpsilon, vocabulary } = config;
  const x = input('x', ['R', modelWidth]);
  const target = input('target', ['R', 1], 'int64');
  const norm = input('output_norm', [modelWidth]);
  const output = input('output', [vocabulary, modelWidth]);
  const logits = matmul(rmsNorm(x, norm, normEpsilon), output, { transposeB: true });
  if (gradient === 'logits') return new Map([['logits', logits]]);
  const logp = logProbability(logits, target);
  if (gradient === 'none') return new Map([['logp', logp]]);
  const wanted = { 'd.x': x, ...(gradient === 'all' ? { 'd.output_norm': norm, 'd.output': output } : {}) };
  const made = gradients([logp], [input('d.logp', ['R', 1])], Object.values(wanted));
  const added = Object.values(wanted).map((n, i) => summed(n, made[i]!, accumulates && n !== x));
  return new Map([['logp', logp], ...Object.keys(wanted).map((name, i) => [name, added[i]!] as const)]);
}

/**
 * The same for a head in int8: `output` [D, vocabulary], Hadamard-transformed, with `output.scale` [vocabulary], and, with `gradient`, `target_rows` [R, D],
 * the targets' rows of the head, and `output.transposed` [vocabulary, D], the same matrix: transposing it in every call took a tenth of the time of a
 * step of few tokens. The gradient is (1 - p) times the target's row, in float32, less the other tokens' rows by their probabilities,
 * quantized without the target's, next to which theirs would be rounded away, and by `thresholds` [vocabulary] (head-thresholds.ts).
 * Levels of a row sum to at most 255 over its largest probability: of the engine's 32-bit sums, 127 times that is too much only where a vocabulary
 * of 66,000 tokens or more has nearly equal probabilities and weights of one sign.
 */
export function int8Head(config: ModelConfig, gradient: 'logits' | 'none' | 'input'): Graph {
  const { modelWidth, normEpsilon, vocabulary } = config;
  const x = input('x', ['R', modelWidth]);
  const target = input('target', ['R', 1], 'int64');
  const output = input('output', [modelWidth, vocabulary], 'int8');
  const outputScale = input('output.scale', [vocabulary]);
  const h = rmsNorm(x, input('output_norm', [modelWidth]), normEpsilon);
  const transformed = hadamardRows(h);
  const logits = int8Matmul(quantizeRows(transformed), { values: output, scale: outputScale });
  if (gradient === 'logits') return new Map([['logits', logits]]);
  const logp = logProbability(logits, target);
  if (gradient === 'none') return new Map([['logp', logp]]);
  const others = mul(zeroAt(softmax(logits), target), outputScale);
  const othersScale = rowScale(others, false);
  const transposedOutput = input('output.transposed', [vocabulary, modelWidth], 'int8');
  const levels = { values: dither(others, othersScale, input('thresholds', [vocabulary])), scale: othersScale };
  const away = int8Matmul(levels, { values: transposedOutput, scale: scalar(1) }, { signed: false }); // [R, D]
  const missing = add(mul(exp(logp), scalar(-1)), scalar(1)); // [R, 1]: 1 - p
  const towards = mul(input('target_rows', ['R', modelWidth]), missing);
  const dh = mul(add(towards, mul(away, scalar(-1))), input('d.logp', ['R', 1]));
  return new Map([
    ['logp', logp],
    ['d.x', gradients([transformed], [dh], [x])[0]!],
  ]);
}
