/**
 * A transformer block of the llama, qwen2 and qwen3 families as three graphs (before attention, attention of some query rows,
 * after attention) and the head, each differentiated and partitioned. Pure: no engine, no weights.
 *
 * Symbols: N tokens of a micro-batch, C query rows of a chunk, T key rows that the chunk sees, R supervised rows of the head.
 */
import { gradients } from '../graph/gradient/gradient.ts';
import {
  add,
  batchMatmul,
  type Graph,
  input,
  logProbability,
  matmul,
  mul,
  reshape,
  rmsNorm,
  rope,
  scalar,
  silu,
  softmax,
  transpose,
} from '../graph/graph.ts';
import type { Node, Shape } from '../graph/op.ts';
import { type Partition, partition } from '../graph/partition.ts';
import type { Projection } from '../lora/adapter.ts';
import { type ModelConfig, projectionDimensions } from './config.ts';

export interface BlockOptions {
  /** What the backward graphs give gradients of, beside the inputs: the adapter's matrices, or every weight of the block. */
  readonly trainable: 'adapter' | 'all';
  readonly targets: readonly Projection[];
  readonly rank: number;
  /** The factor on B A. */
  readonly scale: number;
  /** Dropout masks are inputs `mask.pre`, `mask.o`, `mask.mlp`, `mask.down` of the adapted inputs' shapes. */
  readonly dropout: boolean;
  /** q, k and v have biases. */
  readonly biases: boolean;
  /** q and k are normed per head (qwen3). */
  readonly headNorms: boolean;
}

/** Builds one stage, remembering its trainable inputs so that their gradients can be asked for. */
class Stage {
  readonly trainable: Node[] = [];
  private readonly masks = new Map<string, Node>();
  private readonly config: ModelConfig;
  private readonly options: BlockOptions;

  constructor(config: ModelConfig, options: BlockOptions) {
    this.config = config;
    this.options = options;
  }

  /** x W^T (+ bias) + scale (dropout(x) A^T) B^T; x [N, in] -> [N, out]. */
  linear(x: Node, projection: Projection, mask: string, bias = false): Node {
    const { inFeatures, outFeatures } = projectionDimensions(this.config, projection);
    let y = matmul(x, this.weight(`${projection}.weight`, [outFeatures, inFeatures]), { transposeB: true });
    if (bias) y = add(y, this.weight(`${projection}.bias`, [outFeatures]));
    if (!this.options.targets.includes(projection)) return y;
    const a = input(`${projection}.lora_A`, [this.options.rank, inFeatures]);
    const b = input(`${projection}.lora_B`, [outFeatures, this.options.rank]);
    this.trainable.push(a, b);
    const low = mul(matmul(this.drop(x, mask), a, { transposeB: true }), scalar(this.options.scale)); // [N, rank]
    return add(matmul(low, b, { transposeB: true }), y);
  }

  /** A base weight as an input. */
  weight(name: string, shape: Shape): Node {
    const n = input(name, shape);
    if (this.options.trainable === 'all') this.trainable.push(n);
    return n;
  }

  private drop(x: Node, mask: string): Node {
    if (!this.options.dropout) return x;
    const made = this.masks.get(mask) ?? mul(x, input(mask, x.shape));
    this.masks.set(mask, made);
    return made;
  }
}

/** Differentiates and splits a stage. `seeds` are inputs named `d.OUTPUT`; gradients are named `d.INPUT`. */
function finish(outputs: Graph, wanted: readonly Node[], policy: ReadonlyMap<string, Node>): Partition {
  const seeds = [...outputs].map(([name, n]) => input(`d.${name}`, n.shape));
  const made = gradients([...outputs.values()], seeds, wanted);
  const backward = new Map(wanted.map((n, i) => [`d.${n.op.kind === 'input' ? n.op.name : ''}`, made[i]!] as const));
  return partition(outputs, backward, policy);
}

