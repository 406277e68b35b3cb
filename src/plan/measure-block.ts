/**
 * What two blocks of a model and its head cost on this machine, forward and backward, for a micro-batch of a given run. Promises: the
 * step that is timed is the one that trains, opened on the file's first blocks; the model is never loaded whole. Knows no plans.
 */
import type { PackedBatch } from '../batches/packed-batch.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { initLora } from '../lora/init.ts';
import type { ActivationPolicy } from '../models/activation-policy.ts';
import { type ModelConfig, projectionDimensions, readModelConfig } from '../models/config.ts';
import { emptyMatrix } from '../models/quantize.ts';
import { readLayer } from '../models/weights.ts';
import { bytes, floats, type Tensors } from '../runtime/onnxruntime-node/executor.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { type BaseWeights, int8Tensors, shapeOf } from '../train/base-weights.ts';
import { clipping } from '../train/clip.ts';
import { quantizeLayer } from '../train/int8-model.ts';
import { createLoraStep } from '../train/open-step.ts';
import { initAdamW, updateAdamW } from '../train/optimizer.ts';
import type { TrainStep } from '../train/step.ts';

/** Blocks of the measured model: the first one, whose input needs no gradient, and one that stands for all others. */
const measuredBlocks = 2;
/**
 * Others may be using the machine, so the quickest of some repetitions counts: they end once a second one has come as near to it as this
 * share, or have taken this long. The first one warms up, and confirms nothing.
 */
const confirmed = 0.1;
const patienceSeconds = 3;
const maxRepetitions = 10;
/** The head's gradient is one more product of the size of its logits'. Measured apart: 0.46 of it in float32, 0.55 in int8. */
const forwardShare = 0.5;
/** Bytes of the file that are read to see how fast its disk is. */
const diskBytes = 32 << 20;

export interface MeasureOptions {
  readonly model: GgufFile;
  readonly batch: PackedBatch;
  readonly threads: number;
  readonly precision: 'f32' | 'int8';
  /** Largest magnitude of an int8 weight. */
  readonly levels: number;
  readonly activations: ActivationPolicy;
  /** What computes the run's steps. */
  readonly engine: RunSettings['engine'];
  readonly adapter: Omit<Parameters<typeof initLora>[0], 'layers' | 'dimensions' | 'baseModel'>;
}

/** Seconds and bytes; of a micro-batch of `tokens` tokens with `headRows` supervised ones. */
export interface BlockCosts {
  readonly tokens: number;
  readonly headRows: number;
  /** Before the first block: embedding, rotary angles, adapter's matrices of two blocks. */
  readonly start: number;
  readonly firstBlock: number;
  readonly furtherBlock: number;
  readonly head: number;
  /** The same without gradients. */
  readonly forwardBlock: number;
  readonly forwardHead: number;
  /** Clipping and AdamW of the adapter of one block. */
  readonly optimizerBlock: number;
  /** Compiling the graphs. */
  readonly open: number;
  /** A block from the file to float32, and from there to int8 once. */
  readonly readBlock: number;
  readonly quantizeBlock: number;
  /** Bytes of the file that a second reads, undecoded. */
  readonly diskRate: number;
  /** What the process grew by while it computed. */
  readonly grownBytes: number;
}

/** The file as one of a model with only the first blocks. */
function firstBlocks(model: GgufFile, count: number): GgufFile {
  const blocks = `${model.string('general.architecture')}.block_count`;
  const kept = [...model.tensors].filter(([name]) => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0) < count);
  return {
    path: model.path,
    parts: model.parts,
    byteLength: model.byteLength,
    version: model.version,
    alignment: model.alignment,
    metadata: model.metadata,
    tensors: new Map(kept),
    readBytes: (name) => model.readBytes(name),
    readFloat32: (name, options) => model.readFloat32(name, options),
    number: (key) => (key === blocks ? count : model.number(key)),
    string: (key) => model.string(key),
    boolean: (key) => model.boolean(key),
    close() {},
  };
}

const seconds = (since: number): number => (performance.now() - since) / 1000;

/** Gives the time between marks to the mark before. */
class Clock {
  private spent = new Map<string, number>();
  private current = 'start';
  private since = performance.now();

  start(): void {
    this.spent = new Map();
    this.current = 'start';
    this.since = performance.now();
  }

  /** Whether that mark was passed. */
  has(name: string): boolean {
    return this.current === name || this.spent.has(name);
  }

  mark(name: string): void {
    this.spent.set(this.current, (this.spent.get(this.current) ?? 0) + seconds(this.since));
    this.current = name;
    this.since = performance.now();
  }

  stop(): ReadonlyMap<string, number> {
    this.mark('end');
    return this.spent;
  }
}

interface Loaded {
  readonly tensors: Tensors;
  readonly readBlock: number;
  readonly quantizeBlock: number;
}

/** The first block's real weights: what computes with them may depend on their values, and reading them is timed as well. */
function loadBlock(model: GgufFile, config: ModelConfig, { precision, levels }: MeasureOptions): Loaded {
  let since = performance.now();
  const layer = readLayer(model, config, 0);
  const readBlock = seconds(since);
  if (precision === 'f32') {
    const tensors = new Map([...layer].map(([name, v]) => [name, floats(v, shapeOf(config, name, v))] as const));
    return { tensors, readBlock, quantizeBlock: 0 };
  }
  since = performance.now();
  const quantized = quantizeLayer(config, layer, levels);
  const quantizeBlock = seconds(since);
  return { tensors: int8Tensors(quantized), readBlock, quantizeBlock };
}

