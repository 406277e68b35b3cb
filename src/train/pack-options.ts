/** How a run's rows become micro-batches, by its settings. Pure. */
import type { PackOptions } from '../batches/pack.ts';
import type { RunSettings } from '../settings/run-settings.ts';

/**
 * Tokens of a micro-batch where its number of conversations is not set: enough to fill the kernels, little enough for
 * memory. Twice as many were 3% faster on SmolLM2 and took half as much memory again (docs/log/step-speed.md).
 */
export const microBatchTokens = 512;
/** After an out-of-memory the micro-batch shrinks down to this; a model that cannot take it does not fit. */
export const minMicroBatchTokens = 64;

/** What decides whether rows and answers share their beginning. */
export type SharingSettings = Pick<RunSettings, 'sharePrefix' | 'packing' | 'dropout' | 'neftuneAlpha' | 'device'>;

/** Dropout and noise on embeddings are drawn for each row, padded rows are rows of their own, and a graphics card computes them as they are. */
export const sharesBeginnings = ({
  device,
  dropout,
  neftuneAlpha = 0,
  packing,
  sharePrefix,
}: SharingSettings): boolean =>
  sharePrefix === true && packing && dropout === 0 && neftuneAlpha === 0 && device === 'cpu';

/** A number of conversations is the only limit, until memory has run out (`maxTokens` below the usual). */
export function packOptions(
  settings: Pick<RunSettings, 'microBatchSize'> & SharingSettings,
  prefix: number,
  maxTokens = microBatchTokens,
): PackOptions {
  const { microBatchSize, packing } = settings;
  const free = microBatchSize !== null && maxTokens >= microBatchTokens;
  return {
    packing,
    microBatchSize,
    maxTokens: free ? Number.POSITIVE_INFINITY : maxTokens,
    padToken: 0,
    prefix,
    sharesPairs: sharesBeginnings(settings),
  };
}
