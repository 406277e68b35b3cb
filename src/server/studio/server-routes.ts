/** Routes about the server itself: who may ask it, what is open and what that costs, what was asked; and keys to sign with, and what was made. */
import { z } from 'zod';
import { addApiKey, listApiKeys, removeApiKey } from '../../library/keys.ts';
import { addSigningKey, listSigningKeys } from '../../library/signing-keys.ts';
import { keyScopes } from '../../store/key-scopes.ts';
import type { Metrics } from '../metrics.ts';
import type { ModelPool } from '../model-pool.ts';
import { open, readParameters } from '../parameters.ts';
import type { RecentRequests } from '../recent-requests.ts';
import { jsonOf } from '../request.ts';
import type { RouteParts, Routes } from '../routes/routes.ts';
import { listExports } from './places.ts';

export interface ServerParts extends RouteParts {
  readonly pool: ModelPool;
  readonly metrics: Metrics;
  readonly requests: RecentRequests;
}

const mostName = 64;
/** A hundred years: what is meant as "for ever" is null. */
const mostDays = 36_500;
const name = z.string().min(1).max(mostName).describe('letters, digits, dots, hyphens and underscores');

export const keyParameters = z.object({
  name,
  scope: open(z.enum(keyScopes)),
  requestsPerMinute: open(z.int().min(1)),
  tokensPerDay: open(z.int().min(1)),
});
export const signingKeyParameters = z.object({ name, days: open(z.int().min(1).max(mostDays)) });

export const serverRoutes = ({ metrics, pool, requests, workspace }: ServerParts): Routes => ({
  'GET /studio/v1/exports': (context) => context.json({ exports: listExports(workspace.runs) }),
  'GET /studio/v1/signing-keys': (context) => context.json({ keys: listSigningKeys() }),
  'POST /studio/v1/signing-keys': async (context) => {
    const { days = null, name } = readParameters(await jsonOf(context), signingKeyParameters, {});
    return context.json(addSigningKey({ name, days }));
  },
  'GET /studio/v1/server': (context) =>
    context.json({
      memory: { limit: pool.memory, used: pool.bytes() },
      running: pool.users,
      waiting: pool.waiting,
      contexts: metrics.contexts(),
      requests: requests.all(),
    }),
  'GET /studio/v1/keys': async (context) => context.json({ keys: await listApiKeys() }),
  'POST /studio/v1/keys': async (context) => {
    const {
      name,
      requestsPerMinute = null,
      scope,
      tokensPerDay = null,
    } = readParameters(await jsonOf(context), keyParameters, {});
    return context.json(await addApiKey({ name, ...(scope ? { scope } : {}), requestsPerMinute, tokensPerDay }));
  },
  'DELETE /studio/v1/keys/:name': async (context) => {
    const key = context.req.param('name') ?? '';
    await removeApiKey(key);
    return context.json({ name: key, deleted: true });
  },
});
