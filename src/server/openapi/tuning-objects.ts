/** Files, uploads, jobs and what belongs to them, as the document describes them. Pure. */
import { z } from 'zod';
import { purposes } from '../routes/files.ts';
import { hyperparameters, statuses } from '../state/job-store.ts';
import { named, time } from './components.ts';

export const file = named(
  'File',
  z.object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int().min(0),
    created_at: time,
    expires_at: time.optional(),
    filename: z.string(),
    purpose: z.enum([...purposes, 'fine-tune-results']),
    status: z.literal('processed'),
    status_details: z.null(),
  }),
);

export const upload = named(
  'Upload',
  z.object({
    id: z.string(),
    object: z.literal('upload'),
    bytes: z.int().min(1),
    created_at: time,
    expires_at: time,
    filename: z.string(),
    purpose: z.enum(purposes),
    status: z.enum(['pending', 'completed', 'cancelled', 'expired']),
    file: file.nullable(),
  }),
);
export const uploadPart = named(
  'UploadPart',
  z.object({ id: z.string(), object: z.literal('upload.part'), created_at: time, upload_id: z.string() }),
);

const jobHyperparameters = named('Hyperparameters', hyperparameters.clone());
export const job = named(
  'FineTuningJob',
  z.object({
    id: z.string(),
    object: z.literal('fine_tuning.job'),
    created_at: time,
    finished_at: time.nullable(),
    status: z.enum(statuses),
    model: z.string(),
    fine_tuned_model: z.string().nullable(),
    organization_id: z.string(),
    result_files: z.array(z.string()),
    trained_tokens: z.int().min(0).nullable(),
    training_file: z.string(),
    validation_file: z.string().nullable(),
    seed: z.int().min(0),
    hyperparameters: jobHyperparameters,
    method: z.union([
      z.object({ type: z.literal('supervised'), supervised: z.object({ hyperparameters: jobHyperparameters }) }),
      z.object({ type: z.literal('dpo'), dpo: z.object({ hyperparameters: jobHyperparameters }) }),
    ]),
    metadata: z.record(z.string(), z.string()).nullable(),
    integrations: z.array(z.never()),
    error: z.object({ code: z.string(), message: z.string(), param: z.string().nullable() }).nullable(),
    estimated_finish: time.nullable(),
  }),
);
export const jobEvent = named(
  'FineTuningJobEvent',
  z.object({
    id: z.string(),
    object: z.literal('fine_tuning.job.event'),
    created_at: time,
    level: z.enum(['info', 'warn', 'error']),
    message: z.string(),
    type: z.enum(['message', 'metrics']),
    data: z.record(z.string(), z.unknown()).nullable(),
  }),
);
export const checkpoint = named(
  'FineTuningJobCheckpoint',
  z.object({
    id: z.string(),
    object: z.literal('fine_tuning.job.checkpoint'),
    created_at: time,
    fine_tuned_model_checkpoint: z.string(),
    fine_tuning_job_id: z.string(),
    step_number: z.int().min(0),
    metrics: z.record(z.string(), z.number()),
  }),
);
export const permission = named(
  'CheckpointPermission',
  z.object({ id: z.string(), object: z.literal('checkpoint.permission'), created_at: time, project_id: z.string() }),
);
