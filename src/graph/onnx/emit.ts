/** A graph as ONNX bytes: one mapping per op kind, by kind of op in emit/. */
import { type Graph, inOrder } from '../graph.ts';
import type { Node, OpKind, PerInput } from '../op.ts';
import { arithmetic } from './emit/arithmetic.ts';
import { attention } from './emit/attention.ts';
import { Emission, type Emitter, type Emitters } from './emit/emission.ts';
import { loss } from './emit/loss.ts';
import { norm } from './emit/norm.ts';
import { quantized } from './emit/quantized.ts';
import { shape } from './emit/shape.ts';
import { webgpu } from './emit/webgpu.ts';
import { OnnxWriter, sequenceInfo, type ValueInfo, valueInfo } from './writer.ts';

/** Where a graph will run. WebGPU has fewer kernels than the CPU: what it lacks is emitted as operators that it has. */
export type Device = 'cpu' | 'webgpu';

const cpuEmitters: Emitters = {
  input: () => {},
  scalar: () => {},
  ...arithmetic,
  ...shape,
  ...norm,
  ...attention,
  ...loss,
  ...quantized,
};
const emitters: Readonly<Record<Device, Emitters>> = { cpu: cpuEmitters, webgpu: { ...cpuEmitters, ...webgpu } };

/** The output that makes the binding hand nothing back; see emitOnnx. */
export const nothingFetched = 'nothing';

/** A sequence of one number: a value that onnxruntime-node cannot convert. */
function addNothing(writer: OnnxWriter): ValueInfo {
  writer.node('SequenceConstruct', [writer.float(0)], {}, nothingFetched);
  return sequenceInfo(nothingFetched);
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

/** What each node's value is called: inputs and outputs as they are named. */
function valueNames(order: readonly Node[], graph: Graph, writer: OnnxWriter): ReadonlyMap<Node, string> {
  const outputs = new Map([...graph].map(([name, n]) => [n, name]));
  if (outputs.size !== graph.size) throw new Error('emit: one value under two output names');
  const nameOf = (n: Node, i: number): string => {
    if (n.op.kind === 'input') return n.op.name;
    if (n.op.kind === 'scalar') return writer.float(n.op.value);
    return outputs.get(n) ?? `v${i}`;
  };
  return new Map(order.map((n, i) => [n, nameOf(n, i)]));
}

/**
 * ONNX bytes of `graph`; inputs and outputs keep their names. The first output is a sequence, which onnxruntime-node refuses to
 * convert: with all outputs given as buffers to write to, the run ends there, and the binding copies none of them once more. WebGPU
 * has no sequences; there the outputs stay on the device.
 */
export function emitOnnx(graph: Graph, device: Device = 'cpu'): Uint8Array {
  const order = inOrder(graph.values());
  const writer = new OnnxWriter();
  const names = valueNames(order, graph, writer);
  const stacked = stackedOutputs(graph, device);
  const emitted = {
    writer,
    units: new Set(order.flatMap((n) => (n.op.kind === 'unit-rows' ? [n.inputs[0]!] : []))),
    stacked: new Set([...stacked].map((name) => graph.get(name)!)),
  };
  for (const n of order) {
    const inputs: readonly string[] = n.inputs.map((i) => names.get(i)!);
    // Looked up by kind: that op and inputs are of this emitter's kind is no longer in the types.
    const emit = emitters[device][n.op.kind] as Emitter<OpKind>;
    emit(new Emission(emitted, n, names.get(n)!), inputs as PerInput<OpKind, string>, n.op);
  }
  const input = order.flatMap((n) => (n.op.kind === 'input' ? [valueInfo(n.op.name, n)] : []));
  const given = [...graph].map(([name, n]) =>
    valueInfo(name, stacked.has(name) ? { ...n, shape: [1, ...n.shape] } : n),
  );
  return writer.model(input, device === 'cpu' ? [addNothing(writer), ...given] : given);
}
