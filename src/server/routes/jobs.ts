/** /v1/fine_tuning: jobs, their events and checkpoints, and who may use those. */
import { join } from 'node:path';
import { z } from 'zod';
import { listedRun } from '../../run/run-folder.ts';
import { ApiError, apiErrorOf, wrongParameter } from '../api-error.ts';
import { eventStream } from '../event-stream.ts';
import { checkpointObjects, eventObject, jobObject } from '../jobs/job-object.ts';
import { readJobRequest } from '../jobs/job-request.ts';
import { readParameters } from '../parameters.ts';
import { jsonOf, noBody } from '../request.ts';
import { nowInSeconds } from '../state/ids.ts';
import { type Asked, type JobChange, type StoredJob, unfinished } from '../state/job-store.ts';
import type { Matching } from '../state/pages.ts';
import type { StoredPermission } from '../state/permission-store.ts';
import { canGoOn } from '../studio/run-summary.ts';
import { followEvents } from './follow-events.ts';
import { listOf, pageParameters, pageQuery, readQuery } from './query.ts';
import type { RouteParts, Routes } from './routes.ts';

/** OpenAI's: entries of a page unless asked otherwise, and at most. */
const usualJobs = 20;
const usualCheckpoints = 10;
const mostOfPage = 100;
/** Events have more: a run has one a step, and scripts read all. */
const mostEvents = 1000;
/** Projects that are named at once. */
const mostProjects = 100;
/** Letters of a job's id in the name of its run: enough to tell jobs apart. */
const runLetters = 8;

export const jobListParameters = z.object(pageParameters(mostOfPage));
export const eventParameters = z.object({
  ...pageParameters(mostEvents),
  stream: z.enum(['true', 'false']).optional(),
});
export const permissionParameters = z.object({
  ...pageParameters(mostOfPage),
  project_id: z.string().optional(),
  order: z.enum(['ascending', 'descending']).optional(),
});
export const grantParameters = z.object({ project_ids: z.array(z.string().min(1)).min(1).max(mostProjects) });

/** `metadata[k]=v` and `metadata=null`, taken out of the query. */
function metadataFilter(url: URL): Matching[] {
  const found: Matching[] = [];
  for (const [name, value] of [...url.searchParams]) {
    const [, key] = /^metadata\[(.+)\]$/.exec(name) ?? [];
    if (key !== undefined)
      found.push({
        sql: "exists (select 1 from json_each(asked, '$.metadata') where key = ? and value = ?)",
        values: [key, value],
      });
    else if (name !== 'metadata') continue;
    else if (value === 'null') found.push({ sql: "json_extract(asked, '$.metadata') is null", values: [] });
    else
      throw wrongParameter(
        'metadata',
        'invalid_value',
        "Invalid value for 'metadata': expected null, or metadata[key]=value.",
      );
    url.searchParams.delete(name);
  }
  return found;
}

/** Throws ApiError where there is no job of that id. */
function jobOf({ workspace }: RouteParts, id: string): StoredJob {
  const job = workspace.open().jobs.find(id);
  if (job) return job;
  throw new ApiError({
    status: 404,
    code: 'fine_tune_not_found',
    param: 'fine_tuning_job_id',
    message: `Could not find fine tune: ${id}`,
  });
}

/** Throws ApiError where the file is none to train with. */
function assertTrainable(
  { workspace }: RouteParts,
  param: 'training_file' | 'validation_file',
  id: string | null,
): void {
  if (id === null) return;
  const file = workspace.open().files.find(id);
  const fault = file
    ? file.purpose === 'fine-tune'
      ? null
      : `its purpose is '${file.purpose}', not 'fine-tune'`
    : 'there is no such file';
  if (fault) throw wrongParameter(param, `invalid_${param}`, `Invalid ${param} ${id}: ${fault}.`);
}

/** The name of a run's folder. */
const runName = (suffix: string | null, id: string): string =>
  `${(suffix ?? '').replace(/[^\w.-]+/g, '-').replace(/^[-.]+/, '') || 'job'}-${id.slice(-runLetters)}`;

