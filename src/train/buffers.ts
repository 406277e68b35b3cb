/** Named float32 arrays that are used again and again: a step writes all its activations into the same memory. */
export class Buffers {
  private readonly arrays = new Map<string, Float32Array>();

  /** The array of that name with `length` places; what it held is not kept when it has to grow. */
  take(name: string, length: number): Float32Array {
    const found = this.arrays.get(name);
    if (found && found.length >= length) return found.subarray(0, length);
    const made = new Float32Array(length);
    this.arrays.set(name, made);
    return made;
  }

  clear(): void {
    this.arrays.clear();
  }
}
