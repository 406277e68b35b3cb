/**
 * A transformer block of the llama, qwen2 and qwen3 families as three graphs (before attention, attention, which attention.ts holds, and
 * after attention) and the head, each differentiated and partitioned. Pure: no engine, no weights.
 *
 * Symbols: N tokens of a micro-batch, C query rows of a chunk, T key rows that the chunk sees, R supervised rows of the head.
 */
import { gradients } from '../graph/gradient/gradient.ts';
import {
  add,
  columns,
  dither,
  exp,
  type Graph,
  hadamard,
  input,
  int8Matmul,
  logProbability,
  matmul,
  mul,
  quantise,
  reshape,
  rmsNorm,
  rope,
  rowScale,
  scalar,
  silu,
  softmax,
  zeroAt,
} from '../graph/graph.ts';
import { hadamardBlock } from '../graph/hadamard.ts';
import type { DataType, Node, Shape } from '../graph/op.ts';
import { type Partition, partition } from '../graph/partition.ts';
import type { Projection } from '../lora/adapter.ts';
import { attendTiles, inRows, inTiles, tilesOf } from './attention.ts';
import { type ModelConfig, projectionDimensions } from './config.ts';

/** Projections that read the same input, by the name of that input's place: it is quantised once, and their A matrices are one. */
export const projectionGroups = {
  pre: ['q_proj', 'k_proj', 'v_proj'],
  o: ['o_proj'],
  mlp: ['gate_proj', 'up_proj'],
  down: ['down_proj'],
} as const satisfies Record<string, readonly Projection[]>;
export type ProjectionGroup = keyof typeof projectionGroups;

export interface BlockOptions {
  /** What the backward graphs give gradients of, beside the inputs: the adapter's matrices, or every weight of the block. */
  readonly trainable: 'adapter' | 'all';
  /** Gradients of what is trained are added to inputs `sum.NAME`: results `d.NAME` that may be written where those stand. */
  readonly accumulates?: boolean;
  /** How the frozen projections are given: `NAME.weight` [out, in], or int8 `NAME.weight` [in, out] with `NAME.scale` [out], rotated (quantise.ts). */
  readonly precision: 'f32' | 'int8';
  readonly targets: readonly Projection[];
  readonly rank: number;
  /** Dropout masks are inputs `mask.GROUP` of the adapted inputs' shapes. */
  readonly dropout: boolean;
  /** q, k and v have biases. */
  readonly biases: boolean;
  /** q and k are normed per head (qwen3). */
  readonly headNorms: boolean;
}

/** The gradient of an input, or what it adds up to. */
const summed = (n: Node, gradient: Node, accumulates: boolean): Node =>
  accumulates ? add(gradient, input(`sum.${nameOf(n)}`, n.shape)) : gradient;

/** Builds one stage, remembering its trainable inputs so that their gradients can be asked for. */
class Stage {
  readonly trainable: Node[] = [];
  private readonly config: ModelConfig;
  private readonly options: BlockOptions;
  /** Before the names of what is trained and of the weights. */
  private readonly prefix: string;

  constructor(config: ModelConfig, options: BlockOptions, prefix = '') {
    this.config = config;
    this.options = options;
    this.prefix = prefix;
  }

  private input(name: string, shape: Shape, type?: DataType): Node {
    return input(`${this.prefix}${name}`, shape, type);
  }

