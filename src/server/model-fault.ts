/** Faults of models, as clients are told them. */
import { ApiError, apiErrorOf } from './api-error.ts';
import type { ServedModel } from './served-model.ts';

/** Faults of the model itself, not of what it is asked. */
const ofModel: readonly (string | null)[] = ['no_embeddings'];

/** An error of a model's, which names it as the client does: where it lies is nobody's business. `about` is what the request is about. */
export function modelFault(thrown: unknown, served: ServedModel, about: string): ApiError {
  const told = apiErrorOf(thrown, about);
  const { code, message, param } = told.toJSON().error;
  const named = [served.path, served.base ?? served.path].reduce(
    (text, path) => text.replaceAll(path, served.id),
    message,
  );
  const place = ofModel.includes(code) ? 'model' : param;
  return new ApiError({
    status: told.status,
    headers: told.headers,
    param: place,
    code,
    message: named,
    cause: thrown,
  });
}
