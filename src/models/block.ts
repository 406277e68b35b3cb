/**
 * A transformer block of the llama, qwen2 and qwen3 families as three graphs (before attention, attention, which attention.ts holds, and
 * after attention), each differentiated and partitioned. Pure: no engine, no weights.
 *
 * Symbols: N tokens of a micro-batch, C query rows of a chunk, T key rows that the chunk sees, R supervised rows of the head.
 */
import { type Graph, input } from '../graph/graph.ts';
import type { Partition } from '../graph/partition.ts';
import { anglesOf, BlockBuilder } from './block-builder.ts';
import type { BlockOptions } from './block-options.ts';
import type { ModelConfig } from './config.ts';
import { differentiate } from './differentiate.ts';

/** x [N, D] -> q [N, heads * headDim], k and v [N, kvHeads * headDim], rotated. `backwardFirst`: without the gradient of x. */
export function beforeAttention(config: ModelConfig, options: BlockOptions): Partition & { backwardFirst: Graph } {
  const block = new BlockBuilder(config, options);
  const x = input('x', ['N', config.modelWidth]);
  const { outputs, policy } = block.queriesKeysValues(x, anglesOf(config));
  const { trainable } = block;
  const accumulated = options.accumulates ? trainable : [];
  const whole = differentiate(outputs, [x, ...trainable], policy, { through: x, accumulated });
  const first = trainable.length > 0 ? differentiate(outputs, trainable, policy, { accumulated }).backward : new Map();
  return { ...whole, backwardFirst: first };
}

/** x [N, D] and the attention's output o [N, heads * headDim] -> the block's output y [N, D]. */
export function afterAttention(config: ModelConfig, options: BlockOptions): Partition {
  const block = new BlockBuilder(config, options);
  const x = input('x', ['N', config.modelWidth]);
  const o = input('o', ['N', config.heads * config.headDim]);
  const { outputs, policy } = block.output(x, o);
  return differentiate(outputs, [x, o, ...block.trainable], policy, {
    accumulated: options.accumulates ? block.trainable : [],
  });
}
