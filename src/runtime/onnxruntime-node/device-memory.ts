/**
 * Named float32 buffers of the WebGPU device, used again and again as train/buffers.ts uses memory. Promises: what is written stays on
 * the device until it is read. Knows nothing of models.
 *
 * What the binding allows in onnxruntime-node 1.30 (docs/decisions, webgpu): buffers are made only as outputs of a session; such a
 * session must outlive them; a buffer that is used after its disposal ends the process; `getData` is not built.
 */
import { input, mul } from '../../graph/graph.ts';
import { emitOnnx } from '../../graph/onnx/emit.ts';
import { Executor, floats, type Tensor, view } from './executor.ts';

const sizeOf = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);

/** x times one: the optimizer would leave out a copy by itself, and a factor that is an input it cannot know. */
const copied = emitOnnx(new Map([['y', mul(input('x', ['N', 1]), input('one', [1]))]]), 'webgpu');
const one = floats(Float32Array.of(1), [1]);

export class DeviceMemory {
  private readonly buffers = new Map<string, { readonly buffer: Tensor; readonly size: number }>();
  private readonly allocator: Executor;
  private readonly copier: Executor;

  private constructor(allocator: Executor, copier: Executor) {
    this.allocator = allocator;
    this.copier = copier;
  }

  static async open(): Promise<DeviceMemory> {
    const allocator = await Executor.open(copied, 1, 'webgpu', { allocates: true });
    return new DeviceMemory(allocator, await Executor.open(copied, 1, 'webgpu'));
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    let total = 0;
    for (const { size } of this.buffers.values()) total += size * Float32Array.BYTES_PER_ELEMENT;
    return total;
  }

  /** The buffer of that name under a shape; what it held is lost when it has to grow. */
  async take(name: string, shape: readonly number[]): Promise<Tensor> {
    const size = sizeOf(shape);
    const found = this.buffers.get(name);
    if (found && found.size >= size) return view(found.buffer, shape);
    return this.make(name, floats(new Float32Array(size), shape));
  }

  /** A copy on the device of an array of the caller's. */
  async write(name: string, from: Tensor): Promise<Tensor> {
    const size = sizeOf(from.dims);
    const found = this.buffers.get(name);
    if (!found || found.size < size) return this.make(name, from);
    await this.copier.run(flat(from), new Map([['y', view(found.buffer, [size, 1])]]));
    return view(found.buffer, from.dims);
  }

  /** Writes a buffer's values into an array of the caller's, of the same size. */
  async read(from: Tensor, to: Float32Array): Promise<void> {
    const values = view(from, [to.length, 1]);
    await this.copier.run(
      new Map([
        ['x', values],
        ['one', one],
      ]),
      new Map([['y', floats(to, [to.length, 1])]]),
    );
  }

  /** From one buffer to another of the same size. */
  async copy(from: Tensor, to: Tensor): Promise<void> {
    const shape = [sizeOf(to.dims), 1];
    await this.copier.run(
      new Map([
        ['x', view(from, shape)],
        ['one', one],
      ]),
      new Map([['y', view(to, shape)]]),
    );
  }

  async close(): Promise<void> {
    for (const { buffer } of this.buffers.values()) buffer.dispose();
    this.buffers.clear();
    await this.copier.close();
    await this.allocator.close();
  }

  private async make(name: string, from: Tensor): Promise<Tensor> {
    this.buffers.get(name)?.buffer.dispose();
    const buffer = await this.allocator.make(flat(from));
    this.buffers.set(name, { buffer, size: sizeOf(from.dims) });
    return view(buffer, from.dims);
  }
}

function flat(from: Tensor): Map<string, Tensor> {
  return new Map([
    ['x', floats(from.data as Float32Array, [sizeOf(from.dims), 1])],
    ['one', one],
  ]);
}
