/**
 * A graph as ONNX bytes: one mapping per op kind. Opset 23 of ai.onnx, and com.microsoft's FusedMatMul and int8 products.
 * Format: https://github.com/onnx/onnx/blob/main/docs/IR.md; the bytes are written by protobuf code generated from onnx.proto.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { Graph } from '../graph.ts';
import { inferredSizes, inOrder } from '../graph.ts';
import { hadamardMatrix } from '../hadamard.ts';
import type { DataType, Node, Op, OpKind } from '../op.ts';
import {
  AttributeProto_AttributeType,
  type AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from './gen/onnx_pb.js';

const irVersion = 10n;
const opsetVersion = 23n;

/** Quantised numbers are 128 - 127 .. 128 + 127, or 0 .. 255 where they have no sign. */
const levelsOf = (signed: boolean): number => (signed ? 127 : 255);
const zeroPointOf = (signed: boolean): number => (signed ? 128 : 0);
/** Added to the scale of a row, so that a row of zeros divides by something. */
const leastScale = 1e-30;
const dataTypes: Readonly<Record<DataType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  int64: TensorProto_DataType.INT64,
  int8: TensorProto_DataType.INT8,
  uint8: TensorProto_DataType.UINT8,
};
/** The output that makes the binding hand nothing back; see emitOnnx. */
export const nothingFetched = 'nothing';

type Attribute = { float: number } | { int: number } | { ints: readonly number[] } | { string: string };
type Emitter<K extends OpKind> = (
  to: Writer,
  op: Extract<Op, { kind: K }>,
  n: Node,
  inputs: readonly string[],
  out: string,
) => void;

/** Collects the nodes and constants of a graph. */
export class Writer {
  readonly nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  readonly initializers = new Map<string, MessageInitShape<typeof TensorProtoSchema>>();
  /** What `unit-rows` is computed of in this graph: norms of the same are made from it. */
  readonly units: ReadonlySet<Node>;
  /** Outputs that are given as the kernel makes them: see `stackedOutputs`. */
  readonly stacked: ReadonlySet<Node>;
  private temporaries = 0;

  constructor(order: readonly Node[] = [], stacked: ReadonlySet<Node> = new Set()) {
    this.stacked = stacked;
    this.units = new Set(order.flatMap((n) => (n.op.kind === 'unit-rows' ? [n.inputs[0]!] : [])));
  }

  /** Adds a node and returns the name of its output. */
  node(
    opType: string,
    input: readonly string[],
    attributes: Record<string, Attribute> = {},
    output?: string,
    domain = '',
  ): string {
    const out = output ?? `t${this.temporaries++}`;
    const attribute = Object.entries(attributes).map(([name, value]): MessageInitShape<typeof AttributeProtoSchema> => {
      if ('float' in value) return { name, type: AttributeProto_AttributeType.FLOAT, f: value.float };
      if ('int' in value) return { name, type: AttributeProto_AttributeType.INT, i: BigInt(value.int) };
      if ('string' in value)
        return { name, type: AttributeProto_AttributeType.STRING, s: new TextEncoder().encode(value.string) };
      return { name, type: AttributeProto_AttributeType.INTS, ints: value.ints.map(BigInt) };
    });
    this.nodes.push({ opType, name: out, input: [...input], output: [out], attribute, domain });
    return out;
  }

  int64(values: readonly number[]): string {
    const name = `i64_${values.join('_').replaceAll('-', 'm')}`;
    this.initializers.set(name, {
      name,
      dims: [BigInt(values.length)],
      dataType: TensorProto_DataType.INT64,
      int64Data: values.map(BigInt),
    });
    return name;
  }

  byte(value: number): string {
    const name = `u8_${value}`;
    this.initializers.set(name, { name, dims: [], dataType: TensorProto_DataType.UINT8, int32Data: [value] });
    return name;
  }

  /** H / sqrt(block) of hadamard.ts. */
  hadamard(block: number): string {
    const name = `hadamard_${block}`;
    const dims = [BigInt(block), BigInt(block)];
    const floatData = [...hadamardMatrix(block)];
    this.initializers.set(name, { name, dims, dataType: TensorProto_DataType.FLOAT, floatData });
    return name;
  }

