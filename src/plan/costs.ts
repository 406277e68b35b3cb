/**
 * What a run costs in time, from what it computes and what this machine was measured to do. Pure: numbers in, numbers out. All durations are
 * seconds, all sizes bytes. docs/plan.md holds plans against actual runs.
 */
import { quickBudget } from '../safety/quick-budget.ts';
import { hiddenBytes, maxHiddenBytes } from '../train/forward-pass.ts';
import { savedPerToken } from './memory.ts';
import {
  headWeights,
  projectionWeightsPerBlock,
  type Rates,
  type Setting,
  type Shape,
  type Work,
} from './work-shape.ts';

/**
 * Tokens of training rows on which the int8 base is compared with the float32 one. On four parts of banking77 the divergence was 0.0065 to
 * 0.0081 with 320 tokens and 0.0067 to 0.0088 with 160: it is a mean over 48 positions in either, and far from its bound.
 */
export const comparedTokens = 160;

export interface Duration {
  /** Reading the data and opening the run: already known when a plan is made. */
  readonly preparation: number;
  /** Loading the weights; in int8, quantizing them and comparing the two bases too. */
  readonly loading: number;
  readonly step: number;
  readonly firstStep: number;
  readonly training: number;
  readonly validation: number;
  readonly proof: number;
  readonly samples: number;
  /** Evaluating held-out rows, in its share of the whole at most. */
  readonly verdict: number;
  /** Asking the result and the base what they refuse. */
  readonly safety: number;
  readonly total: number;
  readonly tokensPerSecond: number;
}

/** Seconds to make a float16 of a number, or a number of it: both cores, and mostly the memory's speed (docs/log). */
const castSeconds = 0.2e-9;

/** Seconds that a token's activations take beyond computing them once and keeping them: two conversions, or one more forward pass. */
function againSeconds(
  shape: Shape,
  rates: Rates,
  { activations, kernels }: Pick<Setting, 'activations' | 'kernels'>,
): number {
  if (activations === 'keep') return 0;
  if (activations === 'recompute') return (shape.layers * rates.forwardBlock) / rates.tokens;
  const [kept, half] = (['keep', 'float16'] as const).map((a) =>
    savedPerToken(shape, { activations: a, kernels, method: 'lora' }),
  );
  return shape.layers * 2 * (kept! - half!) * 2 * castSeconds;
}

/** Seconds of one optimizer step. */
export function stepSeconds(
  shape: Shape,
  rates: Rates,
  work: Work,
  held: Pick<Setting, 'activations' | 'kernels'> = { activations: 'keep', kernels: false },
): number {
  const perToken = (rates.firstBlock + (shape.layers - 1) * rates.furtherBlock) / rates.tokens;
  const head = (rates.head / Math.max(1, rates.headRows)) * work.supervisedPerStep;
  return (
    work.microBatchesPerStep * rates.start +
    work.tokensPerStep * (perToken + againSeconds(shape, rates, held)) +
    head +
    shape.layers * rates.optimizerBlock
  );
}

/** Seconds of a pass without gradients. */
function forwardSeconds(shape: Shape, rates: Rates, tokens: number, supervised: number): number {
  const head = (rates.forwardHead / Math.max(1, rates.headRows)) * supervised;
  return (tokens * shape.layers * rates.forwardBlock) / rates.tokens + head;
}

function loadingSeconds(shape: Shape, setting: Setting, rates: Rates): number {
  const blockWeights = projectionWeightsPerBlock(shape);
  const readWeight = rates.readBlock / blockWeights;
  if (setting.precision === 'f32') return rates.open + setting.parameters * readWeight;
  const pass = (comparedTokens * rates.forwardBlock) / rates.tokens;
  // Each block: read, quantized, computed in float32 (about three times what int8 takes) and in int8.
  const blocks = shape.layers * (rates.readBlock + rates.quantizeBlock + 4 * pass);
  // The head is read for its logits and for its values.
  const head = headWeights(shape) * (2 * readWeight + rates.quantizeBlock / blockWeights);
  return 4 * rates.open + blocks + head;
}

/** llama.cpp reads its file for every token that it samples, at about this rate; three questions of at most 80 tokens, twice. */
const samplesOf = { bytesPerSecond: 5e9, tokens: 300, seconds: 1.5 } as const;
/** The result and the base are asked each held-out question. */
const evaluatedModels = 2;
/** The quick safety check by likelihoods, of result and base: all of its requests took SmolLM2 16 s on two cores. */
const safetyOf = { seconds: 1.5, secondsPerWeight: 16 / 134.5e6 } as const;
/** llama.cpp takes a prompt about as fast as we take a forward pass in float32; the proof asks two files. */
const proofPasses = 2;

export interface DurationOptions {
  readonly shape: Shape;
  readonly setting: Setting;
  readonly rates: Rates;
  readonly work: Work;
  /** Seconds before the run is opened. */
  readonly preparation: number;
}

