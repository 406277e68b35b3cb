/** A small model as one graph. Pure. Symbols as in block.ts. */
import { gradients } from '../graph/gradient/gradient.ts';
import { type Graph, input, logProbability, matmul, rmsNorm } from '../graph/graph.ts';
import type { Node } from '../graph/op.ts';
import { attendTiles, inRows, inTiles, tilesOf } from './attention.ts';
import { anglesOf, BlockBuilder } from './block-builder.ts';
import type { BlockOptions } from './block-options.ts';
import type { ModelConfig } from './config.ts';
import { nameOf, summed } from './differentiate.ts';

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
    const block = new BlockBuilder(config, options, `${layer}.`);
    const { outputs } = block.queriesKeysValues(hidden, angles);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => outputs.get(name)!) as [Node, Node, Node];
    const [tq, tk, tv] = [q, k, v].map((x) => inTiles(x, tiles)) as [Node, Node, Node];
    const o = inRows(attendTiles(config, tiles, [tq, tk, tv]).o, tiles);
    hidden = block.output(hidden, o).outputs.get('y')!;
    trained.push(...block.trainable);
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
