/**
 * The routes. Promises: every fault is an error object of OpenAI's form; a client that leaves ends its computation; nothing of a
 * request's contents is told to the log. Knows models by the list and the pool only.
 */
import { randomUUID } from 'node:crypto';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { EventHistory } from '../event-history.ts';
import type { OpenChatModel } from '../llama/chat-engine.ts';
import { admitted, healthPath } from './admitted.ts';
import { type AnswerEvent, answer, type Job, type Usage } from './answer.ts';
import { ApiError, apiErrorOf, clientLeft, stopping } from './api-error.ts';
import type { AskedAdapter, AskedModel } from './asked-model.ts';
import { chatJob } from './chat-request.ts';
import { endpoints } from './compatibility.ts';
import { completionJob } from './completion-request.ts';
import { chatDialect, completionDialect, type Dialect, formOf } from './dialects.ts';
import { disclosing, disclosureHeader } from './disclosure.ts';
import type { Embedders } from './embeddings/embedders.ts';
import { eventStream } from './event-stream.ts';
import { assertScope, type KeyRing } from './keys.ts';
import type { ServerLimits } from './limits.ts';
import type { ServerLog } from './log.ts';
import type { Metrics } from './metrics.ts';
import { modelFault } from './model-fault.ts';
import type { ModelList } from './model-list.ts';
import type { ModelPool } from './model-pool.ts';
import { openApiDocument } from './openapi/document.ts';
import type { RecentRequests } from './recent-requests.ts';
import { type Asked, type Environment, type Handler, jsonOf } from './request.ts';
import { responseRequest } from './responses/response-form.ts';
import type { RouteForm } from './route-form.ts';
import { adapterRoutes } from './routes/adapters.ts';
import { embeddingRoutes } from './routes/embeddings.ts';
import { feedbackRoutes } from './routes/feedback.ts';
import { fileRoutes } from './routes/files.ts';
import { fineTuningRoutes } from './routes/jobs.ts';
import { modelOf, modelRoutes, namedModel } from './routes/models.ts';
import { endpointOf, type Routes } from './routes/routes.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { methodsOf, scopeOf } from './scopes.ts';
import { assetRoutes } from './studio/assets.ts';
import type { StudioDoor } from './studio/door.ts';
import { studioRoutes } from './studio/routes.ts';
import type { Workspace } from './workspace.ts';

export interface AppParts {
  readonly host: string;
  readonly keys: KeyRing;
  readonly limits: ServerLimits;
  readonly models: ModelList;
  readonly pool: ModelPool;
  readonly embedders: Embedders;
  readonly metrics: Metrics;
  readonly requests: RecentRequests;
  readonly workspace: Workspace;
  /** Of a server with the studio's page; else null. */
  readonly studio: StudioDoor | null;
  /** Origins of web pages that may ask. */
  readonly origins: readonly string[];
  /** Whether answers are marked as generated. */
  readonly disclose: boolean;
  readonly onLog: (entry: ServerLog) => void;
  /** Aborted once the server closes: then no request is taken any more. */
  readonly closing: AbortSignal;
  /** Of each request that runs; aborted, it ends with the reason. */
  readonly running: Set<AbortController>;
}

const adaptersOf = ({ models }: AppParts, { lora }: Job): Promise<AskedAdapter[]> =>
  Promise.all(
    lora.map(async ({ id, scale }, i) => {
      const param = `lora[${i}].id`;
      return { served: await namedModel(models, id, param), scale, param };
    }),
  );

/**
 * Computes what a job asks for; its events can be read at once. Those of a stream come a turn of the event loop later: by then the next token
 * is being computed, beside which they are worded and written.
 */