  float(value: number): string {
    const name = `f32_${String(value).replaceAll('-', 'm').replaceAll('.', 'p')}`;
    this.initializers.set(name, { name, dims: [], dataType: TensorProto_DataType.FLOAT, floatData: [value] });
    return name;
  }
}

const trans = (op: { transposeA: boolean; transposeB: boolean }): Record<string, Attribute> => ({
  transA: { int: Number(op.transposeA) },
  transB: { int: Number(op.transposeB) },
});

/** sqrt(mean(x^2) + epsilon) of each row, [R, 1]. Where it is written twice for one x, onnxruntime computes it once. */
function rootMeanSquare(to: Writer, x: string, epsilon: number): string {
  const square = to.node('ReduceMean', [to.node('Mul', [x, x]), to.int64([-1])], { keepdims: { int: 1 } });
  return to.node('Sqrt', [to.node('Add', [square, to.float(epsilon)])]);
}

const unitRows = (to: Writer, x: string, epsilon: number, out?: string): string =>
  to.node('Div', [x, rootMeanSquare(to, x, epsilon)], {}, out);

/** Both ops on rows are one kernel; they differ in their gradients. */
const gather = (to: Writer, _: Op, __: Node, [x, index]: readonly string[], out: string): void =>
  void to.node('Gather', [x!, index!], { axis: { int: 0 } }, out);

