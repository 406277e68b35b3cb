/**
 * Runs one graph on onnxruntime-node's CPU provider. Promises equal results for equal inputs and threads.
 * Knows nothing of models: ONNX bytes in, named arrays through.
 */
import './no-telemetry.ts';
import * as ort from 'onnxruntime-node';
import type { Graph } from '../../graph/graph.ts';
import { emitOnnx } from '../../graph/onnx/emit.ts';

export type Feed = ort.Tensor;

/** A float32 tensor over `values`, which are wrapped, not copied. */
export function floats(values: Float32Array, shape: readonly number[]): Feed {
  return new ort.Tensor('float32', values, shape);
}

export function integers(values: BigInt64Array, shape: readonly number[]): Feed {
  return new ort.Tensor('int64', values, shape);
}

export class Executor {
  readonly inputs: readonly string[];
  private readonly session: ort.InferenceSession;

  private constructor(session: ort.InferenceSession) {
    this.session = session;
    this.inputs = session.inputNames;
  }

  static async create(graph: Graph, threads: number): Promise<Executor> {
    const session = await ort.InferenceSession.create(emitOnnx(graph), {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // The memory pattern doubles the peak (docs: facts of the design); the arena is what makes reuse cheap.
      enableMemPattern: false,
      enableCpuMemArena: true,
      logSeverityLevel: 3,
      // Sessions that spin while another one computes take its cores.
      extra: { session: { force_spinning_stop: '1' } },
    });
    return new Executor(session);
  }

  /** Feeds the inputs that the graph has, by name, and returns every output. Throws where one is missing. */
  async run(feeds: ReadonlyMap<string, Feed>): Promise<Record<string, Float32Array>> {
    const given: Record<string, Feed> = {};
    for (const name of this.inputs) {
      const feed = feeds.get(name);
      if (!feed) throw new Error(`executor: no value for the input ${name}`);
      given[name] = feed;
    }
    const results = await this.session.run(given);
    const out: Record<string, Float32Array> = {};
    for (const [name, tensor] of Object.entries(results)) out[name] = tensor.data as Float32Array;
    return out;
  }

  close(): Promise<void> {
    return this.session.release();
  }
}
