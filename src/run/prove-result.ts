/**
 * The proof of a run's result: llama.cpp's log-probabilities of a few rows with the exported files against the trainer's own.
 * Promises: a judgement of every file that was compared, in a sentence that says what can still be used. Knows no folders.
 */
import { basename } from 'node:path';
import { packRows } from '../batches/pack.ts';
import type { ExportParityEvent } from '../events.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { measureParity, parityBoundOn } from '../llama/parity.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { packOptions } from '../train/pack-options.ts';
import { evaluationCalls, type TrainStep } from '../train/step.ts';
import type { Method, Runnable } from './methods.ts';

/**
 * Log-probabilities of the supervised tokens of each row; the rows share passes, because a pass may have to read the whole model, but no
 * prefix: what is proven is each row by itself.
 */
export async function logProbabilitiesOf(step: TrainStep, rows: readonly TokenRow[]): Promise<Float32Array[]> {
  const options = packOptions({ packing: true, microBatchSize: null, dropout: 0, device: 'cpu' }, 0);
  const all: number[] = [];
  for (const call of evaluationCalls(step, packRows(rows, options)))
    for (const values of await step.logProbabilities(call)) all.push(...values);
  let at = 0;
  return rows.map(({ supervised }) => {
    // A row's first token is predicted by nothing.
    const count = supervised.subarray(1).reduce((sum, on) => sum + on, 0);
    at += count;
    return Float32Array.from(all.slice(at - count, at));
  });
}

export const allFinite = (rows: readonly Float32Array[]): boolean => rows.every((row) => row.every(Number.isFinite));

export interface ProofOptions {
  /** What llama.cpp opens, most exact first. */
  readonly proofs: readonly Runnable[];
  readonly rows: readonly TokenRow[];
  /** The trainer's values, all of them finite. */
  readonly ours: readonly Float32Array[];
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly emit: (event: ExportParityEvent) => void;
}

/** A file on which llama.cpp computes something else. */
export interface FailedProof {
  readonly base: string;
  /** Mean difference, nats; null where llama.cpp's own numbers are not finite. */
  readonly meanDifference: number | null;
  readonly bound: number | null;
}

/** JSON has no other numbers. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Compares all of them and tells of each; returns those that failed. */
export async function proveResult({ proofs, emit, ...options }: ProofOptions): Promise<FailedProof[]> {
  const failed: FailedProof[] = [];
  for (const { adapters, modelPath } of proofs) {
    const parity = await measureParity({ modelPath, adapterPath: null, adapters, ...options });
    // On a quantized file llama.cpp's own arithmetic differs; that figure is shown, not judged, as long as it is one.
    const opened = openGguf(modelPath);
    const bound = parityBoundOn(opened);
    opened.close();
    const meanDifference = finite(parity.meanDifference);
    const passed = meanDifference === null ? false : bound === null ? null : meanDifference <= bound;
    const base = basename(modelPath);
    const worstDifference = finite(parity.worstDifference);
    emit({ type: 'export-parity', base, tokens: parity.tokens, meanDifference, worstDifference, bound, passed });
    if (passed === false) failed.push({ base, meanDifference, bound });
  }
  return failed;
}

/** What failed, and what can still be used, as a sentence. */
export function failureText(failed: readonly FailedProof[], { result }: Pick<Method, 'result'>): string {
  const parts = failed.map(({ base, bound, meanDifference }) =>
    meanDifference === null
      ? `its numbers on ${base} are not finite`
      : `it differs by ${meanDifference.toFixed(4)} nats on average on ${base}, above the bound of ${bound}`,
  );
  const usable =
    result.adapter === null
      ? 'The checkpoints hold what was trained; do not use the GGUF model before this is explained.'
      : "What was trained is in adapter_model.safetensors, which PEFT computes with as the trainer did (`exportRun(run, { to: 'peft' })`); do not use the GGUF adapter, chat, Ollama or a merged model before this is explained.";
  return `llama.cpp does not compute what was trained: ${parts.join('; ')}. ${usable}`;
}
