/**
 * What a run costs: time, memory, disk, energy and money, from what it computes and what this machine was measured to do.
 * Pure: numbers in, numbers out. All durations are seconds, all sizes bytes. docs/plan.md holds plans against actual runs.
 */

import type { ActivationPolicy } from '../models/activation-policy.ts';
import type { ModelConfig } from '../models/config.ts';
import { borderBytes, mostBorderBytes } from '../train/block-walk.ts';
import { mostHeadRows } from '../train/head-rows.ts';
import type { BlockCosts } from './measure-block.ts';

/** Of a model, what its costs depend on. */
export type Shape = Pick<
  ModelConfig,
  'layers' | 'modelWidth' | 'heads' | 'kvHeads' | 'headDim' | 'feedForward' | 'vocabulary' | 'tiedHead'
> & {
  /** q and k are normed per head, and kept from before. */
  readonly headNorms: boolean;
};

/** What a run computes. A step's figures are means over an epoch, or over its first 200 steps. */
export interface Work {
  readonly steps: number;
  readonly microBatchesPerStep: number;
  /** Tokens computed (padding included), and those that count. */
  readonly tokensPerStep: number;
  readonly realTokensPerStep: number;
  readonly supervisedPerStep: number;
  /** Tokens of the largest micro-batch. */
  readonly largestMicroBatch: number;
  readonly validations: number;
  readonly validationTokens: number;
  readonly validationSupervised: number;
  /** Of the parity proof. */
  readonly proofTokens: number;
}

/** How fast this machine does it: measured, or assumed. */
export type Rates = BlockCosts;

export interface Setting {
  readonly method: 'lora' | 'full';
  readonly precision: 'f32' | 'int8';
  readonly activations: ActivationPolicy;
  /** Blocks come from the disk, two in memory at a time; the micro-batches of a step then go through together. */
  readonly streamed: boolean;
  /** Weights that are trained. */
  readonly trained: number;
  /** All weights of the file, and its size. */
  readonly parameters: number;
  readonly fileBytes: number;
  /** Blocks that were measured. */
  readonly measuredBlocks: number;
  /** Size of what the parity proof compares with: a copy of the base (0 where the file serves itself), or the trained model in float32; and whether it has to be written first. */
  readonly copyBytes: number;
  readonly copyIsThere: boolean;
}

const float32 = 4;

export const projectionWeightsPerBlock = ({ feedForward, headDim, heads, kvHeads, modelWidth }: Shape): number =>
  modelWidth * headDim * (2 * heads + 2 * kvHeads) + 3 * modelWidth * feedForward;

export const headWeights = ({ modelWidth, vocabulary }: Shape): number => modelWidth * vocabulary;

/** Rows that a row mostly sees where attention keeps what it takes of them: tiles of conversations, and up to whole segments where every weight is trained. */
const usualTile = { lora: 64, full: 256 } as const;

/** Floats that a token leaves behind in a block until backward: its input, q, k, v, attention's output and shares, mid, gate, up; as float16, all but input and mid. */
export function savedPerToken(shape: Shape, { activations, method }: Pick<Setting, 'activations' | 'method'>): number {
  const { feedForward, headDim, headNorms, heads, kvHeads, modelWidth } = shape;
  if (activations === 'recompute') return modelWidth;
  const exact = 2 * modelWidth;
  const qk = headDim * (heads + kvHeads);
  const attention = headDim * (2 * heads + 2 * kvHeads) + heads * usualTile[method];
  const rest = attention + 2 * feedForward + (headNorms ? qk : 0);
  return exact + (activations === 'float16' ? rest / 2 : rest);
}

/**
 * Floats that a token takes while a block is computed, of the engine's own and of arrays that blocks share; used where nothing was
 * measured. Counted from the backward graph after attention: about six arrays of the feed-forward's width and ten of the model's.
 */
const workingPerToken = ({ feedForward, modelWidth }: Shape): number => 6 * feedForward + 10 * modelWidth;

/** The head's logits, probabilities and a copy of them. */
const headArrays = 3;

/** Per trained weight: value, gradient, two moments; and, for an adapter, the merged feed, its gradient and the starting values. */
const trainedBytes = { lora: 7 * float32, full: 5 * float32 } as const;

/**
 * Node's heap, the engine's library, its compiled graphs and its memory's rounding, beyond what the process holds before it trains: with
 * 60 MB, six runs (docs/plan.md) took 4 to 200 MB more than planned.
 */
const engineBytes = 120e6;

