/** What is emitted for WebGPU keeps to operators that onnxruntime-node 1.30 has there: a check that needs no adapter. */
import { fromBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { projections } from '../../lora/adapter.ts';
import { attention } from '../../models/attention.ts';
import { afterAttention, beforeAttention } from '../../models/block.ts';
import type { ModelConfig } from '../../models/config.ts';
import { head } from '../../models/head.ts';
import { emitOnnx } from './emit.ts';
import { ModelProtoSchema } from './gen/onnx_pb.js';
import { emitAddRows, emitTakeRows } from './rows.ts';

/** Each was seen to run with the fallback to the CPU forbidden (docs/decisions, webgpu). */
const onWebgpu = [
  'Add', 'Div', 'Gemm', 'GatherElements', 'Log', 'MatMul', 'Mul', 'Neg', 'Pad', 'QuickGelu', 'RMSNormalization', 'ReduceMax',
  'ReduceMean', 'ReduceSum', 'Reshape', 'RotaryEmbedding', 'ScatterElements', 'Sigmoid', 'Slice', 'Softmax', 'Sqrt', 'Sub', 'Transpose',
]; // biome-ignore format: a list

const config = {
  modelWidth: 16,
  feedForward: 32,
  heads: 4,
  kvHeads: 2,
  headDim: 4,
  layers: 1,
  vocabulary: 8,
  normEpsilon: 1e-5,
} as ModelConfig;

const operators = (model: Uint8Array): string[] =>
  fromBinary(ModelProtoSchema, model).graph!.node.map(({ opType }) => opType);

test('every float32 graph keeps to the operators of WebGPU', () => {
  const seen = new Set([emitTakeRows(), emitAddRows()].flatMap(operators));
  let graphs = 0;
  for (const trainable of ['adapter', 'all'] as const) {
    for (const qkNorms of [false, true]) {
      const targets = trainable === 'all' ? [] : projections;
      const options = {
        trainable,
        precision: 'f32',
        targets,
        rank: 2,
        dropout: true,
        biases: true,
        qkNorms,
      } as const;
      const stages = [beforeAttention(config, options), attention(config), afterAttention(config, options)];
      const all = [
        ...stages.flatMap(({ backward, forward }) => [forward, backward]),
        head(config, trainable === 'all' ? 'all' : 'input'),
        head(config, 'none'),
      ];
      graphs += all.length;
      for (const graph of all) for (const operator of operators(emitOnnx(graph, 'webgpu'))) seen.add(operator);
    }
  }
  expect(graphs).toBe(32);
  expect([...seen].filter((operator) => !onWebgpu.includes(operator))).toEqual([]);
});

test('on the CPU the faster operators and the output that stops the binding stay', () => {
  const seen = Object.values(attention(config))
    .filter((part) => part instanceof Map)
    .flatMap((graph) => operators(emitOnnx(graph)));
  expect(seen).toContain('FusedMatMul');
  expect(seen).toContain('SequenceConstruct');
});
