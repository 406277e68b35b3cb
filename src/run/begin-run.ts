/**
 * What a run says before its first step: what it trains, on what, with what in the way. Knows nothing of
 * what comes after.
 */

import type { Prepared } from '../dataset/prepared.ts';
import { eventsVersion, type RunEvent } from '../events.ts';
import { parameterCount } from '../models/config.ts';
import { settingWarnings } from '../plan/setting-warnings.ts';
import type { Loaded } from '../train/checkpoint.ts';
import type { TrainStep } from '../train/step.ts';
import type { Running } from './load-run.ts';

/** The events, in their order. `shrunk` is said where memory ran out in the process before. */
export function beginningOf(running: Running, shrunk: string | null): RunEvent[] {
  const { loaded, method, opened, precision, steps, stepsPerEpoch, threads } = running;
  const { folder, model, notices, plan, prepared, resumed } = opened;
  const { settings } = prepared;
  const notice = (code: string, messages: readonly string[]): RunEvent[] =>
    messages.map((message) => ({ type: 'notice', code, message }));
  return [
    {
      type: 'run-start',
      version: eventsVersion,
      run: folder.path,
      model: settings.model,
      architecture: model.string('general.architecture')!,
      parameters: parameterCount(model),
      method: settings.method,
      trainableParameters: countOf(method.step),
      settings: { ...settings },
      ...(loaded ? { resumedFromStep: loaded.state.step } : {}),
    },
    ...(plan && !loaded ? [plan] : []),
    ...(precision ? [precision] : []),
    dataReady(prepared, steps, stepsPerEpoch),
    ...notice('defaults', prepared.chosen ? [prepared.chosen] : []),
    ...notice('data', prepared.notes),
    ...notice('machine', notices),
    ...notice('settings', [...prepared.overruled, ...settingWarnings(settings, steps, threads)]),
    ...notice('checkpoint', loaded ? brokenCheckpoints(loaded) : resumed ? [noCheckpoint] : []),
    ...notice('smaller-micro-batch', shrunk === null ? [] : [shrunk]),
  ];
}

const noCheckpoint = 'There is no checkpoint to go on from: the run begins anew, with its settings.';

const countOf = (step: TrainStep): number => step.parameters.reduce((total, { value }) => total + value.length, 0);

function dataReady(prepared: Prepared, steps: number, stepsPerEpoch: number): RunEvent {
  const { report, validationReport } = prepared;
  return {
    type: 'data-ready',
    format: prepared.format,
    rows: report.rows,
    tokens: report.tokens,
    supervisedTokens: report.supervisedTokens,
    truncatedRows: report.truncatedRows,
    refusedRows: report.refusedRows,
    splitRows: report.splitRows,
    refusals: report.refusals,
    refused: report.refused,
    duplicateRows: report.duplicateRows,
    leakedRows: prepared.leaked,
    validationRows: validationReport?.rows ?? 0,
    validationTokens: validationReport?.tokens ?? 0,
    validationSupervisedTokens: validationReport?.supervisedTokens ?? 0,
    stepsPerEpoch,
    steps,
  };
}

/** What was passed over when the run went on, and what was used instead. */
function brokenCheckpoints({ broken, lostBest, state }: Loaded): string[] {
  const said = broken.map(
    ({ fault, step }) =>
      `The checkpoint after ${step} steps is broken (${fault}): going on from the one after ${state.step} steps.`,
  );
  if (lostBest)
    said.push(
      `The best checkpoint so far, after ${lostBest.step} steps, cannot be read (${lostBest.fault}): the best of what follows is the result.`,
    );
  return said;
}