  /**
   * For each projection of the group: x W^T (+ bias) + (dropout(x) A^T) B^T; x [N, in] -> [N, out].
   * `lora_A.GROUP` [targets of the group * rank, in] holds the adapter's scale; a target's rows stand in the group's order.
   */
  project(x: Node, group: ProjectionGroup, bias = false): Node[] {
    const { dropout, rank, targets } = this.options;
    const members: readonly Projection[] = projectionGroups[group];
    const frozen = this.frozen(x);
    const adapted = members.filter((projection) => targets.includes(projection));
    let low: Node | null = null; // [N, adapted * rank]
    if (adapted.length > 0) {
      const a = this.input(`lora_A.${group}`, [adapted.length * rank, x.shape[1]!]);
      this.trainable.push(a);
      const dropped = dropout ? mul(x, this.input(`mask.${group}`, x.shape)) : x;
      low = matmul(dropped, a, { transposeB: true });
    }
    return members.map((projection) => {
      const { outFeatures } = projectionDimensions(this.config, projection);
      let y = frozen(projection);
      if (bias) y = add(y, this.weight(`${projection}.bias`, [outFeatures]));
      const at = adapted.indexOf(projection);
      if (!low || at < 0) return y;
      const b = this.input(`${projection}.lora_B`, [outFeatures, rank]);
      this.trainable.push(b);
      const own = adapted.length === 1 ? low : columns(low, at * rank, (at + 1) * rank); // [N, rank]
      return add(matmul(own, b, { transposeB: true }), y);
    });
  }

  /** x W^T of a projection; in int8, x is rotated and quantised once for all. */
  private frozen(x: Node): (projection: Projection) => Node {
    const sizes = (projection: Projection) => projectionDimensions(this.config, projection);
    if (this.options.precision === 'f32') {
      return (projection) => {
        const { inFeatures, outFeatures } = sizes(projection);
        return matmul(x, this.weight(`${projection}.weight`, [outFeatures, inFeatures]), { transposeB: true });
      };
    }
    const turned = rotated(x);
    const scale = rowScale(turned);
    const quantised = quantise(turned, scale);
    return (projection) => {
      const { inFeatures, outFeatures } = sizes(projection);
      const weight = this.input(`${projection}.weight`, [inFeatures, outFeatures], 'int8');
      return int8Matmul(quantised, scale, weight, this.input(`${projection}.scale`, [outFeatures]));
    };
  }

  /** A base weight as an input. */
  weight(name: string, shape: Shape): Node {
    const n = this.input(name, shape);
    if (this.options.trainable === 'all') this.trainable.push(n);
    return n;
  }
}

/** x as the int8 weights take it: rotated, so that no channel is much louder than the others. */
function rotated(x: Node): Node {
  const block = hadamardBlock(x.shape[1] as number);
  return block === 1 ? x : hadamard(x, block);
}

const nameOf = (n: Node): string => (n.op.kind === 'input' ? n.op.name : '');

/**
 * Differentiates and splits a stage. `seeds` are inputs named `d.OUTPUT`; gradients are named `d.INPUT`.
 * `through` is an input whose gradient from elsewhere comes in as `d.through` and is added; those of `accumulated` are added to `sum.INPUT`.
 */
function finish(
  outputs: Graph,
  wanted: readonly Node[],
  policy: ReadonlyMap<string, Node>,
  { through, accumulated = [] }: { readonly through?: Node; readonly accumulated?: readonly Node[] } = {},
): Partition {
  const seeds = [...outputs].map(([name, n]) => input(`d.${name}`, n.shape));
  const ends = [...outputs.values()];
  if (through && wanted.includes(through)) {
    ends.push(through);
    seeds.push(input('d.through', through.shape));
  }
  const made = gradients(ends, seeds, wanted);
  const backward = new Map(
    wanted.map((n, i) => [`d.${nameOf(n)}`, summed(n, made[i]!, accumulated.includes(n))] as const),
  );
  return partition(outputs, backward, policy);
}

/** Named values of a stage, and those worth saving for backward. */
interface Built {
  readonly outputs: Graph;
  readonly policy: ReadonlyMap<string, Node>;
}