/** Memory of a run by what it holds, bytes. */
export interface Memory {
  /** Node, the libraries, the data, and the process that shows progress. */
  readonly fixed: number;
  /** Frozen weights, as the precision has them. */
  readonly weights: number;
  /** Activations that wait for backward. */
  readonly saved: number;
  /** What computing takes beside. */
  readonly working: number;
  /** Trained weights with their gradients and moments. */
  readonly trained: number;
  /** While training. */
  readonly training: number;
  /** While the result is proven: our figures are made with what training left, then llama.cpp maps the base's copy. The system can take that file's pages back. */
  readonly proof: number;
  /** The higher one of `training` and `proof`. */
  readonly peak: number;
}

/** One block is computed with while the next is read. */
const streamedBlocks = 2;

/** The head stands there as forward and as backward read it. */
const int8Heads = 2;

/** Bytes of the frozen weights. Int8 models look their embeddings up in the file. */
export function weightBytes(shape: Shape, { precision, method, parameters, streamed }: Setting): number {
  // Full fine-tuning counts its weights as trained.
  if (method === 'full') return 0;
  if (precision === 'f32') return parameters * float32;
  const blocks = streamed ? Math.min(streamedBlocks, shape.layers) : shape.layers;
  return blocks * projectionWeightsPerBlock(shape) + int8Heads * headWeights(shape);
}

/** What a step holds tokens of. */
export interface Tokens {
  /** Of the largest micro-batch. */
  readonly microBatch: number;
  readonly step: number;
  /** Of all held-out rows. */
  readonly validation: number;
}

/** The proof computes with float32 weights: those at hand, or a block at a time and the head from the file. */
const exactBytes = (shape: Shape, { method, precision }: Setting): number =>
  method === 'full' || precision === 'f32' ? 0 : float32 * (headWeights(shape) + projectionWeightsPerBlock(shape));

export interface MemoryOptions {
  readonly shape: Shape;
  readonly setting: Setting;
  /** Null where nothing was measured. */
  readonly rates: Rates | null;
  readonly tokens: Tokens;
  /** Bytes that the training process and its parent hold before anything is loaded. */
  readonly held: number;
}

/** Peak of the training process and its parent. */
export function memoryOf({ held, rates, setting, shape, tokens: of }: MemoryOptions): Memory {
  const { microBatch: tokens, step, validation } = of;
  const perToken = savedPerToken(shape, setting) * float32;
  const together = setting.streamed ? Math.max(step, tokens) : tokens;
  // A streamed model is evaluated many micro-batches at a time, and their arrays stay.
  const evaluated = setting.streamed ? Math.min(mostBorderBytes, validation * borderBytes(shape)) : 0;
  const saved = together * perToken * shape.layers + together * shape.modelWidth * float32 + evaluated;
  const headRows = Math.min(tokens, mostHeadRows(shape.vocabulary, setting.method === 'full'));
  const head = headArrays * float32 * headRows * shape.vocabulary;
  // What was measured holds the saved activations of its own blocks, all kept.
  const keptPerToken = savedPerToken(shape, { ...setting, activations: 'keep' }) * float32;
  const measured = rates && rates.grownBytes - setting.measuredBlocks * keptPerToken * rates.tokens;
  const assumed = workingPerToken(shape) * float32 * tokens + head;
  // Where activations are not kept as they are made, those of the block at work are there beside.
  const block = setting.activations === 'keep' ? 0 : tokens * keptPerToken;
  const working = block + (rates && measured !== null ? Math.max(0, measured) * (tokens / rates.tokens) : assumed);
  const weights = weightBytes(shape, setting);
  const trained = setting.trained * trainedBytes[setting.method];
  const fixed = held + engineBytes;
  const left = fixed + weights + saved + trained;
  const training = left + working;
  // By then what training held is given back; a model that was trained as a whole is still there to be written.
  const still = fixed + exactBytes(shape, setting) + (setting.method === 'full' ? trained : 0);
  const proof = Math.max(left + exactBytes(shape, setting), still + (setting.copyBytes || setting.fileBytes));
  return { fixed, weights, saved, working, trained, training, proof, peak: Math.max(training, proof) };
}

/** Tokens of training rows on which the int8 base is compared with the float32 one. */
export const comparedTokens = 320;

export interface Duration {
  /** Reading the data and opening the run: already known when a plan is made. */
  readonly preparation: number;
  /** Loading the weights; in int8, quantising them and comparing the two bases too. */
  readonly loading: number;
  readonly step: number;
  readonly firstStep: number;
  readonly training: number;
  readonly validation: number;
  readonly proof: number;
  readonly samples: number;
  readonly total: number;
  readonly tokensPerSecond: number;
}

/** Seconds to make a float16 of a number, or a number of it: both cores, and mostly the memory's speed (docs/log). */
const castSeconds = 0.2e-9;

/** Seconds that a token's activations take beyond computing them once and keeping them: two conversions, or one more forward pass. */
function againSeconds(shape: Shape, rates: Rates, activations: Setting['activations']): number {
  if (activations === 'keep') return 0;
  if (activations === 'recompute') return (shape.layers * rates.forwardBlock) / rates.tokens;
  const [kept, half] = (['keep', 'float16'] as const).map((a) =>
    savedPerToken(shape, { activations: a, method: 'lora' }),
  );
  return shape.layers * 2 * (kept! - half!) * 2 * castSeconds;
}

