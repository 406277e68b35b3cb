/** What each endpoint asks of a key. Pure. */
import type { KeyScope } from '../store/key-scopes.ts';
import { studioEndpoints } from './studio/endpoints.ts';

/** `open`: answered without a key. */
export type EndpointScope = KeyScope | 'open';

/** Every endpoint, by the least scope that may ask it. */
export const scopes: Readonly<Record<EndpointScope, readonly string[]>> = {
  open: ['GET /healthz', 'GET /readyz', 'GET /openapi.json'],
  chat: [
    'GET /v1/models',
    'GET /v1/models/{id}',
    'POST /v1/chat/completions',
    'POST /v1/completions',
    'POST /v1/responses',
    'POST /v1/embeddings',
    'POST /tokenize',
    'POST /detokenize',
    'POST /apply-template',
    // Whoever was answered may say what they think of it; what is kept has a bound.
    'POST /v1/feedback',
  ],
  tune: [
    'DELETE /v1/models/{id}',
    'POST /v1/files',
    'GET /v1/files',
    'GET /v1/files/{id}',
    'GET /v1/files/{id}/content',
    'DELETE /v1/files/{id}',
    'POST /v1/uploads',
    'POST /v1/uploads/{id}/parts',
    'POST /v1/uploads/{id}/complete',
    'POST /v1/uploads/{id}/cancel',
    'POST /v1/fine_tuning/jobs',
    'GET /v1/fine_tuning/jobs',
    'GET /v1/fine_tuning/jobs/{id}',
    'POST /v1/fine_tuning/jobs/{id}/cancel',
    'POST /v1/fine_tuning/jobs/{id}/pause',
    'POST /v1/fine_tuning/jobs/{id}/resume',
    'GET /v1/fine_tuning/jobs/{id}/events',
    'GET /v1/fine_tuning/jobs/{id}/checkpoints',
    // Only what lies below the folders of models: whoever may train may put something there.
    'POST /v1/load_lora_adapter',
    'POST /v1/unload_lora_adapter',
  ],
  // OpenAI wants an admin key for permissions; metrics are of all who ask.
  admin: [
    'GET /metrics',
    'POST /v1/fine_tuning/checkpoints/{model}/permissions',
    'GET /v1/fine_tuning/checkpoints/{model}/permissions',
    'DELETE /v1/fine_tuning/checkpoints/{model}/permissions/{id}',
    // They tell of folders of this machine.
    ...Object.keys(studioEndpoints),
  ],
};

const byEndpoint = new Map(
  (Object.entries(scopes) as [EndpointScope, readonly string[]][]).flatMap(([scope, all]) =>
    all.map((endpoint) => [endpoint, scope] as const),
  ),
);

/** One that stands nowhere is for admins. */
export const scopeOf = (endpoint: string): EndpointScope => byEndpoint.get(endpoint) ?? 'admin';

/** What is answered without a key. */
export const openPaths: ReadonlySet<string> = new Set(scopes.open.map((endpoint) => endpoint.split(' ')[1]!));

const patterns = [...byEndpoint.keys()].map((endpoint) => {
  const [method = '', path = ''] = endpoint.split(' ');
  return { method, pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`) };
});

/** The methods that are answered on a path. */
export const methodsOf = (path: string): readonly string[] =>
  patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
