/**
 * /studio/v1: what the studio's page needs beside OpenAI's routes. Each is a call of the library, or a look at what the server keeps; nothing is
 * computed here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listModels } from '../../library/models.ts';
import { memoryBytes, physicalCores } from '../../machine/machine.ts';
import { ownVersion } from '../../store/installed-version.ts';
import { ApiError } from '../api-error.ts';
import { jobObject } from '../jobs/job-object.ts';
import { readParameters } from '../parameters.ts';
import { jsonOf } from '../request.ts';
import { fileOf } from '../routes/files.ts';
import { createRun } from '../routes/jobs.ts';
import { namedModel } from '../routes/models.ts';
import { readQuery } from '../routes/query.ts';
import type { RouteParts, Routes } from '../routes/routes.ts';
import type { StoredJob } from '../state/job-store.ts';
import { type AnsweredCall, callLibrary } from './call-library.ts';
import { withFileNames } from './file-names.ts';
import {
  eventsParameters,
  inspectParameters,
  pageSettings,
  planParameters,
  previewParameters,
  runParameters,
  settingsOf,
} from './parameters.ts';
import { pullRoutes } from './pull-routes.ts';
import { logPage } from './run-log.ts';
import { summaries, summaryNamed } from './run-summary.ts';
import { type ServerParts, serverRoutes } from './server-routes.ts';
import { talkRoutes } from './talk-routes.ts';
import { type TaskParts, taskRoutes } from './task-routes.ts';

const auto = { n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto' } as const;

/** A run of that name. Throws ApiError. */
function runNamed({ workspace }: RouteParts, name: string) {
  const found = summaryNamed(workspace, name);
  if (found) return found;
  throw new ApiError({ status: 404, code: 'run_not_found', param: 'name', message: `There is no run '${name}' here.` });
}

/** A file of a run's folder. Throws ApiError where it is not there yet. */
function runFile(parts: RouteParts, name: string, file: string): string {
  runNamed(parts, name);
  const path = join(parts.workspace.runs, name, file);
  if (existsSync(path)) return path;
  throw new ApiError({
    status: 404,
    code: 'run_unfinished',
    param: 'name',
    message: `The run '${name}' has no ${file} yet.`,
  });
}

/** Files are called as they were when they were dropped, wherever the library names their paths. */
async function called(
  parts: RouteParts,
  ids: readonly string[],
  call: AnsweredCall,
  signal: AbortSignal,
): Promise<object> {
  const { files } = parts.workspace.open();
  const found = await callLibrary(call, signal);
  return JSON.parse(withFileNames(JSON.stringify(found), ids, files)) as object;
}

const dataRoutes = (parts: RouteParts): Routes => {
  const pathsOf = (ids: readonly string[]): string[] =>
    ids.map((id) => parts.workspace.open().files.pathOf(fileOf(parts, id, 'data').id));
  const pathOfModel = async (name: string): Promise<string> => (await namedModel(parts.models, name, 'model')).path;
  return {
    'POST /studio/v1/preview': async (context) => {
      const given = readParameters(await jsonOf(context), previewParameters, {});
      const options = {
        ...settingsOf(given.settings),
        data: pathsOf(given.data),
        model: await pathOfModel(given.model),
        rows: given.rows ?? 20,
        limit: given.limit ?? null,
      };
      return context.json(await called(parts, given.data, { name: 'preview', options }, context.get('asked').signal));
    },
    'POST /studio/v1/inspect-data': async (context) => {
      const given = readParameters(await jsonOf(context), inspectParameters, {});
      const model = given.model ? await pathOfModel(given.model) : null;
      const options = { ...settingsOf(given.settings), data: pathsOf(given.data), model };
      return context.json(
        await called(parts, given.data, { name: 'inspectData', options }, context.get('asked').signal),
      );
    },
    'POST /studio/v1/plan': async (context) => {
      const given = readParameters(await jsonOf(context), planParameters, {});
      const options = {
        ...settingsOf(given.settings),
        data: pathsOf(given.data),
        model: await pathOfModel(given.model),
      };
      return context.json(await called(parts, given.data, { name: 'plan', options }, context.get('asked').signal));
    },
  };
};

const runRoutes = (parts: RouteParts): Routes => ({
  'GET /studio/v1/runs': (context) => context.json({ runs: summaries(parts.workspace) }),
  'POST /studio/v1/runs': async (context) => {
    const given = readParameters(await jsonOf(context), runParameters, {});
    const settings = settingsOf(given.settings);
    const [first = '', ...more] = given.data.map((id) => fileOf(parts, id, 'data').id);
    const { name = null, seeds } = given;
    const one = Number(settings['seed'] ?? 0);
    const jobs: StoredJob[] = [];
    for (let n = 0; n < (seeds ?? 1); n++)
      jobs.push(
        await createRun(parts, {
          model: given.model,
          training_file: first,
          validation_file: null,
          suffix: seeds ? `${name ?? 'run'}-seed${one + n}` : name,
          seed: one + n,
          method: 'supervised',
          metadata: null,
          hyperparameters: auto,
          settings: seeds ? { ...settings, seed: one + n } : settings,
          more_files: more,
        }),
      );
    const [job] = jobs;
    return context.json({ run: job!.run, runs: jobs.map(({ run }) => run), job: jobObject(job!) });
  },
  'GET /studio/v1/runs/:name': (context) => context.json(runNamed(parts, context.req.param('name') ?? '')),
  'GET /studio/v1/runs/:name/events': (context) => {
    const { after = 0, mark = '' } = readQuery(context.req.url, eventsParameters);
    // The state before the events: of a run that ended between, the next look has the end.
    const run = runNamed(parts, context.req.param('name') ?? '');
    return context.json({ run, ...logPage(join(parts.workspace.runs, run.name, 'events.jsonl'), { after, mark }) });
  },
  'GET /studio/v1/runs/:name/report': (context) =>
    context.body(readFileSync(runFile(parts, context.req.param('name') ?? '', 'report.json')), 200, {
      'Content-Type': 'application/json',
    }),
  'GET /studio/v1/runs/:name/page': (context) =>
    // Scripts of the page run, by its own policy, but not as this server's.
    context.body(readFileSync(runFile(parts, context.req.param('name') ?? '', 'report.html')), 200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': 'sandbox allow-scripts',
    }),
});

export const studioRoutes = (parts: RouteParts & ServerParts & TaskParts): Routes => ({
  'GET /studio/v1/state': async (context) => {
    const { local } = await listModels();
    const sizes = new Map(local.map(({ bytes, path }) => [path, bytes]));
    const models = (await parts.models.all()).map(({ id, parent, path }) => ({
      id,
      parent,
      bytes: sizes.get(path) ?? null,
    }));
    const { available, total } = memoryBytes();
    return context.json({
      version: ownVersion() ?? '0',
      models,
      cores: physicalCores(),
      memory: { available, total },
      runs: parts.workspace.runs,
    });
  },
  'GET /studio/v1/settings': (context) => context.json(pageSettings()),
  ...dataRoutes(parts),
  ...talkRoutes(parts),
  ...pullRoutes(parts),
  ...runRoutes(parts),
  ...taskRoutes(parts),
  ...serverRoutes(parts),
});