async function create(parts: RouteParts, asked: Asked): Promise<StoredJob> {
  assertTrainable(parts, 'training_file', asked.training_file);
  assertTrainable(parts, 'validation_file', asked.validation_file);
  return createRun(parts, asked);
}

/** A job with its first event, on its way. Rejects with ApiError where there is no such model. */
export async function createRun(parts: RouteParts, asked: Asked): Promise<StoredJob> {
  const served = await parts.models.find(asked.model);
  if (served === null)
    throw new ApiError({
      status: 404,
      code: 'model_not_found',
      param: 'model',
      message: `The model '${asked.model}' does not exist, or is not available for fine-tuning. GET /v1/models lists those that are.`,
    });
  const { jobs, queue } = parts.workspace.open();
  const job = jobs.create(
    asked,
    served.id,
    (id) => runName(asked.suffix, id),
    (id) => [
      { key: 'created', message: `Created fine-tuning job: ${id}` },
      ...(served.id === asked.model
        ? []
        : [{ key: 'mapped', message: `The model '${asked.model}' is here ${served.id}, which is what is trained.` }]),
    ],
  );
  queue.pump();
  return job;
}

/** Changes a job that its status allows to be changed. Throws ApiError. */
function change(
  parts: RouteParts,
  job: StoredJob,
  what: string,
  made: JobChange & { readonly message: string },
): object {
  const { jobs, queue } = parts.workspace.open();
  const { message, ...changed } = made;
  jobs.change(job.id, changed, [{ key: `${what} ${nowInSeconds()} ${Math.random()}`, message }]);
  queue.stop(job.id);
  queue.pump();
  return jobObject(jobs.find(job.id)!);
}

/** Throws ApiError where a job is over, or `allowed` says no. */
function assertCan(job: StoredJob, what: string, fault: string | null): void {
  const over = unfinished.includes(job.status) ? null : `it has ended (${job.status})`;
  if (over ?? fault)
    throw wrongParameter(
      'fine_tuning_job_id',
      'invalid_job_status',
      `The job ${job.id} cannot be ${what}: ${over ?? fault}.`,
    );
}

const permissionObject = ({ created, id, project_id }: StoredPermission) => ({
  id,
  object: 'checkpoint.permission' as const,
  created_at: created,
  project_id,
});

/** The name of a fine-tuned model that is there. Throws ApiError. */
async function checkpointOf({ models }: RouteParts, name: string): Promise<string> {
  const model = await models.find(name);
  if (model?.id.startsWith('ft:')) return model.id;
  throw new ApiError({
    status: 404,
    code: 'model_not_found',
    param: 'fine_tuned_model_checkpoint',
    message: `There is no fine-tuned model '${name}'.`,
  });
}

const jobRoutes = (parts: RouteParts): Routes => ({
  'POST /v1/fine_tuning/jobs': async (context) =>
    context.json(jobObject(await create(parts, readJobRequest(await jsonOf(context))))),
  'GET /v1/fine_tuning/jobs': (context) => {
    const url = new URL(context.req.url);
    const matching = metadataFilter(url);
    const query = pageQuery(readQuery(url.href, jobListParameters), usualJobs);
    const page = parts.workspace.open().jobs.list(matching, query);
    return context.json(listOf(page && { ...page, data: page.data.map(jobObject) }));
  },
  'GET /v1/fine_tuning/jobs/:id': (context) => context.json(jobObject(jobOf(parts, context.req.param('id') ?? ''))),
  'POST /v1/fine_tuning/jobs/:id/cancel': async (context) => {
    await noBody(context);
    const job = jobOf(parts, context.req.param('id') ?? '');
    assertCan(job, 'cancelled', null);
    return context.json(
      change(parts, job, 'cancel', {
        status: 'cancelled',
        finished: nowInSeconds(),
        paused: false,
        message: 'The job was cancelled',
      }),
    );
  },
  'POST /v1/fine_tuning/jobs/:id/pause': async (context) => {
    await noBody(context);
    const job = jobOf(parts, context.req.param('id') ?? '');
    const checked = job.status === 'validating_files' ? 'its files are being validated; try again in a moment' : null;
    assertCan(job, 'paused', job.paused ? 'it is paused already' : checked);
    return context.json(
      change(parts, job, 'pause', {
        status: 'queued',
        paused: true,
        message: 'The job was paused; its checkpoint is kept',
      }),
    );
  },
  'POST /v1/fine_tuning/jobs/:id/resume': async (context) => {
    await noBody(context);
    const job = jobOf(parts, context.req.param('id') ?? '');
    const again = canGoOn(listedRun(parts.workspace.runs, job.run), job);
    if (!again) assertCan(job, 'resumed', job.paused ? null : 'it is not paused');
    const anew = again ? ({ status: 'queued', finished: null, error: null } as const) : {};
    return context.json(change(parts, job, 'resume', { ...anew, paused: false, message: 'The job goes on' }));
  },
});

