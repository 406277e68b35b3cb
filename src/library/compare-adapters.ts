/** Two adapters on one base beside each other. Promises: only reads. */
import { compareUpdates, cosineOf, innerProduct, type UpdateComparison } from '../inspect/compare-updates.ts';
import { factorsOf } from '../inspect/update.ts';
import type { Projection } from '../lora/adapter.ts';
import { heedStop, stoppable } from '../stop.ts';
import { digestOf } from '../store/file-digest.ts';
import type { InspectOptions } from './inspect.ts';
import { openTarget } from './inspect-target.ts';

/** Which two. */
export interface CompareAdaptersOptions extends Pick<InspectOptions, 'adapter' | 'model' | 'signal' | 'onProgress'> {
  /** A run, a PEFT folder, a .safetensors file or a GGUF LoRA. */
  readonly other: string;
}

/** How alike the updates of one weight are. */
export interface ComparedUpdate extends Omit<UpdateComparison, 'products'> {
  readonly layer: number;
  readonly projection: Projection;
}

/** How alike two adapters are. */
export interface AdapterComparison {
  readonly adapter: string;
  readonly other: string;
  /** Cosine of all that they change, as one vector each, -1 to 1: what only one of them adapts is zero in the other; null where one is zero. */
  readonly cosine: number | null;
  /** Weights that both adapt, by layer. */
  readonly updates: readonly ComparedUpdate[];
  /** Weights that only one of them adapts. */
  readonly onlyFirst: number;
  readonly onlyOther: number;
  /** What should be known of them, in sentences. */
  readonly notes: readonly string[];
}

/** Compares what two adapters do to each weight. Rejects with NomoatError. */
export function compareAdapters(options: CompareAdaptersOptions): Promise<AdapterComparison> {
  const { adapter: name, model = null, other: otherName, signal } = options;
  return stoppable(name, signal, async () => {
    const first = await openTarget(name, model);
    try {
      const second = await openTarget(otherName, model ?? first.model.path);
      try {
        const notes = [...first.notes, ...second.notes];
        if ((await digestOf(first.model.path)) !== (await digestOf(second.model.path)))
          notes.push(
            'The two were trained on different files of a base: where that is more than another quantization, the figures mean nothing.',
          );
        return { adapter: name, other: otherName, ...(await compared(first, second, options)), notes };
      } finally {
        second.model.close();
      }
    } finally {
      first.model.close();
    }
  });
}

type Target = Awaited<ReturnType<typeof openTarget>>;

async function compared(
  { adapter: first }: Target,
  { adapter: second }: Target,
  { onProgress, signal }: CompareAdaptersOptions,
): Promise<Pick<AdapterComparison, 'cosine' | 'updates' | 'onlyFirst' | 'onlyOther'>> {
  const updates: ComparedUpdate[] = [];
  const total = { first: 0, second: 0, both: 0 };
  const left = new Map(second.pairs.map((pair) => [`${pair.layer} ${pair.projection}`, pair]));
  let [done, onlyFirst] = [0, 0];
  for (const pair of first.pairs) {
    const { layer, projection } = pair;
    onProgress?.({ done: done++, total: first.pairs.length, doing: `layer ${layer} ${projection}` });
    if (signal) await heedStop(signal);
    const key = `${layer} ${projection}`;
    const other = left.get(key);
    left.delete(key);
    const factors = factorsOf(first, pair);
    total.first += innerProduct(factors, factors);
    if (!other) {
      onlyFirst++;
      continue;
    }
    const { products, ...comparison } = compareUpdates(factors, factorsOf(second, other));
    total.second += products.second;
    total.both += products.both;
    updates.push({ layer, projection, ...comparison });
  }
  for (const pair of left.values()) {
    const factors = factorsOf(second, pair);
    total.second += innerProduct(factors, factors);
  }
  return { cosine: cosineOf(total), updates, onlyFirst, onlyOther: left.size };
}
