/** The studio's tasks and what it says of the server, as the document describes them. Pure. */
import { z } from 'zod';
import { keyScopes } from '../../store/key-scopes.ts';
import { keyParameters, signingKeyParameters } from '../studio/server-routes.ts';
import { taskParameters } from '../studio/task-parameters.ts';
import { taskSchema } from '../studio/tasks.ts';
import { named } from './components.ts';
import type { Description } from './description.ts';

const task = named('StudioTask', taskSchema);
const limit = z.int().nullable().describe('null: no limit');
const key = z.object({
  name: z.string(),
  scope: z.enum(keyScopes),
  created: z.string().describe('ISO 8601'),
  lastUsed: z.string().nullable(),
  requestsPerMinute: limit,
  tokensPerDay: limit,
  tokensToday: z.int(),
});
const measured = z.number().nullable().describe('null until it was measured');
const context = z.object({
  number: z.int(),
  base: z.string(),
  baseBytes: z.int(),
  adapters: z.int(),
  bytes: z.int(),
  sequences: z.int(),
  secondsPerToken: measured,
  slowdown: measured,
});
const request = z.looseObject({ at: z.number(), route: z.string(), status: z.int(), milliseconds: z.int() });

export const taskDescriptions: Readonly<Record<string, Description>> = {
  ...Object.fromEntries(
    Object.entries(taskParameters).map(([kind, schema]): [string, Description] => [
      `POST /studio/v1/tasks/${kind}`,
      { json: { schema }, answer: task },
    ]),
  ),
  'GET /studio/v1/tasks': { answer: z.object({ tasks: z.array(task) }) },
  'GET /studio/v1/tasks/{id}': { answer: task },
  'POST /studio/v1/tasks/{id}/cancel': { answer: task },
};

export const serverDescriptions: Readonly<Record<string, Description>> = {
  'GET /studio/v1/exports': {
    answer: z.object({
      exports: z.array(z.object({ name: z.string(), kind: z.enum(['bundle', 'folder', 'file']), created: z.number() })),
    }),
  },
  'GET /studio/v1/signing-keys': {
    answer: z.object({ keys: z.array(z.object({ name: z.string(), expires: z.string().nullable() })) }),
  },
  'POST /studio/v1/signing-keys': {
    json: { schema: signingKeyParameters },
    answer: z.object({ private: z.string(), public: z.string(), expires: z.string().nullable() }),
  },
  'GET /studio/v1/server': {
    answer: z.object({
      memory: z.object({ limit: z.int(), used: z.int() }),
      running: z.int(),
      waiting: z.int(),
      contexts: z.array(context),
      requests: z.array(request),
    }),
  },
  'GET /studio/v1/keys': { answer: z.object({ keys: z.array(key) }) },
  'POST /studio/v1/keys': { json: { schema: keyParameters }, answer: key.extend({ key: z.string() }) },
  'DELETE /studio/v1/keys/{name}': { answer: z.object({ name: z.string(), deleted: z.literal(true) }) },
};
