/**
 * A fresh adapter as PEFT makes it: A uniform in +-1/sqrt(in) (Kaiming, a = sqrt 5), B zero, so that it changes nothing yet. Pure.
 */
import { seededRandom } from '../batches/order.ts';
import type { EvenAdapter, Projection } from './adapter.ts';

export interface InitOptions extends Omit<EvenAdapter, 'pairs'> {
  readonly seed: number;
  readonly layers: number;
  readonly dimensions: (projection: Projection) => { readonly inFeatures: number; readonly outFeatures: number };
}

export function initLora({ seed, layers, dimensions, ...adapter }: InitOptions): EvenAdapter {
  const { alpha, rank } = adapter;
  const next = seededRandom(seed);
  const pairs = Array.from({ length: layers }, (_, layer) =>
    adapter.targetModules.map((projection) => {
      const { inFeatures, outFeatures } = dimensions(projection);
      const bound = 1 / Math.sqrt(inFeatures);
      const a = Float32Array.from({ length: rank * inFeatures }, () => (2 * next() - 1) * bound);
      const b = new Float32Array(outFeatures * rank);
      return { layer, projection, rank, alpha, a, b, inFeatures, outFeatures };
    }),
  ).flat();
  return { ...adapter, pairs };
}
