/** The compiled graphs of a block and the head. */

import type { Graph } from '../graph/graph.ts';
import type { Device } from '../graph/onnx/emit.ts';
import { afterAttention, attention, type BlockOptions, beforeAttention, head, int8Head } from '../models/block.ts';
import type { ModelConfig } from '../models/config.ts';
import { Executor } from '../runtime/onnxruntime-node/executor.ts';

export interface Stages {
  readonly preForward: Executor;
  readonly preBackward: Executor;
  /** Of the first block: its input is not trained by an adapter. Null where nothing before attention is trained. */
  readonly preBackwardFirst: Executor | null;
  readonly attentionForward: Executor;
  readonly attentionBackward: Executor;
  readonly postForward: Executor;
  readonly postBackward: Executor;
  readonly head: Executor;
  readonly headForward: Executor;
}

/** Compiles them; takes a fraction of a second, whatever the model's depth. */
export async function openStages(
  config: ModelConfig,
  options: BlockOptions,
  threads: number,
  device: Device = 'cpu',
): Promise<Stages> {
  const make = (graph: Graph): Promise<Executor> => Executor.create(graph, threads, device);
  const pre = beforeAttention(config, options);
  const att = attention(config);
  const post = afterAttention(config, options);
  const int8 = options.precision === 'int8';
  return {
    preForward: await make(pre.forward),
    preBackward: await make(pre.backward),
    preBackwardFirst: pre.backwardFirst.size > 0 ? await make(pre.backwardFirst) : null,
    attentionForward: await make(att.forward),
    attentionBackward: await make(att.backward),
    postForward: await make(post.forward),
    postBackward: await make(post.backward),
    head: await make(int8 ? int8Head(config, 'input') : head(config, options.trainable === 'all' ? 'all' : 'input')),
    headForward: await make(int8 ? int8Head(config, 'none') : head(config, 'none')),
  };
}

export async function closeStages(stages: Stages): Promise<void> {
  for (const stage of Object.values(stages) as (Executor | null)[]) await stage?.close();
}