function begin(parts: AppParts, { adapters, served }: AskedModel, job: Job, signal: AbortSignal) {
  const events = new EventHistory<AnswerEvent>();
  const tell = job.stream ? setImmediate : (call: () => void): void => call();
  const watch = parts.metrics.watch();
  let on: OpenChatModel | null = null;
  const answered = (model: OpenChatModel) => {
    on = model;
    return answer(model, job, signal, (event) =>
      tell(() => {
        if (events.soFar.length === 0) watch.begun();
        events.push(event);
      }),
    );
  };
  const usage = parts.pool.use(served, signal, answered, adapters);
  usage.then(
    (counted) => {
      watch.ended(counted, on);
      tell(() => events.end());
    },
    (error: unknown) => tell(() => events.end(error)),
  );
  usage.catch(() => {}).finally(watch.gone);
  return { events, usage };
}

/** What is to be computed for a request, and how it is answered. */
interface ModelRequest {
  readonly job: Job;
  readonly form: RouteForm;
}

const inDialect =
  (dialect: Dialect, jobOf: (body: unknown, mostChoices: number) => Job) =>
  (body: unknown, mostChoices: number): ModelRequest => {
    const job = jobOf(body, mostChoices);
    return { job, form: formOf(dialect, job) };
  };

/** A route that answers with a model. `read` throws ApiError. */
function answering(parts: AppParts, read: (body: unknown, mostChoices: number) => ModelRequest): Handler {
  return async (context) => {
    const { form, job } = disclosing(read(await jsonOf(context), parts.limits.choices), parts.disclose);
    const served = await modelOf(context, parts.models, job.model);
    if (parts.disclose) context.header(...disclosureHeader);
    const { noted, signal, spend } = context.get('asked');
    const adapters = await adaptersOf(parts, job);
    const { events, usage } = begin(parts, { served, adapters }, job, signal);
    const note = (each: Usage): void => {
      noted.usage = each;
      spend(each.total_tokens);
    };
    // Who reads the events is told of a fault there. What was computed before it counts: each piece is a token at least.
    usage.then(note, () => spend(events.soFar.length));
    try {
      if (!job.stream) return context.json(form.whole(events.soFar, await usage));
      // Until there is something to send, a fault still has a status of its own.
      await first(events);
    } catch (error) {
      throw modelFault(error, served, form.param);
    }
    const source = form.pieces(events, usage);
    return context.body(
      eventStream(source, (error) => modelFault(error, served, form.param), form.frames),
      200,
      { 'Content-Type': 'text/event-stream; charset=utf-8' },
    );
  };
}

/** Resolves when the first value is there, or rejects with what came in its place. */
async function first(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events) return;
}

/** Of every answer. */
const usualHeaders = (id: string) => ({
  'x-request-id': id,
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
});

/** What is kept of a request while it runs, and told to the log when its connection is done with it. */
function watched(parts: AppParts): MiddlewareHandler<Environment> {
  return async (context, next) => {
    const { outgoing } = context.env;
    const began = performance.now();
    const running = new AbortController();
    const noted: Asked['noted'] = { model: null, usage: null, route: '-', caller: null };
    const asked: Asked = {
      id: `req_${randomUUID().replaceAll('-', '')}`,
      signal: running.signal,
      noted,
      spend: (tokens) => {
        if (noted.caller) parts.keys.used(noted.caller, tokens);
      },
    };
    parts.running.add(running);
    outgoing.once('close', () => {
      parts.running.delete(running);
      const left = outgoing.writableFinished ? null : clientLeft();
      if (left) running.abort(left);
      const { caller, model, route, usage } = noted;
      const status = left?.status ?? outgoing.statusCode;
      const milliseconds = Math.round(performance.now() - began);
      parts.metrics.requested(route, status, milliseconds);
      parts.onLog({
        type: 'request',
        id: asked.id,
        method: context.req.method,
        route,
        status,
        milliseconds,
        model: model?.id ?? null,
        key: caller?.key?.name ?? null,
        promptTokens: usage?.prompt_tokens ?? null,
        completionTokens: usage?.completion_tokens ?? null,
      });
    });
    context.set('asked', asked);
    for (const [name, value] of Object.entries(usualHeaders(asked.id))) context.header(name, value);
    await next();
  };
}