const emitters: { readonly [K in OpKind]: Emitter<K> } = {
  input: () => {},
  scalar: () => {},
  add: (to, _, __, inputs, out) => void to.node('Add', inputs, {}, out),
  mul: (to, _, __, inputs, out) => void to.node('Mul', inputs, {}, out),
  matmul: (to, op, _, inputs, out) =>
    void (op.transposeA || op.transposeB
      ? to.node('Gemm', inputs, trans(op), out)
      : to.node('MatMul', inputs, {}, out)),
  'batch-matmul': (to, op, _, inputs, out) =>
    void (op.transposeA || op.transposeB || op.factor !== 1
      ? to.node('FusedMatMul', inputs, { ...trans(op), alpha: { float: op.factor } }, out, 'com.microsoft')
      : to.node('MatMul', inputs, {}, out)),
  sigmoid: (to, _, __, inputs, out) => void to.node('Sigmoid', inputs, {}, out),
  // onnxruntime makes one kernel of the two, unless backward needs the sigmoid anyway and shares it.
  silu: (to, _, __, [x], out) => void to.node('Mul', [x!, to.node('Sigmoid', [x!])], {}, out),
  'silu-grad': (to, _, __, [s, y, dy], out) => {
    // s + y (1 - s)
    const slope = to.node('Add', [to.node('Mul', [to.node('Sub', [to.float(1), s!]), y!]), s!]);
    to.node('Mul', [slope, dy!], {}, out);
  },
  softmax: (to, _, __, inputs, out) => void to.node('Softmax', inputs, { axis: { int: -1 } }, out),
  'softmax-grad': (to, _, __, [y, dy], out) => {
    const weighted = to.node('Mul', [y!, dy!]);
    const sum = to.node('ReduceSum', [weighted, to.int64([-1])], { keepdims: { int: 1 } });
    to.node('Sub', [weighted, to.node('Mul', [y!, sum])], {}, out);
  },
  'rms-norm': (to, { epsilon }, n, [x, weight], out) => {
    if (to.units.has(n.inputs[0]!)) to.node('Mul', [unitRows(to, x!, epsilon), weight!], {}, out);
    else to.node('RMSNormalization', [x!, weight!], { axis: { int: -1 }, epsilon: { float: epsilon } }, out);
  },
  'unit-rows': (to, { epsilon }, _, [x], out) => void unitRows(to, x!, epsilon, out),
  'rms-norm-grad': (to, { epsilon }, _, [unit, x, g], out) => {
    // dx = (g - u mean(g u)) / rms(x), u = x / rms(x)
    const mean = to.node('ReduceMean', [to.node('Mul', [g!, unit!]), to.int64([-1])], { keepdims: { int: 1 } });
    const pulled = to.node('Sub', [g!, to.node('Mul', [unit!, mean])]);
    to.node('Div', [pulled, rootMeanSquare(to, x!, epsilon)], {}, out);
  },
  rope: (to, { heads, inverse }, n, [x, cos, sin], out) => {
    const width = n.shape[1] as number;
    const half = width / heads / 2;
    const x3 = to.node('Reshape', [x!, to.int64([1, -1, width])]);
    const signed = inverse ? to.node('Neg', [sin!]) : sin!;
    const angles = [cos!, signed].map((angle) => to.node('Reshape', [angle, to.int64([1, -1, half])]));
    const rotated = [x3, ...angles] as const;
    if (to.stacked.has(n)) to.node('RotaryEmbedding', rotated, { num_heads: { int: heads } }, out);
    else {
      const y = to.node('RotaryEmbedding', rotated, { num_heads: { int: heads } });
      to.node('Reshape', [y, to.int64([-1, width])], {}, out);
    }
  },
  reshape: (to, _, n, inputs, out) =>
    void to.node('Reshape', [inputs[0]!, to.int64(inferredSizes(n.inputs[0]!.shape, n.shape))], {}, out),
  transpose: (to, { permutation }, _, inputs, out) =>
    void to.node('Transpose', inputs, { perm: { ints: permutation } }, out),
  cast: (to, op, _, [x], out) => void to.node('Cast', [x!], { to: { int: dataTypes[op.to] } }, out),
  'gather-rows': gather,
  'order-rows': gather,
  columns: (to, { from, to: end }, _, [x], out) =>
    void to.node('Slice', [x!, to.int64([from]), to.int64([end]), to.int64([1])], {}, out),
  'pad-columns': (to, { from, width }, n, [x], out) => {
    const own = n.inputs[0]!.shape[1] as number;
    to.node('Pad', [x!, to.int64([0, from, 0, width - from - own])], {}, out);
  },
  hadamard: (to, { block }, n, [x], out) => {
    const blocks = to.node('Reshape', [x!, to.int64([-1, block])]);
    const rotated = to.node('MatMul', [blocks, to.hadamard(block)]);
    to.node('Reshape', [rotated, to.int64([-1, n.shape[1] as number])], {}, out);
  },
  'row-scale': (to, { signed }, _, [x], out) => {
    const size = signed ? to.node('Abs', [x!]) : x!;
    const top = to.node('ReduceMax', [size, to.int64([-1])], { keepdims: { int: 1 } });
    to.node('Add', [to.node('Mul', [top, to.float(1 / levelsOf(signed))]), to.float(leastScale)], {}, out);
  },
  quantise: (to, _, __, [x, scale], out) => {
    // One scale a row is QuantizeLinear's per-axis form: a single kernel instead of divide, round, add and cast.
    const flat = to.node('Reshape', [scale!, to.int64([-1])]);
    const zeros = to.node('Expand', [to.byte(zeroPointOf(true)), to.node('Shape', [flat])]);
    to.node('QuantizeLinear', [x!, flat, zeros], { axis: { int: 0 } }, out);
  },
  dither: (to, _, __, [x, scale, thresholds], out) => {
    const steps = to.node('Add', [to.node('Div', [x!, scale!]), thresholds!]);
    to.node('QuantizeLinear', [steps, to.float(1), to.byte(zeroPointOf(false))], {}, out);
  },
  'int8-matmul': (to, { signed }, _, [x, scale, weight, weightScale], out) =>
    int8Product(to, x!, scale!, weight!, weightScale!, signed, out),
  'int8-matmul-transposed': (to, _, __, [x, scale, weight], out) => {
    const turned = to.node('Transpose', [weight!], { perm: { ints: [1, 0] } });
    int8Product(to, x!, scale!, turned, to.float(1), true, out);
  },
  'row-dot': (to, _, __, inputs, out) =>
    void to.node('ReduceSum', [to.node('Mul', inputs), to.int64([-1])], { keepdims: { int: 1 } }, out),
  'sum-rows': (to, _, __, [x], out) => void to.node('ReduceSum', [x!, to.int64([0])], { keepdims: { int: 0 } }, out),
  // The two share the logarithms: the engine computes once what is written twice.
  'log-probability': (to, _, __, [logits, target], out) =>
    void to.node('GatherElements', [logProbabilities(to, logits!), target!], { axis: { int: 1 } }, out),
  'log-probability-grad': (to, _, __, [logits, target], out) => {
    const p = to.node('Exp', [logProbabilities(to, logits!)]);
    addAt(to, p, target!, to.node('Expand', [to.float(-1), to.node('Shape', [target!])]), out);
  },
  exp: (to, _, __, [x], out) => void to.node('Exp', [x!], {}, out),
  'zero-at': (to, _, __, [x, index], out) => {
    const zeros = to.node('Expand', [to.float(0), to.node('Shape', [index!])]);
    to.node('ScatterElements', [x!, index!, zeros], { axis: { int: 1 } }, out);
  },
};