/** x [N, D], cos and sin [N, headDim / 2] -> q [N, heads * headDim], k and v [N, kvHeads * headDim], rotated. */
function queriesKeysValues(stage: Stage, config: ModelConfig, options: BlockOptions, x: Node, angles: Angles): Built {
  const { headDim, heads, kvHeads, modelWidth, normEpsilon } = config;
  const h = rmsNorm(x, stage.weight('attn_norm', [modelWidth]), normEpsilon);
  const rows = x.shape[0]!;
  const policy = new Map<string, Node>();
  const rotate = (y: Node, name: string, count: number): Node => {
    if (!options.headNorms) return rope(y, angles.cos, angles.sin, count);
    policy.set(`${name}_raw`, y);
    const normed = rmsNorm(
      reshape(y, [`${count}*${rows}`, headDim]),
      stage.weight(`${name}_norm`, [headDim]),
      normEpsilon,
    );
    return rope(reshape(normed, [rows, count * headDim]), angles.cos, angles.sin, count);
  };
  const [yq, yk, v] = stage.project(h, 'pre', options.biases) as [Node, Node, Node];
  const outputs = new Map([['q', rotate(yq, 'attn_q', heads)], ['k', rotate(yk, 'attn_k', kvHeads)], ['v', v]]); // biome-ignore format: one line reads best
  return { outputs, policy };
}

interface Angles {
  readonly cos: Node;
  readonly sin: Node;
}
function anglesOf({ headDim }: ModelConfig, rows = 'N'): Angles {
  return { cos: input('cos', [rows, headDim / 2]), sin: input('sin', [rows, headDim / 2]) };
}

/** x [N, D] -> q [N, heads * headDim], k and v [N, kvHeads * headDim], rotated. `backwardFirst`: without the gradient of x. */
export function beforeAttention(config: ModelConfig, options: BlockOptions): Partition & { backwardFirst: Graph } {
  const stage = new Stage(config, options);
  const x = input('x', ['N', config.modelWidth]);
  const { outputs, policy } = queriesKeysValues(stage, config, options, x, anglesOf(config));
  const { trainable } = stage;
  const accumulated = options.accumulates ? trainable : [];
  const whole = finish(outputs, [x, ...trainable], policy, { through: x, accumulated });
  const first = trainable.length > 0 ? finish(outputs, trainable, policy, { accumulated }).backward : new Map();
  return { ...whole, backwardFirst: first };
}

/** x [N, D] and the attention's output o [N, heads * headDim] -> the block's output y [N, D]. */
export function afterAttention(config: ModelConfig, options: BlockOptions): Partition {
  const stage = new Stage(config, options);
  const x = input('x', ['N', config.modelWidth]);
  const o = input('o', ['N', config.heads * config.headDim]);
  const { outputs, policy } = output(stage, config, x, o);
  return finish(outputs, [x, o, ...stage.trainable], policy, {
    accumulated: options.accumulates ? stage.trainable : [],
  });
}

function output(stage: Stage, { modelWidth, normEpsilon }: ModelConfig, x: Node, o: Node): Built {
  const [attended] = stage.project(o, 'o') as [Node];
  const mid = add(attended, x);
  const h = rmsNorm(mid, stage.weight('ffn_norm', [modelWidth]), normEpsilon);
  const [gate, up] = stage.project(h, 'mlp') as [Node, Node];
  const [down] = stage.project(mul(silu(gate), up), 'down') as [Node];
  const policy = new Map([['mid', mid], ['gate', gate], ['up', up]]); // biome-ignore format: one line reads best
  return { outputs: new Map([['y', add(down, mid)]]), policy };
}

/**
 * All blocks and the head of a small model as one graph, forward and backward: where a call costs as much as what it computes.
 * Embedded tokens x [N, D]; target [N, 1] is each row's next token, d.logp [N, 1] its weight in the loss (0: not supervised);
 * attention as in tiledAttention. Names of a layer's inputs have its number before them, `LAYER.NAME`; so do their gradients, `d.LAYER.NAME`.
 * Returns `logp` and the gradients of what is trained, for 'all' also of x, output_norm and output.
 */
