/**
 * The parts of a transformer block of the llama, qwen2 and qwen3 families, as nodes. Pure. Symbols as in block.ts.
 */
import {
  type Angles,
  add,
  columns,
  type Graph,
  input,
  int8Matmul,
  matmul,
  mul,
  quantizeRows,
  reshape,
  rmsNorm,
  rope,
  silu,
} from '../graph/graph.ts';
import type { DataType, Node, Shape } from '../graph/op.ts';
import type { Projection } from '../lora/adapter.ts';
import { type BlockOptions, type ProjectionGroup, projectionGroups } from './block-options.ts';
import { type ModelConfig, projectionDimensions } from './config.ts';
import { hadamardRows } from './hadamard-rows.ts';

/** Named values of a part of a block, and those worth saving for backward. */
export interface Built {
  readonly outputs: Graph;
  readonly policy: ReadonlyMap<string, Node>;
}

export function anglesOf({ headDim }: ModelConfig, rows = 'N'): Angles {
  return { cos: input('cos', [rows, headDim / 2]), sin: input('sin', [rows, headDim / 2]) };
}

/** Builds the parts of one block, remembering its trainable inputs so that their gradients can be asked for. */
export class BlockBuilder {
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

  /** x W^T of a projection; in int8, x is Hadamard-transformed and quantized once for all. */
  private frozen(x: Node): (projection: Projection) => Node {
    const sizes = (projection: Projection) => projectionDimensions(this.config, projection);
    if (this.options.precision === 'f32') {
      return (projection) => {
        const { inFeatures, outFeatures } = sizes(projection);
        return matmul(x, this.weight(`${projection}.weight`, [outFeatures, inFeatures]), { transposeB: true });
      };
    }
    const quantized = quantizeRows(hadamardRows(x));
    return (projection) => {
      const { inFeatures, outFeatures } = sizes(projection);
      const values = this.input(`${projection}.weight`, [inFeatures, outFeatures], 'int8');
      return int8Matmul(quantized, { values, scale: this.input(`${projection}.scale`, [outFeatures]) });
    };
  }

  /** A base weight as an input. */
  weight(name: string, shape: Shape): Node {
    const n = this.input(name, shape);
    if (this.options.trainable === 'all') this.trainable.push(n);
    return n;
  }

  /** x [N, D], cos and sin [N, headDim / 2] -> q [N, heads * headDim], k and v [N, kvHeads * headDim], rotated. */
  queriesKeysValues(x: Node, angles: Angles): Built {
    const { headDim, heads, kvHeads, modelWidth, normEpsilon } = this.config;
    const h = rmsNorm(x, this.weight('attn_norm', [modelWidth]), normEpsilon);
    const rows = x.shape[0]!;
    const policy = new Map<string, Node>();
    const rotate = (y: Node, name: string, count: number): Node => {
      if (!this.options.qkNorms) return rope(y, angles, { heads: count });
      policy.set(`${name}_raw`, y);
      const normed = rmsNorm(
        reshape(y, [`${count}*${rows}`, headDim]),
        this.weight(`${name}_norm`, [headDim]),
        normEpsilon,
      );
      return rope(reshape(normed, [rows, count * headDim]), angles, { heads: count });
    };
    const [yq, yk, v] = this.project(h, 'pre', this.options.biases) as [Node, Node, Node];
    const outputs = new Map([
      ['q', rotate(yq, 'attn_q', heads)],
      ['k', rotate(yk, 'attn_k', kvHeads)],
      ['v', v],
    ]);
    return { outputs, policy };
  }

  /** The block's input x [N, D] and the attention's output o [N, heads * headDim] -> the block's output y [N, D]. */
  output(x: Node, o: Node): Built {
    const { modelWidth, normEpsilon } = this.config;
    const [attended] = this.project(o, 'o') as [Node];
    const mid = add(attended, x);
    const h = rmsNorm(mid, this.weight('ffn_norm', [modelWidth]), normEpsilon);
    const [gate, up] = this.project(h, 'mlp') as [Node, Node];
    const [down] = this.project(mul(silu(gate), up), 'down') as [Node];
    const policy = new Map([
      ['mid', mid],
      ['gate', gate],
      ['up', up],
    ]);
    return { outputs: new Map([['y', add(down, mid)]]), policy };
  }
}