/** x [N, D] -> q [N, heads * headDim], k and v [N, kvHeads * headDim], rotated. */
export function beforeAttention(config: ModelConfig, options: BlockOptions): Partition {
  const { headDim, heads, kvHeads, modelWidth, normEpsilon } = config;
  const stage = new Stage(config, options);
  const x = input('x', ['N', modelWidth]);
  const cos = input('cos', ['N', headDim / 2]);
  const sin = input('sin', ['N', headDim / 2]);
  const h = rmsNorm(x, stage.weight('attn_norm', [modelWidth]), normEpsilon);
  const policy = new Map<string, Node>();
  const project = (projection: Projection, name: string, count: number): Node => {
    const y = stage.linear(h, projection, 'mask.pre', options.biases);
    if (!options.headNorms) return rope(y, cos, sin, count);
    policy.set(`${name}_raw`, y);
    const normed = rmsNorm(reshape(y, [`${count}*N`, headDim]), stage.weight(`${name}_norm`, [headDim]), normEpsilon);
    return rope(reshape(normed, ['N', count * headDim]), cos, sin, count);
  };
  const q = project('q_proj', 'attn_q', heads);
  const k = project('k_proj', 'attn_k', kvHeads);
  const v = stage.linear(h, 'v_proj', 'mask.pre', options.biases);
  return finish(new Map([['q', q], ['k', k], ['v', v]]), [x, ...stage.trainable], policy); // biome-ignore format: one line reads best
}

/**
 * Attention of C query rows to T key rows: q [C, heads * headDim], k, v [T, kvHeads * headDim], bias [C, T] (0 or very negative).
 * Query heads that share a key head are folded into rows, so that keys and values are never repeated.
 */
export function attention(config: ModelConfig): Partition {
  const { headDim, heads, kvHeads } = config;
  const group = heads / kvHeads;
  const q = input('q', ['C', heads * headDim]);
  const k = input('k', ['T', kvHeads * headDim]);
  const v = input('v', ['T', kvHeads * headDim]);
  const bias = input('bias', ['C', 'T']);
  const rows = `${group}*C`;
  const scaled = mul(q, scalar(1 / Math.sqrt(headDim)));
  const byHead = transpose(reshape(scaled, ['C', kvHeads, group, headDim]), [1, 2, 0, 3]); // [KV, G, C, hd]
  const queries = reshape(byHead, [kvHeads, rows, headDim]);
  const keys = transpose(reshape(k, ['T', kvHeads, headDim]), [1, 0, 2]); // [KV, T, hd]
  const values = transpose(reshape(v, ['T', kvHeads, headDim]), [1, 0, 2]);
  const scores = reshape(batchMatmul(queries, keys, { transposeB: true }), [heads, 'C', 'T']);
  const p = reshape(softmax(add(scores, bias)), [kvHeads, rows, 'T']);
  const mixed = reshape(batchMatmul(p, values), [kvHeads, group, 'C', headDim]);
  const o = reshape(transpose(mixed, [2, 0, 1, 3]), ['C', heads * headDim]);
  return finish(new Map([['o', o]]), [q, k, v], new Map());
}

/** x [N, D] and the attention's output o [N, heads * headDim] -> the block's output y [N, D]. */
export function afterAttention(config: ModelConfig, options: BlockOptions): Partition {
  const { heads, headDim, modelWidth, normEpsilon } = config;
  const stage = new Stage(config, options);
  const x = input('x', ['N', modelWidth]);
  const o = input('o', ['N', heads * headDim]);
  const mid = add(stage.linear(o, 'o_proj', 'mask.o'), x);
  const h = rmsNorm(mid, stage.weight('ffn_norm', [modelWidth]), normEpsilon);
  const gate = stage.linear(h, 'gate_proj', 'mask.mlp');
  const up = stage.linear(h, 'up_proj', 'mask.mlp');
  const y = add(stage.linear(mul(silu(gate), up), 'down_proj', 'mask.down'), mid);
  const policy = new Map([['mid', mid], ['gate', gate], ['up', up]]); // biome-ignore format: one line reads best
  return finish(new Map([['y', y]]), [x, o, ...stage.trainable], policy);
}

/**
 * Final hidden rows x [R, D] and target [R, 1] -> log-probability `logp` [R, 1]. With `gradient`, also d.x for the seed d.logp, and for
 * 'all' d.output_norm and d.output too.
 */
export function head(config: ModelConfig, gradient: 'none' | 'input' | 'all'): Graph {
  const { modelWidth, normEpsilon, vocabulary } = config;
  const x = input('x', ['R', modelWidth]);
  const target = input('target', ['R', 1], 'int64');
  const norm = input('output_norm', [modelWidth]);
  const output = input('output', [vocabulary, modelWidth]);
  const logits = matmul(rmsNorm(x, norm, normEpsilon), output, { transposeB: true });
  const logp = logProbability(logits, target);
  if (gradient === 'none') return new Map([['logp', logp]]);
  const wanted = { 'd.x': x, ...(gradient === 'all' ? { 'd.output_norm': norm, 'd.output': output } : {}) };
  const made = gradients([logp], [input('d.logp', ['R', 1])], Object.values(wanted));
  return new Map([['logp', logp], ...Object.keys(wanted).map((name, i) => [name, made[i]!] as const)]);
}
