/** What an emitter works with, and what the tables of emitters are. */
import type { Node, Op, OpKind, PerInput } from '../../op.ts';
import type { Attributes, OnnxWriter } from '../writer.ts';

/** One graph as it is emitted. */
export interface EmittedGraph {
  readonly writer: OnnxWriter;
  /** What `unit-rows` is computed of in this graph: norms of the same are made from it. */
  readonly units: ReadonlySet<Node>;
  /** Outputs that are given as the kernel makes them: see `stackedOutputs`. */
  readonly stacked: ReadonlySet<Node>;
}

/** One node as it is emitted: ONNX nodes before it, and the one that gives its value. */
export class Emission {
  readonly graph: EmittedGraph;
  readonly node: Node;
  private readonly name: string;

  /** `name`: that of the node's value. */
  constructor(graph: EmittedGraph, node: Node, name: string) {
    this.graph = graph;
    this.node = node;
    this.name = name;
  }

  /** Adds an ONNX node; returns the name of its output, which later ones read. */
  emit(opType: string, input: readonly string[], attributes?: Attributes): string {
    return this.graph.writer.node(opType, input, attributes);
  }

  /** Adds the ONNX node whose output is the node's value. */
  result(opType: string, input: readonly string[], attributes?: Attributes): void {
    this.graph.writer.node(opType, input, attributes, this.name);
  }

  float(value: number): string {
    return this.graph.writer.float(value);
  }

  byte(value: number): string {
    return this.graph.writer.byte(value);
  }

  int64(...values: readonly number[]): string {
    return this.graph.writer.int64(values);
  }

  /** Columns of the node's value, a matrix. */
  get columns(): number {
    return this.node.shape[1] as number;
  }
}

/** Emits nodes of one kind, given the names of their inputs' values. */
export type Emitter<K extends OpKind> = (
  at: Emission,
  inputs: PerInput<K, string>,
  op: Extract<Op, { readonly kind: K }>,
) => void;
export type Emitters = { readonly [K in OpKind]: Emitter<K> };