const followRoutes = (parts: RouteParts): Routes => ({
  'GET /v1/fine_tuning/jobs/:id/events': (context) => {
    const job = jobOf(parts, context.req.param('id') ?? '');
    const { stream, ...given } = readQuery(context.req.url, eventParameters);
    const { jobs } = parts.workspace.open();
    if (stream === 'true') {
      const { signal } = context.get('asked');
      const headers = { 'Content-Type': 'text/event-stream; charset=utf-8' };
      return context.body(
        eventStream(followEvents(jobs, job.id, given.after ?? null, signal), (error) => apiErrorOf(error, null)),
        200,
        headers,
      );
    }
    const page = jobs.events(job.id, pageQuery(given, usualJobs));
    return context.json(listOf(page && { ...page, data: page.data.map(eventObject) }));
  },
  'GET /v1/fine_tuning/jobs/:id/checkpoints': (context) => {
    const job = jobOf(parts, context.req.param('id') ?? '');
    const { after, limit = usualCheckpoints } = readQuery(context.req.url, jobListParameters);
    const { jobs } = parts.workspace.open();
    const all = checkpointObjects(job, jobs.checkpoints(job.id), join(parts.workspace.runs, job.run));
    const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
    const page =
      after !== undefined && from === 0
        ? null
        : { data: all.slice(from, from + limit), hasMore: all.length > from + limit };
    return context.json(listOf(page));
  },
});

const permissionsPath = '/v1/fine_tuning/checkpoints/:model/permissions';
const permissionRoutes = (parts: RouteParts): Routes => ({
  [`POST ${permissionsPath}`]: async (context) => {
    const { project_ids: projects } = readParameters(await jsonOf(context), grantParameters, {});
    const name = await checkpointOf(parts, context.req.param('model') ?? '');
    const granted = parts.workspace.open().permissions.grant(name, projects);
    return context.json(listOf({ data: granted.map(permissionObject), hasMore: false }));
  },
  [`GET ${permissionsPath}`]: async (context) => {
    const { order, project_id: project = null, ...given } = readQuery(context.req.url, permissionParameters);
    const name = await checkpointOf(parts, context.req.param('model') ?? '');
    const query = pageQuery(given, usualCheckpoints, order === 'ascending' ? 'asc' : 'desc');
    const page = parts.workspace.open().permissions.list(name, project, query);
    return context.json(listOf(page && { ...page, data: page.data.map(permissionObject) }));
  },
  [`DELETE ${permissionsPath}/:id`]: async (context) => {
    const name = await checkpointOf(parts, context.req.param('model') ?? '');
    const id = context.req.param('id') ?? '';
    if (!parts.workspace.open().permissions.revoke(name, id))
      throw new ApiError({
        status: 404,
        code: 'permission_not_found',
        param: 'permission_id',
        message: `There is no permission ${id} of this checkpoint.`,
      });
    return context.json({ id, object: 'checkpoint.permission', deleted: true });
  },
});

export const fineTuningRoutes = (parts: RouteParts): Routes => ({
  ...jobRoutes(parts),
  ...followRoutes(parts),
  ...permissionRoutes(parts),
});
