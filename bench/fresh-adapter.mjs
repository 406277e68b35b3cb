/** A fresh adapter on all projections of a model's shape, alpha 16, without dropout, as `tune` begins with one. */
import { projections } from '../dist/lora/adapter.js';
import { initLora } from '../dist/lora/init.js';
import { projectionDimensions } from '../dist/models/config.js';

export function freshAdapter(config, rank) {
  const dimensions = (projection) => projectionDimensions(config, projection);
  return initLora({ rank, alpha: 16, dropout: 0, rslora: false, seed: 1, targetModules: projections, baseModel: 'bench', layers: config.layers, dimensions });
}
