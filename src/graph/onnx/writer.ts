/**
 * ONNX nodes and constants as they are written, and the bytes of a model made of them. Opset 23 of ai.onnx, and some operators of com.microsoft.
 * Format: https://github.com/onnx/onnx/blob/main/docs/IR.md; the bytes are written by protobuf code generated from onnx.proto. Does not
 * know which operators a graph becomes (emit/).
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { hadamardMatrix } from '../hadamard.ts';
import type { DataType, Node } from '../op.ts';
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
/** Operators that ai.onnx does not have, or onnxruntime only has kernels of its own for. */
const microsoftOperators: ReadonlySet<string> = new Set(['FusedMatMul', 'MatMulIntegerToFloat']);

const dataTypes: Readonly<Record<DataType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  int64: TensorProto_DataType.INT64,
  int8: TensorProto_DataType.INT8,
  uint8: TensorProto_DataType.UINT8,
};

export type Attribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string }
  | { readonly dataType: DataType };
export type Attributes = Readonly<Record<string, Attribute>>;

function attributeProto(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if ('float' in value) return { name, type: AttributeProto_AttributeType.FLOAT, f: value.float };
  if ('int' in value) return { name, type: AttributeProto_AttributeType.INT, i: BigInt(value.int) };
  if ('dataType' in value) return attributeProto(name, { int: dataTypes[value.dataType] });
  if ('string' in value)
    return { name, type: AttributeProto_AttributeType.STRING, s: new TextEncoder().encode(value.string) };
  return { name, type: AttributeProto_AttributeType.INTS, ints: value.ints.map(BigInt) };
}

/** Collects the nodes and constants of a graph. Constants are named by their values, so that each is there once. */
export class OnnxWriter {
  readonly nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  readonly initializers = new Map<string, MessageInitShape<typeof TensorProtoSchema>>();
  private temporaries = 0;

  /** Adds a node and returns the name of its output. */
  node(opType: string, input: readonly string[], attributes: Attributes = {}, output?: string): string {
    const out = output ?? `t${this.temporaries++}`;
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    const domain = microsoftOperators.has(opType) ? 'com.microsoft' : '';
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

  /** What was written, as the bytes of a model. */
  model(input: readonly ValueInfo[], output: readonly ValueInfo[]): Uint8Array {
    const model = create(ModelProtoSchema, {
      irVersion,
      producerName: 'nomoat',
      opsetImport: [
        { domain: '', version: opsetVersion },
        { domain: 'com.microsoft', version: 1n },
      ],
      graph: {
        name: 'nomoat',
        node: this.nodes,
        initializer: [...this.initializers.values()],
        input: [...input],
        output: [...output],
      },
    });
    return toBinary(ModelProtoSchema, model);
  }
}

/** An input or output of a model: its name, shape and type. */
export type ValueInfo = MessageInitShape<typeof ValueInfoProtoSchema>;

export function valueInfo(name: string, { shape, type }: Pick<Node, 'shape' | 'type'>): ValueInfo {
  const dim = shape.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : { value: { case: 'dimParam' as const, value: size } },
  );
  const elemType = dataTypes[type];
  return { name, type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } } };
}

/** An output that is a sequence of float32 scalars. */
export function sequenceInfo(name: string): ValueInfo {
  const element = {
    value: { case: 'tensorType' as const, value: { elemType: TensorProto_DataType.FLOAT, shape: { dim: [] } } },
  };
  return { name, type: { value: { case: 'sequenceType', value: { elemType: element } } } };
}
