/** What a run takes of memory, from what it holds. Pure: numbers in, bytes out. docs/plan.md holds plans against actual runs. */
import { hiddenBytes, maxHiddenBytes } from '../train/forward-pass.ts';
import { maxHeadRows } from '../train/lm-head-rows.ts';
import {
  float32Bytes as float32,
  headWeights,
  projectionWeightsPerBlock,
  type Rates,
  type Setting,
  type Shape,
} from './work-shape.ts';

/** Rows that a row mostly sees where attention keeps what it takes of them: tiles of conversations, and up to whole segments where every weight is trained. */
const usualTile = { lora: 64, full: 256 } as const;

/** Floats that a token leaves behind in a block until backward: its input, q, k, v, attention's output and probabilities (of our kernels, the sum of each row's), mid, gate, up; as float16, all but input and mid. */
export function savedPerToken(
  shape: Shape,
  { activations, kernels, method }: Pick<Setting, 'activations' | 'kernels' | 'method'>,
): number {
  const { feedForward, headDim, qkNorms, heads, kvHeads, modelWidth } = shape;
  if (activations === 'recompute') return modelWidth;
  const exact = 2 * modelWidth;
  const qk = headDim * (heads + kvHeads);
  const attention = headDim * (2 * heads + 2 * kvHeads) + heads * (kernels ? 1 : usualTile[method]);
  const rest = attention + 2 * feedForward + (qkNorms ? qk : 0);
  return exact + (activations === 'float16' ? rest / 2 : rest);
}

/**
 * Floats that a token takes while a block is computed, of the engine's own and of arrays that blocks share; used where nothing was
 * measured. Counted from the backward graph after attention: about six arrays of the feed-forward's width and ten of the model's.
 */
const workingPerToken = ({ feedForward, modelWidth }: Shape): number => 6 * feedForward + 10 * modelWidth;

/** The head's logits, probabilities and a copy of them. */
const headArrays = 3;

/** Per trained weight: value, gradient, two moments; and, for an adapter, the merged input, its gradient and the starting values. */
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

/** Our kernels arrange float32 blocks for both directions, beside the weights as they came; int8 ones where they lie. */
const arrangedCopies = 2;

/** Bytes of the frozen weights. Int8 models look their embeddings up in the file. */
export function weightBytes(shape: Shape, { kernels, precision, method, parameters, streamed }: Setting): number {
  // Full fine-tuning counts its weights as trained.
  if (method === 'full') return 0;
  const arranged = kernels ? arrangedCopies * shape.layers * projectionWeightsPerBlock(shape) : 0;
  if (precision === 'f32') return (parameters + arranged) * float32;
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
  const evaluated = setting.streamed ? Math.min(maxHiddenBytes, validation * hiddenBytes(shape)) : 0;
  const saved = together * perToken * shape.layers + together * shape.modelWidth * float32 + evaluated;
  const headRows = Math.min(tokens, maxHeadRows(shape.vocabulary, setting.method === 'full'));
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
