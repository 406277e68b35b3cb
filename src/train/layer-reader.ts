/** A file of blocks of bytes, one a layer: written once, and read ahead of what computes with them. */
import { closeSync, read, writeSync } from 'node:fs';

/** Writes all bytes at `position` and returns how many. */
export function writeFully(descriptor: number, values: Int8Array, position: number): number {
  for (let done = 0; done < values.length; ) {
    done += writeSync(descriptor, values, done, values.length - done, position + done);
  }
  return values.length;
}

/** Reads blocks of equal size; while one is used, the next is read by another thread. Closes the file when nothing reads it any more. */
export class LayerReader {
  private readonly descriptor: number;
  private readonly blocks: readonly [Int8Array, Int8Array];
  private current = 0;
  private waiting: { readonly layer: number; readonly done: Promise<void> } | null = null;

  constructor(descriptor: number, layerBytes: number) {
    this.descriptor = descriptor;
    this.blocks = [new Int8Array(layerBytes), new Int8Array(layerBytes)];
  }

  /** The block of `layer`, valid until the next call; begins to read `next`. */
  async take(layer: number, next?: number): Promise<Int8Array> {
    const other = 1 - this.current;
    if (this.waiting?.layer !== layer) {
      await this.waiting?.done;
      this.waiting = { layer, done: this.read(layer, this.blocks[other]!) };
    }
    await this.waiting.done;
    this.current = other;
    const done = next === undefined || next === layer ? null : this.read(next, this.blocks[1 - other]!);
    // Whoever takes that block hears of its failure; nobody may.
    done?.catch(() => {});
    this.waiting = done ? { layer: next!, done } : null;
    return this.blocks[other]!;
  }

  /** The number of a closed file is given to the next one that is opened: a read that is under way would read that. */
  close(): void {
    const close = (): void => closeSync(this.descriptor);
    if (this.reading === 0) close();
    else this.whenRead = close;
  }
  private reading = 0;
  private whenRead: (() => void) | null = null;

  private async read(layer: number, buffer: Int8Array): Promise<void> {
    this.reading++;
    try {
      await this.fill(layer, buffer);
    } finally {
      this.reading--;
      if (this.reading === 0) this.whenRead?.();
    }
  }

  private async fill(layer: number, buffer: Int8Array): Promise<void> {
    for (let done = 0; done < buffer.length && this.whenRead === null; ) {
      const got = await readAt(this.descriptor, buffer, done, layer * buffer.length + done);
      if (got === 0) throw new Error('the file of int8 layers ended early');
      done += got;
    }
  }
}

function readAt(descriptor: number, buffer: Int8Array, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, buffer, offset, buffer.length - offset, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}
