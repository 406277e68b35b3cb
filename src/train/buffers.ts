/**
 * Arrays are made with this much room: the next micro-batch may be longer, and new arrays for each longer one cost as much as a step.
 * Pages that nothing is written to take no memory.
 */
const growthRoom = 1.5;

/** How long an array is made that must hold `length` numbers now. */
export const withRoom = (length: number): number => Math.ceil(growthRoom * length);

/** Named float32 arrays that are used again and again: a step writes all its activations into the same memory. */
export class Buffers {
  private readonly arrays = new Map<string, Float32Array>();

  /** The array of that name with `length` places; what it held is not kept when it has to grow. */
  take(name: string, length: number): Float32Array {
    let array = this.arrays.get(name);
    if (!array || array.length < length) {
      array = new Float32Array(withRoom(length));
      this.arrays.set(name, array);
    }
    return array.subarray(0, length);
  }

  clear(): void {
    this.arrays.clear();
  }
}
