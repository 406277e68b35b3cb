/**
 * Runs one graph on a provider of onnxruntime-node, CPU or WebGPU. Promises results written in place into the caller's arrays; on
 * the CPU, equal ones for equal inputs and threads. Knows nothing of models: ONNX bytes and named arrays in.
 */
import './no-telemetry.ts';
import * as ort from 'onnxruntime-node';
import type { Graph } from '../../graph/graph.ts';
import { type Device, emitOnnx, nothingFetched, stackedOutputs } from '../../graph/onnx/emit.ts';

export type Tensor = ort.Tensor;
export type Tensors = ReadonlyMap<string, Tensor>;

/** A float32 tensor over `values`, which are wrapped, not copied. */
export function floats(values: Float32Array, shape: readonly number[]): Tensor {
  return new ort.Tensor('float32', values, shape);
}

/**
 * float16, as its bits. Where JavaScript has arrays of halves (Node 24 and later), onnxruntime makes the tensor hold one, and its binding, which knows none,
 * takes that for empty.
 */
export function halves(values: Uint16Array, shape: readonly number[]): Tensor {
  return Object.defineProperty(new ort.Tensor('float16', values, shape), 'data', { value: values });
}

export function integers(values: BigInt64Array, shape: readonly number[]): Tensor {
  return new ort.Tensor('int64', values, shape);
}

export function bytes(values: Int8Array, shape: readonly number[]): Tensor {
  return new ort.Tensor('int8', values, shape);
}

/** The beginning of a device's buffer under another shape. Uses the buffer itself: void once that is disposed of. */
export function view(buffer: Tensor, shape: readonly number[]): Tensor {
  return ort.Tensor.fromGpuBuffer(buffer.gpuBuffer, { dataType: 'float32', dims: [...shape] });
}

/** What onnxruntime-node 1.30 says when it comes to the first output: by then the graph has run and written all others. */
const unconverted = /Non tensor type is temporarily not supported/;

/** A node without a kernel on the device is an error, not a silent trip to the CPU and back. */
const onDeviceOnly = { disable_cpu_ep_fallback: '1' } as const;

/**
 * How long a thread without work looks out for more before it sleeps. The engine's own limit is a count of looks, some milliseconds: in what
 * one thread does alone (reading, compiling, small operators) the others took a fifth of the processor time to the first step. With a
 * millisecond steps were as quick (docs/log/start-and-install.md); a fifth of that gained nothing more.
 */
const spinMicroseconds = '1000';

export class Executor {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  private readonly session: ort.InferenceSession;
  private readonly stopsAtNothing: boolean;
  private readonly stacked: ReadonlySet<string>;

  private constructor(session: ort.InferenceSession, stacked: ReadonlySet<string>) {
    this.session = session;
    this.stacked = stacked;
    this.inputs = session.inputNames;
    this.outputs = session.outputNames.filter((name) => name !== nothingFetched);
    this.stopsAtNothing = session.outputNames.includes(nothingFetched);
  }

  static create(graph: Graph, threads: number, device: Device = 'cpu'): Promise<Executor> {
    return Executor.open(emitOnnx(graph, device), threads, device, { stacked: stackedOutputs(graph, device) });
  }

  /** The same from ONNX bytes. With `allocates`, for `make`; outputs in `stacked` are [1, N, W] to the engine and [N, W] to the caller. */
  static async open(
    model: Uint8Array,
    threads: number,
    device: Device,
    { allocates = false, stacked = new Set() }: { allocates?: boolean; stacked?: ReadonlySet<string> } = {},
  ): Promise<Executor> {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [device],
      ...(allocates ? { preferredOutputLocation: 'gpu-buffer' } : {}),
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // The memory pattern doubles the peak (docs: facts of the design); the arena is what makes reuse cheap.
      enableMemPattern: false,
      enableCpuMemArena: true,
      // Errors are thrown; the log would say once more what `run` expects.
      logSeverityLevel: 4,
      extra: {
        session: {
          // Sessions that spin while another one computes take its cores.
          force_spinning_stop: '1',
          intra_op: { spin_duration_us: spinMicroseconds },
          // The engine's exponential of a masked score is no zero but 7e-46, which the processor handles a hundred times as slowly:
          // softmax over rows of 64 tokens took seven times as long.
          set_denormal_as_zero: '1',
          ...(device === 'cpu' ? {} : onDeviceOnly),
        },
      },
    });
    return new Executor(session, stacked);
  }

  /**
   * Reads those of `inputs` that the graph has, by name, and writes every output into its array in `outputs`. Throws where one is
   * missing.
   * The binding would copy each output into an array of its own, which takes longer than most graphs here compute:
   * the graph's first output is one that it refuses, so that it stops before the first copy. A binding that refuses
   * nothing only costs the copies. On WebGPU each array may be the caller's or a buffer of the device, inputs and outputs alike.
   */
  async run(inputs: Tensors, outputs: Tensors): Promise<void> {
    const given = this.given(inputs);
    const fetches: Record<string, Tensor | null> = this.stopsAtNothing ? { [nothingFetched]: null } : {};
    for (const name of this.outputs) {
      const tensor = outputs.get(name) ?? missing('output', name);
      fetches[name] = this.stacked.has(name) ? stackedView(tensor) : tensor;
    }
    try {
      await this.session.run(given, fetches);
    } catch (error) {
      if (!(error instanceof Error) || !unconverted.test(error.message)) throw error;
    }
  }

  /** The only output, as a new buffer of the device: the binding makes them in sessions that take no arrays to write to. */
  async make(inputs: Tensors): Promise<Tensor> {
    const results = await this.session.run(this.given(inputs));
    return results[this.outputs[0]!] as Tensor;
  }

  private given(inputs: Tensors): Record<string, Tensor> {
    return Object.fromEntries(this.inputs.map((name) => [name, inputs.get(name) ?? missing('input', name)]));
  }

  close(): Promise<void> {
    return this.session.release();
  }
}

/** The same memory as [1, N, W]. */
const stackedView = ({ data, dims }: Tensor): Tensor => floats(data as Float32Array, [1, ...dims]);

function missing(what: string, name: string): never {
  throw new Error(`executor: no array for the ${what} ${name}`);
}
