/**
 * llama.cpp's log-probabilities of given tokens, teacher-forced.
 * Promises: one value per supervised token, in order, float32 attention cache; only the wanted logits leave the engine, since the
 * whole vocabulary per token would cost more than the model. Knows nothing of trainers.
 */

import type {
  ControlledEvaluateInputItem,
  EvaluationPriority,
  LlamaContext,
  LlamaContextSequence,
  Token,
} from 'node-llama-cpp';
import { NomoatError } from '../errors.ts';
import type { StackedAdapter } from '../store/stack.ts';
import type { RowLogProbabilities, TokenRow } from '../tokens/token-row.ts';
import { evaluating, evaluationThreads, llamaCall, loadLlamaModel, openContext } from './engine.ts';
import { asked, scored } from './token-scores.ts';

/** llama.cpp needs one free cell beyond the tokens that it holds, and rounds contexts up to this. */
const contextStep = 256;
/** Tokens decoded at once: a larger batch is no faster on a CPU and holds a vocabulary of logits per supervised token. */
const decodeBatch = 512;

export interface LogProbabilityOptions {
  readonly modelPath: string;
  /** A GGUF LoRA made for that model, or null for the base alone. */
  readonly adapterPath: string | null;
  /** Further GGUF LoRAs, each with its scale. */
  readonly adapters?: readonly StackedAdapter[];
  readonly rows: readonly TokenRow[];
  readonly threads: number;
  readonly signal?: AbortSignal;
}

/** Position t is asked for token t+1 where that is supervised. */
function requests(row: TokenRow): ControlledEvaluateInputItem[] {
  const input: ControlledEvaluateInputItem[] = [];
  for (let t = 0; t + 1 < row.tokens.length; t++) {
    const token = row.tokens[t]! as Token;
    input.push(row.supervised[t + 1] ? asked(token, row.tokens[t + 1]! as Token, 1) : token);
  }
  return input;
}

/** Of the row's beginning, what the sequence holds already (but nothing of the answer) is not evaluated again. */
export async function evaluateOn(
  sequence: LlamaContextSequence,
  row: TokenRow,
  evaluationPriority?: EvaluationPriority,
): Promise<RowLogProbabilities> {
  const targets = [...row.supervised.keys()].filter((t) => t > 0 && row.supervised[t]);
  const logProbabilities = new Float32Array(targets.length);
  const mostLikely = new Uint8Array(targets.length);
  const held = sequence.nextTokenIndex;
  const outputs = await sequence.controlledEvaluate(
    requests(row).slice(held),
    evaluationPriority === undefined ? {} : { evaluationPriority },
  );
  targets.forEach((t, i) => {
    const wanted = row.tokens[t]! as Token;
    const { logProbability, top } = scored(outputs[t - 1 - held], wanted, 1);
    logProbabilities[i] = logProbability;
    mostLikely[i] = top[0]?.token === wanted ? 1 : 0;
  });
  return { logProbabilities, mostLikely };
}

async function evaluateRow(context: LlamaContext, row: TokenRow): Promise<RowLogProbabilities> {
  const sequence = context.getSequence();
  try {
    return await evaluateOn(sequence, row);
  } finally {
    await sequence.dispose();
  }
}

/**
 * Log-probabilities (nats) of every supervised token of `rows` under llama.cpp. Throws NomoatError, kind `interrupted` when
 * `signal` aborts.
 */
export async function llamaLogProbabilities(options: LogProbabilityOptions): Promise<RowLogProbabilities[]> {
  const { adapters = [], modelPath, adapterPath, rows, threads, signal } = options;
  const all = [...(adapterPath ? [{ path: adapterPath, scale: 1 }] : []), ...adapters];
  const loras = all.map(({ path, scale }) => ({ filePath: path, scale }));
  const longest = rows.reduce((most, row) => Math.max(most, row.tokens.length), 1);
  const model = await loadLlamaModel(modelPath, signal);
  try {
    const remedy = 'Check that the adapter was exported for this model and that memory suffices.';
    return await llamaCall(loras.at(-1)?.filePath ?? modelPath, 'evaluate the rows', remedy, async () => {
      const context = await openContext(model, {
        contextSize: Math.ceil((longest + 1) / contextStep) * contextStep,
        batchSize: Math.min(decodeBatch, longest),
        threads: evaluationThreads(model, threads),
        flashAttention: false,
        experimentalKvCacheKeyType: 'F32',
        experimentalKvCacheValueType: 'F32',
        ...(loras.length > 0 ? { lora: { adapters: loras } } : {}),
      });
      const results: RowLogProbabilities[] = [];
      for (const row of rows) {
        if (signal?.aborted) throw interrupted(modelPath);
        results.push(await evaluating(context, () => evaluateRow(context, row)));
      }
      await context.dispose();
      return results;
    });
  } finally {
    await model.dispose();
  }
}

function interrupted(part: string): NomoatError {
  return new NomoatError({
    part,
    fault: 'the measurement was interrupted',
    remedy: 'Run it again.',
    kind: 'interrupted',
  });
}
