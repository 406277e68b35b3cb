/**
 * A look into an adapter: where it comes from, what it adds to each weight, whether its spectrum is like that of others on its base.
 * Promises: only reads. What it says of safety is nothing: an adapter may be unusual, never safe.
 */

import type { GgufFile } from '../formats/gguf/types.ts';
import { findIntruders, type IntruderReport } from '../inspect/intruders.ts';
import {
  compareSignatures,
  effectiveRank,
  leastClean,
  type SpectralComparison,
  type SpectralFigures,
  signatureOf,
  spectralFigures,
} from '../inspect/spectral.ts';
import { factorsOf, svdOf } from '../inspect/update.ts';
import type { LoraAdapter, LoraPair, Projection } from '../lora/adapter.ts';
import { physicalCores } from '../machine/machine.ts';
import { type ModelConfig, readModelConfig } from '../models/config.ts';
import { readProjection } from '../models/weights.ts';
import type { WeightProducts } from '../runtime/onnxruntime-node/weight-products.ts';
import { heedStop, stoppable } from '../stop.ts';
import { digestOf } from '../store/file-digest.ts';
import { type Lineage, lineageOf } from './inspect-lineage.ts';
import { type InspectTarget, openTarget } from './inspect-target.ts';
import { otherRuns } from './other-runs.ts';
import { listRuns } from './runs.ts';

/** How far an inspection is. */
export interface InspectProgress {
  readonly done: number;
  readonly total: number;
  /** In a few words. */
  readonly doing: string;
}

/** What is looked at, and how closely. */
export interface InspectOptions {
  /** A run, one of its checkpoints, a PEFT folder, a .safetensors file or a GGUF LoRA. */
  readonly adapter: string;
  /** The base of an adapter that is no run's; default: the model of this machine whose digest it names. */
  readonly model?: string | null;
  /** Whether intruder dimensions are looked for, which takes most of the time (default: true). */
  readonly intruders?: boolean;
  /** Adapters on the same base that are held to be clean; default: the finished runs in ./runs on that base. */
  readonly clean?: readonly string[];
  /** Stops it. */
  readonly signal?: AbortSignal;
  /** Told before each weight and each other adapter. */
  readonly onProgress?: (progress: InspectProgress) => void;
}

/** What the adapter adds to one weight. */
export interface UpdateReport {
  readonly layer: number;
  readonly projection: Projection;
  /** Frobenius norms of the update and of the weight, and their ratio. */
  readonly norm: number;
  readonly weightNorm: number;
  readonly relative: number;
  /** How many directions of equal strength would be as spread out, 0 to the rank. */
  readonly effectiveRank: number;
  readonly figures: SpectralFigures;
  /** Null where they were not looked for. */
  readonly intruders: IntruderReport | null;
}

/** The spectrum beside those of other adapters. */
export interface SpectralReport {
  /** The adapters that it was compared with, as they were named. */
  readonly clean: readonly string[];
  /** One for each projection and figure; none without clean adapters. */
  readonly figures: readonly SpectralComparison[];
  /** What may be concluded, in a sentence. */
  readonly verdict: string;
}

/** What was found. */
export interface AdapterInspection {
  readonly adapter: string;
  readonly lineage: Lineage;
  /** One for each adapted weight, by layer. */
  readonly updates: readonly UpdateReport[];
  readonly spectral: SpectralReport;
  /** What should be known of the adapter, in sentences. */
  readonly notes: readonly string[];
}

/** The base's weights, and what multiplies with them where intruders are looked for. */
interface Base {
  readonly model: GgufFile;
  readonly config: ModelConfig;
  readonly products: WeightProducts | null;
}

