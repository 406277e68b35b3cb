/**
 * A step's passes through the blocks on a WebGPU device, forward and backward: frozen weights, activations and the trained tensors'
 * copies stay there from the beginning of a micro-batch to its end. What crosses over: hidden states into the first block and out of the
 * last, the trained tensors once down, their gradients once up. Knows the graphs by their inputs' names, nothing of losses.
 */
import { NomoatError } from '../errors.ts';
import { emitAddRows, emitTakeRows } from '../graph/onnx/rows.ts';
import type { Stage } from '../runtime/native/block-stages.ts';
import type { DeviceMemory } from '../runtime/onnxruntime-node/device-memory.ts';
import { Executor, floats, integers, type Tensor, type Tensors } from '../runtime/onnxruntime-node/executor.ts';
import { planChunks, type QueryChunk } from './attention-plan.ts';
import type { BaseWeights } from './base-weights.ts';
import type { Pass } from './forward-pass.ts';
import type { TrainedInput } from './slots.ts';
import type { CompiledAttention, Stages } from './stages.ts';

/** What the passes ask of the step that they serve. */
export interface DeviceModel {
  readonly layers: number;
  readonly modelWidth: number;
  readonly stages: Stages;
  /** Per layer: what is trained in it. */
  readonly trainedInputs: readonly (readonly TrainedInput[])[];
  /** What a layer's graphs read beside activations. */
  layerInputs(pass: Pass, layer: number): Promise<Map<string, Tensor>>;
  /** Columns of an activation. */
  width(name: string): number;
}

const attended = ['q', 'k', 'v'] as const;
/** Arrays of queries; the others have the keys' rows. */
const ofQueries: readonly string[] = ['q', 'o', 'd.q', 'd.o'];

/** Weights that do not change, moved to the device layer by layer. */
export async function toDevice(base: BaseWeights, layers: number, memory: DeviceMemory): Promise<BaseWeights> {
  if (base.precision !== 'f32') {
    const fault = `the weights are ${base.precision}, and WebGPU computes in float32 here`;
    throw new NomoatError({ part: "`device: 'webgpu'`", fault, remedy: "Use `precision: 'f32'`." });
  }
  const move = async (place: string, inputs: Tensors): Promise<Tensors> => {
    const moved = new Map<string, Tensor>();
    for (const [name, tensor] of inputs) moved.set(name, await memory.write(`${place}.${name}`, tensor));
    return moved;
  };
  const moved: Tensors[] = [];
  for (let layer = 0; layer < layers; layer++) moved.push(await move(`weights.${layer}`, await base.layer(layer)));
  const head = await move('weights.head', base.head);
  return {
    precision: base.precision,
    biases: base.biases,
    qkNorms: base.qkNorms,
    ropeFactors: base.ropeFactors,
    embed: (tokens, out) => base.embed(tokens, out),
    streamed: false,
    layer: (layer) => moved[layer]!,
    head,
    close: () => base.close(),
  };
}

/** Of a device, where our own kernels do not run. */
function graphsOf({ attention }: Stages): CompiledAttention {
  if (attention.kernels) throw new Error('device: the stages were opened with kernels of the CPU');
  return attention;
}

export class DevicePass {
  private readonly memory: DeviceMemory;
  private readonly takeRows: Executor;
  private readonly addRows: Executor;
  /** The device's copies for the micro-batch that is under way. */
  private angles: Tensors = new Map();
  private chunks: readonly QueryChunk[] = [];
  private biases: readonly Tensor[] = [];
  private trained: readonly Tensors[] = [];

  private constructor(memory: DeviceMemory, takeRows: Executor, addRows: Executor) {
    this.memory = memory;
    this.takeRows = takeRows;
    this.addRows = addRows;
  }

  static async open(memory: DeviceMemory): Promise<DevicePass> {
    const [take, add] = [emitTakeRows(), emitAddRows()];
    return new DevicePass(memory, await Executor.open(take, 1, 'webgpu'), await Executor.open(add, 1, 'webgpu'));
  }

