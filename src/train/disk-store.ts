/** Int8 layers in a file, read ahead of what computes with them. Knows nothing of engines but that one may arrange the matrices its own way. */
import { openSync, rmSync } from 'node:fs';
import { writeFailure } from '../formats/atomic-write.ts';
import type { Projection } from '../lora/adapter.ts';
import type { QuantizedMatrix } from '../models/quantize.ts';
import type { Arrange, ArrangedMatrix } from '../runtime/native/kernels.ts';
import { type Int8Layer, type Int8Store, int8Parts, int8Tensors } from './base-weights.ts';
import { LayerReader, writeFully } from './layer-reader.ts';

/** What is known of a layer without reading it. */
interface Kept extends Pick<Int8Layer, 'vectors'> {
  readonly scales: ReadonlyMap<Projection, Float32Array>;
  /** The matrices that an engine has arranged. */
  arranged: ReadonlyMap<Projection, ArrangedMatrix>;
}

type Size = Pick<QuantizedMatrix, 'inFeatures' | 'outFeatures'> & { readonly projection: Projection };

/** The layers of one file, all of the same sizes. */
class DiskLayers {
  private readonly path: string;
  private readonly descriptor: number;
  private readonly kept: Kept[] = [];
  private sizes: readonly Size[] = [];
  private layerBytes = 0;

  constructor(path: string) {
    this.path = path;
    this.descriptor = openSync(path, 'w+');
    // Windows keeps the names of open files.
    if (process.platform !== 'win32') rmSync(path);
  }

  add({ matrices, vectors }: Int8Layer): void {
    this.sizes = [...matrices].map(([projection, { inFeatures, outFeatures }]) => ({
      projection,
      inFeatures,
      outFeatures,
    }));
    this.layerBytes = this.sizes.reduce((sum, { inFeatures, outFeatures }) => sum + inFeatures * outFeatures, 0);
    let at = this.kept.length * this.layerBytes;
    for (const { values } of matrices.values()) at += this.write(values, at);
    const scales = new Map([...matrices].map(([projection, { scale }]) => [projection, scale]));
    this.kept.push({ vectors, scales, arranged: new Map() });
  }

  reader(): LayerReader {
    return new LayerReader(this.descriptor, this.layerBytes);
  }

  /** The layer, which lies in `block`. */
  layerOf(layer: number, block: Int8Array): Int8Layer {
    const { arranged, scales, vectors } = this.kept[layer]!;
    let at = 0;
    const matrices = this.sizes.map(({ projection, inFeatures, outFeatures }) => {
      const values = block.subarray(at, at + inFeatures * outFeatures);
      at += values.length;
      arranged.get(projection)?.liesIn(values);
      return [projection, { values, scale: scales.get(projection)!, inFeatures, outFeatures }] as const;
    });
    return { vectors, matrices: new Map(matrices) };
  }

  /** Lets an engine arrange every matrix, and writes over what was there. */
  async arrange(reader: LayerReader, arrange: Arrange): Promise<void> {
    for (const [layer, kept] of this.kept.entries()) {
      const next = layer + 1 < this.kept.length ? layer + 1 : undefined;
      const block = await reader.take(layer, next);
      const arranged = new Map<Projection, ArrangedMatrix>();
      for (const [projection, { scale, values }] of this.layerOf(layer, block).matrices) {
        const matrix = arrange(projection, values, scale);
        if (matrix) arranged.set(projection, matrix);
      }
      this.write(block, layer * this.layerBytes);
      kept.arranged = arranged;
    }
  }

  /** Lets go of the name, where the file still has one. */
  remove(): void {
    rmSync(this.path, { force: true });
  }

  private write(values: Int8Array, at: number): number {
    try {
      return writeFully(this.descriptor, values, at);
    } catch (error) {
      throw writeFailure(this.path, error);
    }
  }
}

/**
 * Layers in a file of `path`, read into one of two buffers while the engine computes with the other. Only the small vectors stay in
 * memory. The file is made anew by every process that wants it; where the system allows it has no name from the start, so that nothing is
 * left of it however the process ends, else `close` removes it. Throws NomoatError where the disk is full.
 */
export function diskStore(path: string): Int8Store {
  const layers = new DiskLayers(path);
  return {
    add: (layer) => layers.add(layer),
    finish(model, config, head) {
      const reader = layers.reader();
      const first = layers.layerOf(0, new Int8Array());
      return {
        ...int8Parts(model, config, first, head),
        streamed: true,
        layer: async (layer, next) => int8Tensors(layers.layerOf(layer, await reader.take(layer, next))),
        arrange: (arrange) => layers.arrange(reader, arrange),
        close() {
          reader.close();
          layers.remove();
        },
      };
    },
  };
}