async function updateReport(
  adapter: LoraAdapter,
  pair: LoraPair,
  { config, model, products }: Base,
  signal: AbortSignal | undefined,
): Promise<UpdateReport> {
  const factors = factorsOf(adapter, pair);
  const figures = spectralFigures(svdOf(factors));
  const { layer, projection } = pair;
  const values = readProjection(model, config, { layer, projection });
  const weightNorm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  let intruders: IntruderReport | null = null;
  if (products !== null) {
    const weight = products.operator({ rows: pair.outFeatures, columns: pair.inFeatures }, values);
    const { vectors: _, side: __, ...found } = await findIntruders(weight, factors, signal);
    intruders = found;
  }
  const { norm } = figures;
  const relative = weightNorm === 0 ? 0 : norm / weightNorm;
  return { layer, projection, norm, weightNorm, relative, effectiveRank: effectiveRank(figures), figures, intruders };
}

/** The figures of every update of an adapter, by projection. */
const signatureOfAdapter = (adapter: LoraAdapter): Map<string, number> =>
  signatureOf(
    adapter.pairs.map((pair) => ({
      projection: pair.projection,
      figures: spectralFigures(svdOf(factorsOf(adapter, pair))),
    })),
  );

/** Finished runs in ./runs on the same base, but the one that is looked at. */
const ownRuns = async ({ model, path }: InspectTarget): Promise<string[]> =>
  otherRuns(listRuns(), { modelDigest: await digestOf(model.path), path });

async function compareWithClean(
  target: InspectTarget,
  updates: readonly UpdateReport[],
  { clean, model, onProgress, signal }: InspectOptions,
): Promise<SpectralReport> {
  const names = clean ?? (await ownRuns(target));
  const signatures: Map<string, number>[] = [];
  for (const name of names) {
    onProgress?.({ done: signatures.length, total: names.length, doing: `figures of ${name}` });
    if (signal) await heedStop(signal);
    const other = await openTarget(name, model);
    signatures.push(signatureOfAdapter(other.adapter));
    other.model.close();
  }
  const figures = compareSignatures(signatureOf(updates), signatures);
  return { clean: names, figures, verdict: verdictOf(figures, names.length, clean === undefined) };
}

function verdictOf(figures: readonly SpectralComparison[], clean: number, own: boolean): string {
  const whose = own ? 'runs in ./runs' : 'adapters';
  if (clean === 0) return 'No clean adapters on this base are known, so there is nothing to compare its spectrum with.';
  if (clean < leastClean)
    return `${clean} ${whose} on this base are too few to say what is usual: at least ${leastClean} are needed.`;
  const unusual = figures.filter((figure) => figure.unusual);
  const limits = 'This says nothing of what the adapter does, and who knows the figures can hide from them.';
  if (unusual.length === 0)
    return `None of ${figures.length} figures is unusual beside ${clean} ${whose} on this base. ${limits}`;
  const list = unusual.map(({ figure, projection }) => `${figure} of ${projection}`).join(', ');
  return `Unusual beside ${clean} ${whose} on this base: ${list}. ${limits}`;
}

/** Looks into an adapter. Rejects with NomoatError. */
export function inspectAdapter(options: InspectOptions): Promise<AdapterInspection> {
  const { adapter: name, intruders = true, model: base = null, onProgress, signal } = options;
  return stoppable(name, signal, async () => {
    const target = await openTarget(name, base);
    const { adapter, model } = target;
    const products = intruders ? await openProducts() : null;
    try {
      const config = readModelConfig(model);
      const updates: UpdateReport[] = [];
      for (const pair of adapter.pairs) {
        const doing = `layer ${pair.layer} ${pair.projection}`;
        onProgress?.({ done: updates.length, total: adapter.pairs.length, doing });
        if (signal) await heedStop(signal);
        updates.push(await updateReport(adapter, pair, { model, config, products }, signal));
      }
      const spectral = await compareWithClean(target, updates, options);
      return { adapter: name, lineage: await lineageOf(target), updates, spectral, notes: target.notes };
    } finally {
      await products?.close();
      model.close();
    }
  });
}

/** With its engine, which a program that imports the library does not wait for. */
export async function openProducts(): Promise<WeightProducts> {
  const { WeightProducts: Products } = await import('../runtime/onnxruntime-node/weight-products.ts');
  return Products.open(physicalCores());
}
