/** The fourth stage of a run: its result is written, proven against llama.cpp, shown in samples and evaluated. */
import type { Evaluation } from '../evaluate/evaluation.ts';
import { parityRows } from '../plan/work.ts';
import { loadParameters } from '../train/checkpoint.ts';
import type { Running } from './load-run.ts';
import { preferenceNotices } from './preference-verdict.ts';
import { allFinite, failureText, logProbabilitiesOf, proveResult } from './prove-result.ts';
import { showResult } from './show-result.ts';
import { diverged, type Outcome } from './train-run.ts';

/** Gives memory back that nothing names any more; the worker is started with this switched on. */
const collectGarbage = (): void => (globalThis as { gc?: () => void }).gc?.();

/** How a run ends, and what it is worth where that was evaluated. */
export interface Finished extends Outcome {
  readonly evaluation: Evaluation | null;
}

const withoutEvaluation = (outcome: Outcome): Finished => ({ ...outcome, evaluation: null });

/** The result, its parity proof, samples, evaluation. Returns how the run ends; the step is closed then. */
export async function finishRun(running: Running, trained: Outcome): Promise<Finished> {
  const { journal, losses, method, opened, signal, state, stepsPerEpoch, threads } = running;
  const { folder, notices, prepared } = opened;
  if (state.bestStep !== null) loadParameters(folder.checkpoints, state.bestStep, method.step.parameters);
  if (losses.tornApart({ before: state.validationBefore, after: state.bestLoss })) {
    await method.step.close();
    const at =
      state.bestLoss === null
        ? `the last losses are ${losses.end.toFixed(1)}`
        : `the validation loss is ${state.bestLoss.toFixed(1)}`;
    return withoutEvaluation(diverged(running, `${at}, worse than a model that guesses`));
  }
  method.write(state, stepsPerEpoch);
  for (const { code, message } of preferenceNotices(folder.events(), state.bestStep)) journal.notice(code, message);
  // Of pairs the preferred answers.
  const rows = (prepared.validation.length > 0 ? prepared.validation : prepared.train)
    .slice(0, parityRows)
    .map(({ rejected: _, ...row }) => row);
  const exact = await method.exactStep();
  const ours = await logProbabilitiesOf(exact, rows);
  if (!allFinite(ours)) {
    await exact.close();
    return withoutEvaluation(diverged(running, "the result's own log-probabilities are not finite"));
  }
  const { files, notice, release } = method.proofs();
  if (notice !== null && !notices.includes(notice)) journal.notice('cache', notice);
  // llama.cpp maps another copy of the base, for which what training held makes room.
  await exact.close();
  collectGarbage();
  const { emit } = journal;
  const failed = await proveResult({ proofs: files, rows, ours, threads, signal, emit }).finally(release);
  const torn = failed.some(({ meanDifference }) => meanDifference === null) && losses.spiked;
  if (torn)
    return withoutEvaluation(
      diverged(
        running,
        `the loss rose above ${losses.bound.toFixed(1)} on the way, and llama.cpp's numbers with the result are not finite`,
      ),
    );
  const verdict = failed.length > 0 ? failureText(failed, method) : null;
  if (verdict !== null) journal.notice('parity-failed', verdict);
  // Where its numbers are not finite, nothing can be said with them.
  const evaluation = failed.every(({ meanDifference }) => meanDifference !== null) ? await showResult(running) : null;
  return { ...(verdict === null ? trained : { how: 'proof-failed', verdict }), evaluation };
}