  /** Hidden states after the last block [N, D] of those before the first. */
  async forward(of: DeviceModel, pass: Pass, x: Float32Array): Promise<Float32Array> {
    const { layers, modelWidth, stages } = of;
    await this.begin(of, pass);
    const shape = [pass.rows, modelWidth];
    let input = await this.memory.write('x.0', floats(x, shape));
    for (let layer = 0; layer < layers; layer++) {
      const results = await this.kept(of, pass, layer, [stages.preForward, stages.postForward]);
      const inputs = (await this.inputs(of, pass, layer)).set('x', input);
      await stages.preForward.run(inputs, results);
      await this.attentionForward(graphsOf(stages).forward, pass, results);
      const y = await this.memory.take(this.inputName(pass, layer + 1), shape);
      await stages.postForward.run(new Map([...inputs, ...results]), new Map([...results, ['y', y]]));
      input = y;
    }
    const last = new Float32Array(pass.rows * modelWidth);
    await this.memory.read(input, last);
    return last;
  }

  /**
   * From the gradient of the last hidden states, which becomes that of the first where `wholly`; collects the trained tensors'
   * gradients on the way. Follows `forward` of the same pass.
   */
  async backward(of: DeviceModel, pass: Pass, ends: Float32Array, wholly: boolean): Promise<void> {
    const { layers, modelWidth, stages } = of;
    const shape = [pass.rows, modelWidth];
    const arrays = async (names: readonly string[]): Promise<Map<string, Tensor>> => {
      const made = new Map<string, Tensor>();
      for (const name of names) made.set(name, await this.memory.take(name, [pass.rows, of.width(name.slice(2))]));
      return made;
    };
    let dy = await this.memory.write('dy', floats(ends, shape));
    for (let layer = layers - 1; layer >= 0; layer--) {
      const inputs = await this.inputs(of, pass, layer);
      inputs.set('x', await this.memory.take(this.inputName(pass, layer), shape)).set('d.y', dy);
      for (const [name, tensor] of await this.kept(of, pass, layer, [stages.preForward, stages.postForward]))
        inputs.set(name, tensor);
      const outputs = await arrays(['d.q', 'd.k', 'd.v', 'd.o']);
      for (const { name, gradient } of of.trainedInputs[layer]!) outputs.set(`d.${name}`, gradient);
      const through = await this.memory.take('d.through', shape);
      await stages.postBackward.run(inputs, outputs.set('d.x', through));
      const before = layer > 0 || wholly ? stages.preBackward : stages.preBackwardFirst;
      if (before) {
        await this.attentionBackward(graphsOf(stages).backward, pass, inputs, outputs);
        for (const name of ['d.q', 'd.k', 'd.v']) inputs.set(name, outputs.get(name)!);
        dy = await this.memory.take('dy', shape);
        await before.run(inputs.set('d.through', through), outputs.set('d.x', dy));
      }
      for (const input of of.trainedInputs[layer]!) input.collect();
    }
    if (wholly) await this.memory.read(dy, ends);
  }

  /** To be called when the stages are closed: buffers go only when no session can read them, and before the session that made them. */
  async close(): Promise<void> {
    await this.takeRows.close();
    await this.addRows.close();
    await this.memory.close();
  }

  /** Copies what all layers read, and the trained tensors. */
  private async begin(of: DeviceModel, pass: Pass): Promise<void> {
    const copied = async (place: string, inputs: Iterable<readonly [string, Tensor]>): Promise<Tensors> => {
      const moved = new Map<string, Tensor>();
      for (const [name, tensor] of inputs) moved.set(name, await this.memory.write(`${place}.${name}`, tensor));
      return moved;
    };
    this.angles = await copied('pass', pass.angles);
    if (pass.batch.prefix) throw new Error('device pass: rows that share a prefix are not computed here');
    this.chunks = planChunks(pass.batch);
    this.biases = [
      ...(
        await copied(
          'bias',
          this.chunks.map(({ bias }, i) => [String(i), bias!] as const),
        )
      ).values(),
    ];
    const trained: Tensors[] = [];
    for (const [layer, own] of of.trainedInputs.entries())
      trained.push(
        await copied(
          `trained.${layer}`,
          own.map(({ tensor, name }) => [name, tensor] as const),
        ),
      );
    this.trained = trained;
  }

  private async inputs(of: DeviceModel, pass: Pass, layer: number): Promise<Map<string, Tensor>> {
    return new Map([...(await of.layerInputs(pass, layer)), ...this.angles, ...this.trained[layer]!]);
  }

  /** Without backward, two buffers take turns. */
  private inputName({ saves }: Pass, layer: number): string {
    return `x.${saves ? layer : layer % 2}`;
  }