function failed(parts: AppParts, thrown: Error, context: Context<Environment>): Response {
  const told = apiErrorOf(thrown, null);
  const isOurs = told.status >= 500 && told.status !== stopping().status;
  const { cause = thrown } = thrown;
  if (isOurs) parts.onLog({ type: 'failure', id: context.get('asked').id, message: String(cause) });
  return new Response(JSON.stringify(told), {
    status: told.status,
    headers: {
      ...usualHeaders(context.get('asked').id),
      'Content-Type': 'application/json',
      ...told.headers,
    },
  });
}

const tooLarge = 413;

/** Bodies that go to the disk as they come, and have bounds of their own. */
const filePaths = /^\/v1\/(files|uploads\/[^/]+\/parts)$/;

function limited({ limits }: AppParts): MiddlewareHandler<Environment> {
  const message = `The body is larger than ${limits.bodyBytes} bytes.`;
  const held = bodyLimit({
    maxSize: limits.bodyBytes,
    onError: () => {
      throw new ApiError({ status: tooLarge, code: 'request_too_large', message });
    },
  });
  return (context, next) => (filePaths.test(context.req.path) ? next() : held(context, next));
}

const routesOf = (parts: AppParts): Routes => ({
  [`GET ${healthPath}`]: (context) => context.json({ status: 'ok' }),
  'GET /readyz': (context) => context.json({ status: 'ready' }),
  'GET /metrics': async (context) =>
    context.text(await parts.metrics.text(), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  'GET /openapi.json': (context) => context.json(openApiDocument()),
  ...modelRoutes(parts),
  ...adapterRoutes(parts),
  'POST /v1/chat/completions': answering(parts, inDialect(chatDialect, chatJob)),
  'POST /v1/completions': answering(parts, inDialect(completionDialect, completionJob)),
  'POST /v1/responses': answering(parts, responseRequest),
  ...embeddingRoutes(parts),
  ...tokenRoutes(parts),
  ...feedbackRoutes(parts),
  ...fileRoutes(parts),
  ...uploadRoutes(parts),
  ...fineTuningRoutes(parts),
  ...studioRoutes(parts),
});

/** What web pages may read of an answer beside its body. */
const shownHeaders = ['x-request-id', 'Retry-After'] as const;

const wrongMethod = (method: string, allowed: readonly string[]): ApiError =>
  new ApiError({
    status: 405,
    code: 'method_not_allowed',
    message: `${method} is not answered here, but ${allowed.join(', ')}.`,
    headers: { Allow: allowed.join(', ') },
  });

/** The routes on a server's parts. */
export function createApp(parts: AppParts): Hono<Environment> {
  const app = new Hono<Environment>();
  app.use(watched(parts));
  if (parts.origins.length > 0) app.use(cors({ origin: [...parts.origins], exposeHeaders: [...shownHeaders] }));
  app.use(admitted(parts));
  app.post('*', limited(parts));
  if (parts.studio) app.use(assetRoutes(parts.studio));
  for (const [asked, handler] of Object.entries(routesOf(parts))) {
    const [method = '', path = ''] = asked.split(' ');
    const scope = scopeOf(endpointOf(asked));
    app.on(method, path, (context) => {
      const { noted } = context.get('asked');
      noted.route = path;
      if (noted.caller && scope !== 'open') assertScope(noted.caller, scope);
      return handler(context);
    });
  }
  app.notFound((context) => {
    const allowed = methodsOf(context.req.path);
    if (allowed.length > 0) throw wrongMethod(context.req.method, allowed);
    const message = `There is no ${context.req.method} ${context.req.path} here, but ${Object.keys(endpoints).join(', ')}.`;
    throw new ApiError({ status: 404, code: 'unknown_url', message });
  });
  app.onError((error, context) => failed(parts, error, context));
  return app;
}