/**
 * uint8 times int8: the other combinations have no fast kernel. The kernel takes a scale a row as well, but multiplies by it in one thread:
 * an op of its own is shared out among all.
 */
function int8Product(
  to: Writer,
  x: string,
  scale: string,
  weight: string,
  weightScale: string,
  signed: boolean,
  out: string,
): void {
  const inputs = [x, weight, to.float(1), weightScale, to.byte(zeroPointOf(signed))];
  to.node('Mul', [to.node('MatMulIntegerToFloat', inputs, {}, undefined, 'com.microsoft'), scale], {}, out);
}

const logProbabilities = (to: Writer, logits: string): string => to.node('LogSoftmax', [logits], { axis: { int: -1 } });

/** x [R, V] with values [R, 1] added at the columns `index` [R, 1]; in place where nothing else reads x. */
const addAt = (to: Writer, x: string, index: string, values: string, out: string): string =>
  to.node('ScatterElements', [x, index, values], { axis: { int: 1 }, reduction: { string: 'add' } }, out);

type ValueInfo = MessageInitShape<typeof ValueInfoProtoSchema>;

export function valueInfo(name: string, { shape, type }: Pick<Node, 'shape' | 'type'>): ValueInfo {
  const dim = shape.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : { value: { case: 'dimParam' as const, value: size } },
  );
  const elemType = dataTypes[type];
  return { name, type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } } };
}

/** Where a graph will run. WebGPU has fewer kernels than the CPU: what it lacks is emitted as operators that it has. */
export type Device = 'cpu' | 'webgpu';

/** A matrix stack with its last two axes exchanged, or as it is. */
function exchanged(to: Writer, name: string, rank: number, exchange: boolean): string {
  if (!exchange) return name;
  const axes = Array.from({ length: rank }, (_, i) => i);
  return to.node('Transpose', [name], { perm: { ints: [...axes.slice(0, -2), rank - 1, rank - 2] } });
}

/** Emitters that differ on WebGPU (docs/decisions: webgpu). */
const webgpuEmitters: { readonly [K in OpKind]?: Emitter<K> } = {
  // No FusedMatMul there.
  'batch-matmul': (to, { factor, transposeA, transposeB }, n, [a, b], out) => {
    const rank = n.shape.length;
    const sides = [exchanged(to, a!, rank, transposeA), exchanged(to, b!, rank, transposeB)];
    if (factor === 1) to.node('MatMul', sides, {}, out);
    else to.node('Mul', [to.node('MatMul', sides), to.float(factor)], {}, out);
  },
  // No LogSoftmax, no Exp.
  'log-probability': (to, _, __, [logits, target], out) => {
    // l_y - max(l) + log(max P): exact where P_y itself underflows.
    const at = to.node('GatherElements', [logits!, target!], { axis: { int: 1 } });
    const last = to.int64([-1]);
    const top = to.node('ReduceMax', [logits!, last], { keepdims: { int: 1 } });
    const topP = to.node('ReduceMax', [to.node('Softmax', [logits!], { axis: { int: -1 } }), last], {
      keepdims: { int: 1 },
    });
    to.node('Add', [to.node('Sub', [at, top]), to.node('Log', [topP])], {}, out);
  },
  'log-probability-grad': (to, _, __, [logits, target], out) => {
    const p = to.node('Softmax', [logits!], { axis: { int: -1 } });
    const some = to.node('GatherElements', [p, target!], { axis: { int: 1 } });
    addAt(to, p, target!, to.node('Sub', [to.node('Mul', [some, to.float(0)]), to.float(1)]), out);
  },
};