  /** A layer's activations: its own where backward follows, else shared. */
  private async kept(
    of: DeviceModel,
    pass: Pass,
    layer: number,
    stages: readonly Stage[],
  ): Promise<Map<string, Tensor>> {
    const saved = stages.flatMap(({ outputs }) => outputs.filter((name) => name.startsWith('saved.')));
    const made = new Map<string, Tensor>();
    for (const name of [...attended, 'o', ...saved])
      made.set(
        name,
        await this.memory.take(pass.saves ? `${layer}.${name}` : `any.${name}`, [pass.rows, of.width(name)]),
      );
    return made;
  }

  private async attentionForward(attention: Executor, { rows }: Pass, arrays: Tensors): Promise<void> {
    const { chunks } = this;
    if (chunks.length === 1) {
      await attention.run(new Map([...arrays, ['bias', this.biases[0]!]]), arrays);
      return;
    }
    const o = await this.total('o', rows, arrays.get('o')!);
    for (const [i, chunk] of chunks.entries()) {
      const part = await this.memory.take('part.o', [chunk.end - chunk.first, o.width]);
      await attention.run(await this.chunkInputs(i, chunk, arrays, attended), new Map([['o', part]]));
      await o.add(part, chunk.first, chunk.end);
    }
    await o.end();
  }

  /** From `d.o` to `d.q`, `d.k` and `d.v`. */
  private async attentionBackward(
    attention: Executor,
    { rows }: Pass,
    inputs: Tensors,
    outputs: Tensors,
  ): Promise<void> {
    const { chunks } = this;
    const arrays = new Map([...inputs, ['d.o', outputs.get('d.o')!]]);
    if (chunks.length === 1) {
      await attention.run(arrays.set('bias', this.biases[0]!), outputs);
      return;
    }
    const totals = new Map<string, Total>();
    for (const name of ['d.q', 'd.k', 'd.v']) totals.set(name, await this.total(name, rows, outputs.get(name)!));
    for (const [i, chunk] of chunks.entries()) {
      const parts = new Map<string, Tensor>();
      for (const [name, { width }] of totals) {
        const from = ofQueries.includes(name) ? chunk.first : chunk.keys;
        parts.set(name, await this.memory.take(`part.${name}`, [chunk.end - from, width]));
      }
      await attention.run(await this.chunkInputs(i, chunk, arrays, [...attended, 'o', 'd.o']), parts);
      for (const [name, total] of totals)
        await total.add(parts.get(name)!, ofQueries.includes(name) ? chunk.first : chunk.keys, chunk.end);
    }
    for (const total of totals.values()) await total.end();
  }

  /** Rows of the arrays that an attention call reads. */
  private async chunkInputs(
    index: number,
    chunk: QueryChunk,
    arrays: Tensors,
    names: readonly string[],
  ): Promise<Map<string, Tensor>> {
    const inputs = new Map<string, Tensor>([['bias', this.biases[index]!]]);
    for (const name of names) {
      const x = arrays.get(name)!;
      const from = ofQueries.includes(name) ? chunk.first : chunk.keys;
      const y = await this.memory.take(`chunk.${name}`, [chunk.end - from, x.dims[1]!]);
      await this.takeRows.run(
        new Map([
          ['x', x],
          ['from', row(from)],
          ['to', row(chunk.end)],
        ]),
        new Map([['y', y]]),
      );
      inputs.set(name, y);
    }
    return inputs;
  }

  /** A sum of parts that begins at zero. No buffer can be read and written at once, so two take turns. */
  private async total(name: string, rows: number, result: Tensor): Promise<Total> {
    const width = result.dims[1]!;
    const zero = floats(new Float32Array(rows * width), [rows, width]);
    let sum = await this.memory.write(`sum.${name}.0`, zero);
    let other = await this.memory.take(`sum.${name}.1`, [rows, width]);
    return {
      width,
      add: async (part, from, to) => {
        const pads = integers(BigInt64Array.of(BigInt(from), 0n, BigInt(rows - to), 0n), [4]);
        await this.addRows.run(
          new Map([
            ['x', sum],
            ['part', part],
            ['pads', pads],
          ]),
          new Map([['y', other]]),
        );
        [sum, other] = [other, sum];
      },
      end: async () => this.memory.copy(sum, result),
    };
  }
}

interface Total {
  readonly width: number;
  /** Adds to rows from..to. */
  add(part: Tensor, from: number, to: number): Promise<void>;
  /** Writes the sum where it belongs. */
  end(): Promise<void>;
}

const row = (index: number): Tensor => integers(BigInt64Array.of(BigInt(index)), [1]);
