/** Routes by what is asked for, and what they have to hand. */
import type { ServerLimits } from '../limits.ts';
import type { ModelList } from '../model-list.ts';
import type { Handler } from '../request.ts';
import type { Workspace } from '../workspace.ts';

/** As documents write a route: `GET /v1/files/{id}`. */
export const endpointOf = (route: string): string => route.replace(/:(\w+)(\{.*?\})?/g, '{$1}');

/** By method and path, such as `GET /v1/files/:id`. */
export type Routes = Readonly<Record<string, Handler>>;

export interface RouteParts {
  readonly workspace: Workspace;
  readonly models: ModelList;
  readonly limits: ServerLimits;
}
