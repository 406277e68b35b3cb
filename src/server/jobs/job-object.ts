/** Jobs, their events and checkpoints as OpenAI's API has them. */
import { RunFolder } from '../../run/run-folder.ts';
import { isRun } from '../../settings/load.ts';
import { checkpointName, checkpointPath, fineTunedName } from '../fine-tuned-names.ts';
import type { StoredCheckpoint, StoredEvent, StoredJob } from '../state/job-store.ts';

export function jobObject({ asked, created, error, finished, id, learned, status }: StoredJob) {
  const hyperparameters = learned.hyperparameters ?? asked.hyperparameters;
  const { beta: _, ...shared } = hyperparameters;
  return {
    id,
    object: 'fine_tuning.job' as const,
    created_at: created,
    finished_at: finished,
    status,
    model: asked.model,
    fine_tuned_model: learned.fine_tuned_model ?? null,
    organization_id: 'nomoat',
    result_files: learned.result_file === undefined ? [] : [learned.result_file],
    trained_tokens: learned.trained_tokens ?? null,
    training_file: asked.training_file,
    validation_file: asked.validation_file,
    seed: asked.seed,
    hyperparameters: shared,
    method:
      asked.method === 'dpo'
        ? { type: asked.method, dpo: { hyperparameters } }
        : { type: asked.method, supervised: { hyperparameters } },
    metadata: asked.metadata,
    integrations: [],
    error,
    estimated_finish: status === 'running' ? (learned.estimated_finish ?? null) : null,
  };
}

export const eventObject = ({ created, data, id, level, message, type }: StoredEvent) => ({
  id,
  object: 'fine_tuning.job.event' as const,
  created_at: created,
  level,
  message,
  type,
  data,
});

/** The checkpoints of a job that are there, newest first; `run` is the path of its run. */
export function checkpointObjects(job: StoredJob, checkpoints: readonly StoredCheckpoint[], run: string) {
  if (!isRun(run)) return [];
  const name = fineTunedName(run, new RunFolder(run).read(), job.asked.suffix ?? '');
  return checkpoints
    .filter(({ step }) => checkpointPath(run, step) !== null)
    .map(({ created, id, metrics, step }) => ({
      id,
      object: 'fine_tuning.job.checkpoint' as const,
      created_at: created,
      fine_tuned_model_checkpoint: checkpointName(name, step),
      fine_tuning_job_id: job.id,
      step_number: step,
      metrics,
    }));
}
