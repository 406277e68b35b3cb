/**
 * How a run ends: its last event, its record and its report. Promises: the record says how it ended only when the report is there.
 */

import type { Evaluation } from '../evaluate/evaluation.ts';
import type { RunEndEvent, RunEvent } from '../events.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { parentBytes } from '../machine/machine.ts';
import { plannedAndActual } from '../report/sections/cost.ts';
import { surroundings } from '../store/model-folders.ts';
import type { TrainerState } from '../train/trainer-state.ts';
import type { Method } from './methods.ts';
import { adapterOf, renderReport } from './report.ts';
import type { RunFolder } from './run-folder.ts';
import { writeRunLineage } from './run-lineage.ts';
import { shareable } from './shareable.ts';

export type Ending = RunEndEvent['state'];

/** What this process measured of itself. */
export interface Measured {
  readonly seconds: number;
  readonly secondsBefore: number;
  readonly tokensPerSecond: number | null;
  readonly firstStepSeconds: number | null;
}

export interface EndOptions {
  readonly folder: RunFolder;
  readonly how: Ending;
  /** Why the result is not to be trusted, as a sentence; null where it is. */
  readonly verdict: string | null;
  /** Of the held-out examples; null where none was made. */
  readonly evaluation: Evaluation | null;
  /** Null where there is no result. */
  readonly result: Method['result'] | null;
  readonly state: TrainerState;
  readonly measured: Measured;
  readonly emit: (event: RunEvent) => void;
}

export function endRun({ evaluation, folder, how, verdict, result, state, measured, emit }: EndOptions): RunEndEvent {
  const event: RunEndEvent = {
    type: 'run-end',
    state: how,
    adapter: result?.adapter ?? null,
    model: result?.model ?? null,
    ...measured,
    // This process at its peak, and the one that shows its progress.
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024 + parentBytes(),
    validationBefore: state.validationBefore,
    validationAfter: state.bestLoss,
    steps: state.step,
    bestStep: state.bestStep,
    ...(verdict === null ? {} : { verdict }),
  };
  emit(event);
  const { validationAfter, validationBefore } = event;
  const { verdict: _, ...before } = folder.read();
  const record = { ...before, state: how, validationBefore, validationAfter, ...(verdict === null ? {} : { verdict }) };
  if (how !== 'interrupted') {
    const { events, record: run } = shareable(record, folder.events(), surroundings().home);
    const text = JSON.stringify({ run, plannedAndActual: plannedAndActual(events), evaluation, events }, null, 1);
    writeFileAtomic(folder.file('report.json'), `${text}\n`);
    if (result?.adapter) writeRunLineage(folder, record);
    writeFileAtomic(folder.file('report.html'), renderReport(run, events, { evaluation, ...adapterOf(folder) }));
  }
  folder.write(record);
  return event;
}
