/** Runs of the server's folder, and jobs that have none yet, as the studio lists them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ListedRun, listedRun, listRuns, type RunRecord } from '../../run/run-folder.ts';
import { finalStates, runStates } from '../../run/run-record.ts';
import { fineTunedName } from '../fine-tuned-names.ts';
import { type StoredJob, unfinished } from '../state/job-store.ts';
import type { Workspace } from '../workspace.ts';

/** As runs end, and what a job is before and between. */
export const summaryStates = ['queued', 'paused', ...runStates, 'cancelled', 'unreadable'] as const;
export type SummaryState = (typeof summaryStates)[number];

/** Of a job, what it is; a run that ended is what it ended as, whatever became of its job. */
function stateOf(run: ListedRun | null, job: StoredJob | null): SummaryState {
  if (run && finalStates.includes(run.state)) return run.state;
  if (job?.status === 'failed' || job?.status === 'cancelled') return job.status;
  if (job && unfinished.includes(job.status)) {
    if (job.paused) return 'paused';
    return run?.state === 'running' ? 'running' : 'queued';
  }
  return run?.state ?? 'failed';
}

/** Whether a failed job has a run that can be gone on with: what it failed for may be gone, such as a full disk. */
export const canGoOn = (run: ListedRun | null, job: StoredJob | null): boolean =>
  job?.status === 'failed' && run?.record != null && !finalStates.includes(run.state);

const jobOf = (job: StoredJob | null) =>
  job && { id: job.id, status: job.status, paused: job.paused, error: job.error?.message ?? null };

/** Milliseconds of an hour in 1970 until now. */
const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

const result = (path: string, record: RunRecord, job: StoredJob | null) => ({
  id: fineTunedName(path, record, job ? (job.asked.suffix ?? '') : ''),
  systemPrompt: record.systemPrompt,
});

/** One run; `run` is null while its job waits for its turn. */
export function summaryOf(name: string, run: ListedRun | null, job: StoredJob | null) {
  const record = run?.record ?? null;
  const state = stateOf(run, job);
  return {
    name,
    state,
    model: job?.base ?? record?.settings.model ?? '',
    method: record?.settings.method ?? null,
    created: record?.created ?? isoOf(job?.created ?? 0),
    epochs: record?.settings.epochs ?? null,
    rows: record?.rows ?? null,
    seed: record?.settings.seed ?? null,
    learningRate: record?.settings.learningRate ?? null,
    rank: record?.settings.rank ?? null,
    validationBefore: record?.validationBefore ?? null,
    validationAfter: record?.validationAfter ?? null,
    verdict: record?.verdict ?? null,
    chosen: record?.chosenFromData ?? null,
    fault: run?.fault ?? job?.error?.message ?? null,
    job: jobOf(job),
    canGoOn: canGoOn(run, job),
    result: run && record && finalStates.includes(state) && state !== 'diverged' ? result(run.path, record, job) : null,
    hasReport: run !== null && existsSync(join(run.path, 'report.json')),
  };
}

const jobsOf = (workspace: Workspace): readonly StoredJob[] => workspace.openedJobs()?.all() ?? [];

/** All of them, the newest first. */
export function summaries(workspace: Workspace) {
  const jobs = new Map(jobsOf(workspace).map((job) => [job.run, job]));
  const runs = new Map(listRuns(workspace.runs).map((run) => [run.name, run]));
  return [...new Set([...runs.keys(), ...jobs.keys()])]
    .map((name) => summaryOf(name, runs.get(name) ?? null, jobs.get(name) ?? null))
    .sort((a, b) => b.created.localeCompare(a.created));
}

/** null where there is none of that name. */
export function summaryNamed(workspace: Workspace, name: string) {
  const job = workspace.openedJobs()?.ofRun(name) ?? null;
  const run = listedRun(workspace.runs, name);
  return run || job ? summaryOf(name, run, job) : null;
}