export function smallModel(config: ModelConfig, options: BlockOptions, tile: number, whole: boolean): Graph {
  const rows = whole ? 'M' : 'N';
  const x = input('x', [rows, config.modelWidth]);
  const angles = anglesOf(config, rows);
  const tiles = tilesOf({ tile, whole, prefix: 0 });
  const trained: Node[] = [];
  let hidden = x;
  for (let layer = 0; layer < config.layers; layer++) {
    const stage = new Stage(config, options, `${layer}.`);
    const { outputs } = queriesKeysValues(stage, config, options, hidden, angles);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => outputs.get(name)!) as [Node, Node, Node];
    const [tq, tk, tv] = [q, k, v].map((x) => inTiles(x, tiles)) as [Node, Node, Node];
    const o = inRows(attendTiles(config, tiles, [tq, tk, tv]).o, tiles);
    hidden = output(stage, config, hidden, o).outputs.get('y')!;
    trained.push(...stage.trainable);
  }
  const norm = input('output_norm', [config.modelWidth]);
  const table = input('output', [config.vocabulary, config.modelWidth]);
  if (options.trainable === 'all') trained.push(x, norm, table);
  const logits = matmul(rmsNorm(hidden, norm, config.normEpsilon), table, { transposeB: true });
  const logp = logProbability(logits, input('target', [rows, 1], 'int64'));
  const made = gradients([logp], [input('d.logp', [rows, 1])], trained);
  const added = (n: Node, i: number): Node => summed(n, made[i]!, options.accumulates === true && n !== x);
  return new Map([['logp', logp], ...trained.map((n, i) => [`d.${nameOf(n)}`, added(n, i)] as const)]);
}

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
 * The same for a head in int8: `output` [D, vocabulary], rotated, with `output.scale` [vocabulary], and, with `gradient`, `target_rows` [R, D],
 * the targets' rows of the head, and `output.turned` [vocabulary, D], the same matrix: turning it in every call took a tenth of the time of a
 * step of few tokens. The gradient is (1 - p) times the target's row, in float32, less the other tokens' rows by their probabilities,
 * quantised without the target's, next to which theirs would be rounded away, and by `thresholds` [vocabulary] (head-thresholds.ts).
 * Levels of a row sum to at most 255 over its largest share: of the engine's 32-bit sums, 127 times that is too much only where a vocabulary
 * of 66,000 tokens or more has nearly equal shares and weights of one sign.
 */
export function int8Head(config: ModelConfig, gradient: 'logits' | 'none' | 'input'): Graph {
  const { modelWidth, normEpsilon, vocabulary } = config;
  const x = input('x', ['R', modelWidth]);
  const target = input('target', ['R', 1], 'int64');
  const output = input('output', [modelWidth, vocabulary], 'int8');
  const outputScale = input('output.scale', [vocabulary]);
  const h = rmsNorm(x, input('output_norm', [modelWidth]), normEpsilon);
  const turned = rotated(h);
  const scale = rowScale(turned);
  const logits = int8Matmul(quantise(turned, scale), scale, output, outputScale);
  if (gradient === 'logits') return new Map([['logits', logits]]);
  const logp = logProbability(logits, target);
  if (gradient === 'none') return new Map([['logp', logp]]);
  const others = mul(zeroAt(softmax(logits), target), outputScale);
  const othersScale = rowScale(others, false);
  const turnedOutput = input('output.turned', [vocabulary, modelWidth], 'int8');
  const levels = dither(others, othersScale, input('thresholds', [vocabulary]));
  const away = int8Matmul(levels, othersScale, turnedOutput, scalar(1), false); // [R, D]
  const missing = add(mul(exp(logp), scalar(-1)), scalar(1)); // [R, 1]: 1 - p
  const towards = mul(input('target_rows', ['R', modelWidth]), missing);
  const dh = mul(add(towards, mul(away, scalar(-1))), input('d.logp', ['R', 1]));
  return new Map([['logp', logp], ['d.x', gradients([turned], [dh], [x])[0]!]]); // biome-ignore format: one line reads best
}