/** Seconds of one optimizer step. */
export function stepSeconds(
  shape: Shape,
  rates: Rates,
  work: Work,
  activations: Setting['activations'] = 'keep',
): number {
  const perToken = (rates.firstBlock + (shape.layers - 1) * rates.furtherBlock) / rates.tokens;
  const head = (rates.head / Math.max(1, rates.headRows)) * work.supervisedPerStep;
  return (
    work.microBatchesPerStep * rates.start +
    work.tokensPerStep * (perToken + againSeconds(shape, rates, activations)) +
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
  // Each block: read, quantised, computed in float32 (about three times what int8 takes) and in int8.
  const blocks = shape.layers * (rates.readBlock + rates.quantiseBlock + 4 * pass);
  // The head is read for its logits and for its values.
  const head = headWeights(shape) * (2 * readWeight + rates.quantiseBlock / blockWeights);
  return 4 * rates.open + blocks + head;
}

/** llama.cpp reads its file for every token that it samples, at about this rate; three questions of at most 80 tokens, twice. */
const samplesOf = { bytesPerSecond: 5e9, tokens: 300, seconds: 1.5 } as const;
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
  const computing = stepSeconds(shape, rates, work, setting.activations);
  // Streamed blocks are read beside, once forward and once backward, but for the last, which is still there.
  const reading = (blocks: number): number =>
    setting.streamed ? (blocks * projectionWeightsPerBlock(shape)) / rates.diskRate : 0;
  const step = Math.max(computing, reading(2 * shape.layers - 1));
  const loading = loadingSeconds(shape, setting, rates);
  const training = step * work.steps;
  const evaluating = forwardSeconds(shape, rates, work.validationTokens, work.validationSupervised);
  const parts = Math.ceil((work.validationTokens * borderBytes(shape)) / mostBorderBytes);
  const validation = work.validations * Math.max(evaluating, reading(parts * shape.layers));
  const readWeight = rates.readBlock / projectionWeightsPerBlock(shape);
  const reread = setting.precision === 'int8' ? setting.parameters * readWeight : 0;
  const copy = setting.copyIsThere ? 0 : setting.parameters * readWeight + setting.copyBytes / rates.diskRate;
  const proof =
    reread + copy + (1 + proofPasses) * forwardSeconds(shape, rates, work.proofTokens, work.proofTokens / 10);
  const samples = samplesOf.seconds + (samplesOf.tokens * setting.fileBytes) / samplesOf.bytesPerSecond;
  return {
    preparation,
    loading,
    step,
    firstStep: preparation + loading + step,
    training,
    validation,
    proof,
    samples,
    total: preparation + loading + training + validation + proof + samples,
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
    optimizerBlock: method === 'full' ? (projectionWeightsPerBlock(shape) + headWeights(shape) / shape.layers) * assumed.updateWeight : 0, // biome-ignore format: one line
    open: 0.2,
    readBlock: projectionWeightsPerBlock(shape) * assumed.readWeight,
    quantiseBlock: 0,
    diskRate: assumed.diskRate,
    grownBytes: 0,
  };
}

/** What a run may take of the machine. */
export interface Room {
  /** Null where the system does not tell. */
  readonly memoryBytes: number | null;
  /** Free where the run's folder will be; null where the system does not tell. */
  readonly diskBytes: number | null;
}

export interface Needs {
  /** Memory that the system cannot take back. */
  readonly neededMemoryBytes: number;
  readonly diskBytes: number;
}

/** Plans of memory are wrong by up to this share: a run is refused only where it would not fit even so. */
const memoryTolerance = 0.15;

/** What a run lacks: nothing (null), memory or disk. */
export function lacks(needs: Needs, room: Room): 'memory' | 'disk' | null {
  if (room.memoryBytes !== null && needs.neededMemoryBytes * (1 - memoryTolerance) > room.memoryBytes) return 'memory';
  return room.diskBytes !== null && needs.diskBytes > room.diskBytes ? 'disk' : null;
}

/** A run over night; a longer one wants a good reason. */
const longSeconds = 10 * 3600;

export interface Candidate extends Needs {
  readonly name: string;
  readonly seconds: number;
}

/**
 * The setting to take: the one that was asked for where it fits and ends over night; else the first of the others that does; else
 * the first that fits at all. Null where none fits.
 */
export function recommend(candidates: readonly Candidate[], room: Room): string | null {
  const fitting = candidates.filter((candidate) => lacks(candidate, room) === null);
  return (fitting.find(({ seconds }) => seconds <= longSeconds) ?? fitting[0])?.name ?? null;
}
