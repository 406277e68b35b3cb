/** What an adapter's files are and what they change, for a safety check: before it is run, and without running it. */
import { adapterFiles } from '../adapter/read-adapter.ts';
import { sizesOf } from './check-target.ts';
import { type InspectOptions, inspectAdapter } from './inspect.ts';

/** An adapter by its files and figures. */
export interface AdapterFigures {
  readonly format: 'PEFT' | 'GGUF LoRA';
  readonly files: readonly { readonly file: string; readonly bytes: number }[];
  readonly ranks: readonly number[];
  readonly targetModules: readonly string[];
  /** Numbers in it. */
  readonly parameters: number;
  /** Weights that it changes, and the largest change beside its weight: Frobenius norms. */
  readonly updates: number;
  readonly strongest: { readonly layer: number; readonly projection: string; readonly relative: number } | null;
  /** Its spectrum beside those of other adapters on the base, in a sentence. */
  readonly spectrum: string;
}

/** Reads it. Rejects with NomoatError. */
export async function adapterFigures(path: string, options: Omit<InspectOptions, 'adapter'>): Promise<AdapterFigures> {
  const { lineage, spectral, updates } = await inspectAdapter({ ...options, adapter: path, intruders: false });
  const [strongest] = [...updates].sort((a, b) => b.relative - a.relative);
  return {
    format: path.toLowerCase().endsWith('.gguf') ? 'GGUF LoRA' : 'PEFT',
    files: sizesOf(adapterFiles(path)),
    ranks: lineage.ranks,
    targetModules: lineage.targetModules,
    parameters: lineage.parameters,
    updates: updates.length,
    strongest: strongest
      ? { layer: strongest.layer, projection: strongest.projection, relative: strongest.relative }
      : null,
    spectrum: spectral.verdict,
  };
}
