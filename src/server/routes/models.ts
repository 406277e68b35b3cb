/** /v1/models: what can be asked, and what jobs have made. */
import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import type { Context } from 'hono';
import { removeWhenFree } from '../../formats/rename.ts';
import { openRun } from '../../library/runs.ts';
import { nearestNames } from '../../words/nearest-name.ts';
import { ApiError } from '../api-error.ts';
import type { ModelList } from '../model-list.ts';
import type { Environment } from '../request.ts';
import { listed, type ServedModel } from '../served-model.ts';
import type { RouteParts, Routes } from './routes.ts';

/** What is shown of names that are near one that is not known. */
const shownNames = 3;

/** The model of that name; `param` is where the request has it. Rejects with ApiError where there is none. */
export async function namedModel(models: ModelList, name: string, param: string): Promise<ServedModel> {
  const found = await models.find(name);
  if (found !== null) return found;
  const near = nearestNames(
    name,
    (await models.all()).map(({ id }) => id),
    shownNames,
  );
  const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
  const message = `The model '${name}' does not exist.${hint} GET /v1/models lists those that do.`;
  throw new ApiError({ status: 404, code: 'model_not_found', param, message });
}

/** The model that a request is about, noted for the log. Rejects with ApiError where there is none. */
export async function modelOf(context: Context<Environment>, models: ModelList, name: string): Promise<ServedModel> {
  const found = await namedModel(models, name, 'model');
  context.get('asked').noted.model = found;
  return found;
}

/** Removes the run that a job made. Throws ApiError where the model is none of that kind, or its run goes on. */
function remove({ models, workspace }: RouteParts, { id, path }: ServedModel): void {
  if (workspace.open().jobs.ofRun(basename(path))?.learned.fine_tuned_model !== id)
    throw new ApiError({
      status: 403,
      code: 'model_not_deletable',
      param: 'model',
      message: `The model '${id}' was not made by a fine-tuning job: remove its file or folder yourself.`,
    });
  if (openRun(path).pid !== null)
    throw new ApiError({
      status: 409,
      code: 'model_in_use',
      param: 'model',
      message: `A process is working in the run of '${id}'.`,
    });
  rmSync(path, removeWhenFree);
  models.forget();
}

export const modelRoutes = (parts: RouteParts): Routes => ({
  'GET /v1/models': async (context) => context.json({ object: 'list', data: (await parts.models.all()).map(listed) }),
  'GET /v1/models/:id{.+}': async (context) =>
    context.json(listed(await modelOf(context, parts.models, context.req.param('id') ?? ''))),
  'DELETE /v1/models/:id{.+}': async (context) => {
    const model = await modelOf(context, parts.models, context.req.param('id') ?? '');
    remove(parts, model);
    return context.json({ id: model.id, object: 'model', deleted: true });
  },
});
