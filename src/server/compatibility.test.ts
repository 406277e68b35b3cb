/** The page of what is compatible is what the server does, and knows every parameter of OpenAI's reference (npx tsc holds the types). */
import type OpenAI from 'openai';
import { expect, expectTypeOf, test } from 'vitest';
import { ApiKeys } from '../store/api-keys.ts';
import { surroundings } from '../store/model-folders.ts';
import { createApp } from './app.ts';
import { chatParameters, chatRefusals } from './chat-request.ts';
import { endpoints, renderCompatibility } from './compatibility.ts';
import { completionParameters, completionRefusals } from './completion-request.ts';
import { Embedders } from './embeddings/embedders.ts';
import { embeddingParameters, embeddingRefusals } from './embeddings/embedding-request.ts';
import { KeyRing } from './keys.ts';
import { serverLimits } from './limits.ts';
import { Metrics } from './metrics.ts';
import { ModelList } from './model-list.ts';
import { ModelPool } from './model-pool.ts';
import { descriptions } from './openapi/descriptions.ts';
import { RecentRequests } from './recent-requests.ts';
import { responseParameters, responseRefusals } from './responses/response-request.ts';
import { endpointOf } from './routes/routes.ts';
import { scopes } from './scopes.ts';
import { Workspace } from './workspace.ts';

test('docs/openai-compatibility.md is what the tables say (-u writes it)', async () => {
  await expect(renderCompatibility()).toMatchFileSnapshot('../../docs/openai-compatibility.md');
});

test('every parameter of the reference is supported or refused by name, and of others there are few', () => {
  type Chat = keyof OpenAI.ChatCompletionCreateParamsStreaming;
  type OwnChat = keyof typeof chatParameters.shape | keyof typeof chatRefusals;
  expectTypeOf<Exclude<Chat, OwnChat>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<OwnChat, Chat>>().toEqualTypeOf<'top_k' | 'min_p' | 'lora' | 'chat_template_kwargs'>();
  type Completion = keyof OpenAI.CompletionCreateParamsStreaming;
  type OwnCompletion = keyof typeof completionParameters.shape | keyof typeof completionRefusals;
  expectTypeOf<Exclude<Completion, OwnCompletion>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<OwnCompletion, Completion>>().toEqualTypeOf<'top_k' | 'min_p' | 'lora' | 'response_format'>();
  type Response = keyof OpenAI.Responses.ResponseCreateParamsStreaming;
  type OwnResponse = keyof typeof responseParameters.shape | keyof typeof responseRefusals;
  expectTypeOf<Exclude<Response, OwnResponse>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<OwnResponse, Response>>().toEqualTypeOf<
    'top_k' | 'min_p' | 'seed' | 'lora' | 'max_tool_calls'
  >();
  type Embedding = keyof OpenAI.EmbeddingCreateParams;
  type OwnEmbedding = keyof typeof embeddingParameters.shape | keyof typeof embeddingRefusals;
  expectTypeOf<OwnEmbedding>().toEqualTypeOf<Embedding>();
  for (const [parameters, refusals] of [[embeddingParameters, embeddingRefusals], [chatParameters, chatRefusals], [completionParameters, completionRefusals], [responseParameters, responseRefusals]] as const) {
    for (const [name, schema] of Object.entries(parameters.shape)) expect(schema.description, name).toMatch(/\w/);
    expect(Object.keys(refusals).filter((name) => name in parameters.shape)).toEqual([]);
  } // biome-ignore format: pairs
});

test('the endpoints of the page are the routes of the server', () => {
  const pool = new ModelPool({ limits: serverLimits, contextSize: null, threads: null, memory: 0, onOpened: () => {} });
  const parts = {
    host: '127.0.0.1',
    keys: new KeyRing({ apiKey: null, isOpen: false, needsKey: false, keys: new ApiKeys(surroundings()) }),
    limits: serverLimits,
    models: new ModelList({ models: [], runs: 'runs' }, 0),
    pool,
    embedders: new Embedders({ limits: serverLimits, contextSize: null, threads: null }),
    metrics: new Metrics(pool),
    requests: new RecentRequests(),
    workspace: new Workspace({
      models: new ModelList({ models: [], runs: 'runs' }, 0),
      runs: 'runs',
      most: 1,
      threads: null,
      nice: true,
      onLog: () => {},
    }),
    studio: null,
    origins: [],
    disclose: false,
    onLog: () => {},
    closing: new AbortController().signal,
    running: new Set<AbortController>(),
  };
  const routes = createApp(parts).routes.filter(({ method, path }) => method !== 'ALL' && !path.endsWith('*'));
  const named = routes.map(({ method, path }) => endpointOf(`${method} ${path}`));
  expect([...named].sort()).toEqual(Object.keys(endpoints).sort());
  expect(Object.keys(descriptions).sort(), 'src/server/openapi/descriptions.ts describes each').toEqual(
    [...named].sort(),
  );
  expect(Object.values(scopes).flat().sort(), 'src/server/scopes.ts has a scope for each').toEqual([...named].sort());
});