/** A head of the right shape and precision; its values cost the same whatever they are. */
function headTensors({ modelWidth: width, vocabulary }: ModelConfig, precision: 'f32' | 'int8'): Tensors {
  const norm = ['output_norm', floats(new Float32Array(width).fill(1), [width])] as const;
  if (precision === 'f32') {
    return new Map([norm, ['output', floats(new Float32Array(width * vocabulary).fill(0.01), [vocabulary, width])]]);
  }
  const { scale, values } = emptyMatrix(width, vocabulary);
  const matrix = bytes(values.fill(1), [width, vocabulary]);
  const transposed = bytes(values, [vocabulary, width]);
  return new Map([
    norm,
    ['output', matrix],
    ['output.transposed', transposed],
    ['output.scale', floats(scale.fill(0.01), [vocabulary])],
  ]);
}

/** Both blocks have the first one's weights, and the clock hears when one is asked for. */
function timedWeights(config: ModelConfig, tensors: Tensors, precision: 'f32' | 'int8', clock: Clock): BaseWeights {
  const head = headTensors(config, precision);
  return {
    precision,
    streamed: false,
    biases: tensors.has('q_proj.bias'),
    qkNorms: tensors.has('attn_q_norm'),
    ropeFactors: null,
    embed: (_, out) => {
      for (let i = 0; i < out.length; i++) out[i] = ((i % 17) - 8) / 8;
    },
    layer: (layer) => {
      // The head stands between the way forward and the way back.
      clock.mark(`${layer === 0 ? 'first' : 'further'} ${clock.has('head') ? 'backward' : 'forward'}`);
      return tensors;
    },
    get head() {
      clock.mark('head');
      return head;
    },
    close() {},
  };
}

/** Whether the two quickest are as good as equal. */
function agree(totals: readonly number[]): boolean {
  const [best, second] = [...totals].sort((a, b) => a - b);
  return second !== undefined && second <= best! * (1 + confirmed);
}

/** The least that each part of the work took. */
async function quickest(work: () => Promise<unknown>, clock: Clock): Promise<(name: string) => number> {
  const began = performance.now();
  const best = new Map<string, number>();
  const totals: number[] = [];
  while (
    totals.length < maxRepetitions &&
    !agree(totals) &&
    (totals.length === 0 || seconds(began) < patienceSeconds)
  ) {
    const since = performance.now();
    clock.start();
    await work();
    for (const [name, spent] of clock.stop()) best.set(name, Math.min(spent, best.get(name) ?? spent));
    totals.push(seconds(since));
  }
  return (name) => best.get(name) ?? 0;
}

/** Updates that are timed, of which the quickest counts: the first is of code that is not compiled yet, and takes five times as long. */
const timedUpdates = 3;

/** Seconds of an update of all parameters. */
function timeOptimizer({ parameters }: TrainStep): number {
  const state = initAdamW(parameters);
  const update = (): number => {
    const since = performance.now();
    const { factor: clip } = clipping(parameters, 1);
    updateAdamW(parameters, state, 0, { weightDecay: 0, clip });
    return seconds(since);
  };
  return Math.min(...Array.from({ length: timedUpdates }, update));
}

/** Bytes a second of the file's last tensors: the first ones have just been read. */
function timeDisk(model: GgufFile): number {
  let read = 0;
  const since = performance.now();
  for (const name of [...model.tensors.keys()].reverse()) {
    if (read >= diskBytes) break;
    if (model.tensors.get(name)!.byteLength <= diskBytes) read += model.readBytes(name).length;
  }
  return read / seconds(since);
}

/** Takes seconds: one block is read, and a micro-batch goes through two blocks and the head a few times. */
export async function measureBlock(options: MeasureOptions): Promise<BlockCosts> {
  const { activations, batch, engine, model, threads } = options;
  const blocks = Math.min(measuredBlocks, readModelConfig(model).layers);
  const small = firstBlocks(model, blocks);
  const config = readModelConfig(small);
  const { tensors, readBlock, quantizeBlock } = loadBlock(model, config, options);
  const clock = new Clock();
  const weights = timedWeights(config, tensors, options.precision, clock);
  const dimensions = (p: Parameters<typeof projectionDimensions>[1]) => projectionDimensions(config, p);
  const adapter = initLora({ ...options.adapter, baseModel: model.path, layers: blocks, dimensions });
  const before = process.memoryUsage.rss();
  const since = performance.now();
  const step = await createLoraStep({ model: small, adapter, threads, weights, activations, engine, oneCall: false });
  const open = seconds(since);
  try {
    const scale = 1 / Math.max(1, batch.supervisedTokens);
    const trained = await quickest(() => step.accumulate([batch], scale, [0]), clock);
    const grownBytes = Math.max(0, process.memoryUsage.rss() - before);
    const firstBlock = trained('first forward') + trained('first backward');
    const furtherBlock = trained('further forward') + trained('further backward');
    return {
      tokens: batch.tokens.length,
      headRows: batch.supervisedTokens,
      start: trained('start'),
      firstBlock,
      furtherBlock: blocks === 1 ? firstBlock : furtherBlock,
      head: trained('head'),
      forwardBlock: (trained('first forward') + trained('further forward')) / blocks,
      forwardHead: trained('head') * forwardShare,
      optimizerBlock: timeOptimizer(step) / blocks,
      open,
      readBlock,
      quantizeBlock,
      diskRate: timeDisk(model),
      grownBytes,
    };
  } finally {
    await step.close();
  }
}