export function durationOf({ preparation, rates, setting, shape, work }: DurationOptions): Duration {
  const computing = stepSeconds(shape, rates, work, setting);
  // Streamed blocks are read beside, once forward and once backward, but for the last, which is still there.
  const reading = (blocks: number): number =>
    setting.streamed ? (blocks * projectionWeightsPerBlock(shape)) / rates.diskRate : 0;
  const step = Math.max(computing, reading(2 * shape.layers - 1));
  /** Hidden states of so many tokens come in parts that fit into memory; each part reads all blocks. */
  const blocksRead = (tokens: number): number =>
    Math.ceil((tokens * hiddenBytes(shape)) / maxHiddenBytes) * shape.layers;
  const { referenceSupervised, referenceTokens } = work;
  const reference = Math.max(
    forwardSeconds(shape, rates, referenceTokens, referenceSupervised),
    reading(blocksRead(referenceTokens)),
  );
  const loading = loadingSeconds(shape, setting, rates) + reference;
  const training = step * work.steps;
  const evaluating = forwardSeconds(shape, rates, work.validationTokens, work.validationSupervised);
  const validation = work.validations * Math.max(evaluating, reading(blocksRead(work.validationTokens)));
  const readWeight = rates.readBlock / projectionWeightsPerBlock(shape);
  const reread = setting.precision === 'int8' ? setting.parameters * readWeight : 0;
  const copy = setting.copyIsThere ? 0 : setting.parameters * readWeight + setting.copyBytes / rates.diskRate;
  const proof =
    reread + copy + (1 + proofPasses) * forwardSeconds(shape, rates, work.proofTokens, work.proofTokens / 10);
  const samples = samplesOf.seconds + (samplesOf.tokens * setting.fileBytes) / samplesOf.bytesPerSecond;
  const withoutVerdict = preparation + loading + training + validation + proof + samples;
  const asking =
    forwardSeconds(shape, rates, work.validationTokens, 0) +
    (work.validationSupervised * setting.fileBytes) / samplesOf.bytesPerSecond;
  const { verdictShare } = work;
  const verdict = Math.min(evaluatedModels * asking, (withoutVerdict * verdictShare) / (1 - verdictShare));
  const checking = safetyOf.seconds + setting.parameters * safetyOf.secondsPerWeight;
  const safety = Math.min(checking, quickBudget(withoutVerdict + verdict, work.safetyShare));
  return {
    preparation,
    loading,
    step,
    firstStep: preparation + loading + step,
    training,
    validation,
    proof,
    samples,
    verdict,
    safety,
    total: withoutVerdict + verdict + safety,
    tokensPerSecond: work.realTokensPerStep / step,
  };
}

/**
 * Rates where no block is measured: a tiny model, whose run is short anyway, one that is trained whole, a graphics card. The share of this
 * machine's float32 products that a step reaches, and what each call of a graph costs beside, are means of runs in docs/log; on a graphics
 * card the products are assumed as well.
 */
const assumed = { share: 0.5, graphCall: 60e-6, readWeight: 4e-9, updateWeight: 2e-9, diskRate: 1e9 } as const;
/** Operations a second of products on a graphics card: that of a laptop's processor, so that the time is no longer than planned. */
export const assumedDeviceRate = 300e9;
/** What backward multiplies once more: the weights, and where they are trained the activations as well. */
const products = { lora: 2, full: 3 } as const;
/** Graph calls of a block: before, attention twice, after, forward and backward. */
const callsPerBlock = { training: 8, forward: 4 } as const;

/** Of a micro-batch; `productRate`: float32 operations (two a multiplication) a second of products by themselves. */
export function assumedRates(
  shape: Shape,
  { headRows, tokens }: Pick<Rates, 'tokens' | 'headRows'>,
  productRate: number,
  method: Setting['method'],
): Rates {
  const rate = productRate * assumed.share;
  const forward = 2 * projectionWeightsPerBlock(shape) * tokens;
  const head = (2 * headWeights(shape) * headRows) / rate + assumed.graphCall;
  const forwardBlock = forward / rate + callsPerBlock.forward * assumed.graphCall;
  const block = (products[method] * forward) / rate + callsPerBlock.training * assumed.graphCall;
  return {
    tokens,
    headRows,
    start: assumed.graphCall,
    firstBlock: block,
    furtherBlock: block,
    head: products[method] * head,
    forwardBlock,
    forwardHead: head,
    optimizerBlock:
      method === 'full'
        ? (projectionWeightsPerBlock(shape) + headWeights(shape) / shape.layers) * assumed.updateWeight
        : 0,
    open: 0.2,
    readBlock: projectionWeightsPerBlock(shape) * assumed.readWeight,
    quantizeBlock: 0,
    diskRate: assumed.diskRate,
    grownBytes: 0,
  };
}