/** A sequence of one number: a value that onnxruntime-node cannot convert. */
function addNothing(to: Writer): ValueInfo {
  to.node('SequenceConstruct', [to.float(0)], {}, nothingFetched);
  const element = {
    value: { case: 'tensorType' as const, value: { elemType: TensorProto_DataType.FLOAT, shape: { dim: [] } } },
  };
  return { name: nothingFetched, type: { value: { case: 'sequenceType', value: { elemType: element } } } };
}

/** The graph that was written, as bytes. */
export function serialise(to: Writer, input: readonly ValueInfo[], output: readonly ValueInfo[]): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName: 'nomoat',
    opsetImport: [
      { domain: '', version: opsetVersion },
      { domain: 'com.microsoft', version: 1n },
    ],
    graph: {
      name: 'nomoat',
      node: to.nodes,
      initializer: [...to.initializers.values()],
      input: [...input],
      output: [...output],
    },
  });
  return toBinary(ModelProtoSchema, model);
}

/**
 * Outputs that the engine gives as [1, N, W] instead of [N, W], because their kernel makes them so and a reshaped output would be copied:
 * those rotated that no other node of the graph reads. On the CPU only: a device's outputs are its own.
 */
export function stackedOutputs(graph: Graph, device: Device): Set<string> {
  if (device !== 'cpu') return new Set();
  const read = new Set(inOrder(graph.values()).flatMap((n) => n.inputs));
  return new Set([...graph].flatMap(([name, n]) => (n.op.kind === 'rope' && !read.has(n) ? [name] : [])));
}

/**
 * ONNX bytes of `graph`; inputs and outputs keep their names. The first output is a sequence, which onnxruntime-node refuses to
 * convert: with all outputs given as buffers to write to, the run ends there, and the binding copies none of them once more. WebGPU
 * has no sequences; there the outputs stay on the device.
 */
export function emitOnnx(graph: Graph, device: Device = 'cpu'): Uint8Array {
  const table = device === 'webgpu' ? { ...emitters, ...webgpuEmitters } : emitters;
  const order = inOrder(graph.values());
  const outputNames = new Map([...graph].map(([name, n]) => [n, name]));
  if (outputNames.size !== graph.size) throw new Error('emit: one value under two output names');
  const stacked = stackedOutputs(graph, device);
  const to = new Writer(order, new Set([...stacked].map((name) => graph.get(name)!)));
  const names = new Map<Node, string>();
  order.forEach((n, i) => {
    if (n.op.kind === 'input') names.set(n, n.op.name);
    else if (n.op.kind === 'scalar') names.set(n, to.float(n.op.value));
    else names.set(n, outputNames.get(n) ?? `v${i}`);
  });
  for (const n of order) {
    const emit = table[n.op.kind] as Emitter<OpKind>;
    const inputs = n.inputs.map((i) => names.get(i)!);
    emit(to, n.op, n, inputs, names.get(n)!);
  }
  const input = order.flatMap((n) => (n.op.kind === 'input' ? [valueInfo(n.op.name, n)] : []));
  const given = [...graph].map(([name, n]) =>
    valueInfo(name, stacked.has(name) ? { ...n, shape: [1, ...n.shape] } : n),
  );
  const output = device === 'cpu' ? [addNothing(to), ...given] : given;
  return serialise(to, input, output);
}
