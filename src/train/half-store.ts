/**
 * Activations of blocks as float16 from forward to backward: half the memory of keeping them, for two conversions, where computing
 * them again would cost a forward pass. Rounds to 11 bits; whoever stores here must know that the values stay below 65,504.
 */
import { cast, input } from '../graph/graph.ts';
import { Executor, floats, halves } from '../runtime/onnxruntime-node/executor.ts';
import { withRoom } from './buffers.ts';

export class HalfStore {
  private readonly narrow: Executor;
  private readonly widen: Executor;
  /** The block that is at work, float32: all its activations one after the other, so that one call converts them. */
  private block = new Float32Array();
  private readonly places = new Map<string, Float32Array>();
  private used = 0;
  private readonly layers: Uint16Array[] = [];

  private constructor(narrow: Executor, widen: Executor) {
    this.narrow = narrow;
    this.widen = widen;
  }

  static async open(threads: number): Promise<HalfStore> {
    const narrow = new Map([['y', cast(input('x', ['L']), 'float16')]]);
    const widen = new Map([['y', cast(input('x', ['L'], 'float16'), 'float32')]]);
    return new HalfStore(await Executor.create(narrow, threads), await Executor.create(widen, threads));
  }

  /** Before a pass whose blocks have up to `length` numbers to store. */
  begin(length: number): void {
    if (this.block.length < length) this.block = new Float32Array(withRoom(length));
    this.places.clear();
    this.used = 0;
  }

  /** The array of that name in the block at work: what a block has there is stored by `put` and found again after `get`. */
  take(name: string, length: number): Float32Array {
    const found = this.places.get(name);
    if (found) return found;
    if (this.used + length > this.block.length) throw new Error(`half store: no room for ${name}`);
    const made = this.block.subarray(this.used, this.used + length);
    this.used += length;
    this.places.set(name, made);
    return made;
  }

  /** Stores what the block at work has as a layer's. */
  async put(layer: number): Promise<void> {
    const [wide, half] = this.pair(layer);
    await this.narrow.run(new Map([['x', wide]]), new Map([['y', half]]));
  }

  /** Makes the block at work a layer's, as it was stored. */
  async get(layer: number): Promise<void> {
    const [wide, half] = this.pair(layer);
    await this.widen.run(new Map([['x', half]]), new Map([['y', wide]]));
  }

  private pair(layer: number) {
    const { block, layers, used } = this;
    if ((layers[layer]?.length ?? 0) < used) layers[layer] = new Uint16Array(withRoom(used));
    return [floats(block.subarray(0, used), [used]), halves(layers[layer]!.subarray(0, used), [used])] as const;
  }

  /** Lets go of all arrays. */
  clear(): void {
    this.layers.length = 0;
    this.block = new Float32Array();
    this.places.clear();
    this.used = 0;
  }

  async close(): Promise<void> {
    await this.narrow.close();
    await this.widen.close();
    this.clear();
  }
}
