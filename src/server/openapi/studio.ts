/** The studio's routes, as the document describes them: what of the library's values the page reads; the types of those say the rest. Pure. */
import { z } from 'zod';
import { statuses } from '../state/job-store.ts';
import { keptChat } from '../studio/chat-form.ts';
import {
  eventsParameters,
  inspectParameters,
  planParameters,
  previewParameters,
  runParameters,
} from '../studio/parameters.ts';
import { pullParameters } from '../studio/pull-routes.ts';
import { pullStates } from '../studio/pulls.ts';
import { summaryStates } from '../studio/run-summary.ts';
import { chatParameters, dataSetParameters } from '../studio/talk-routes.ts';
import { named } from './components.ts';
import type { Description } from './description.ts';
import { serverDescriptions, taskDescriptions } from './studio-tasks.ts';
import { file, job } from './tuning-objects.ts';

const loss = z.number().nullable();
const run = named(
  'StudioRun',
  z.object({
    name: z.string().describe("of the run's folder"),
    state: z.enum(summaryStates),
    model: z.string(),
    method: z.string().nullable(),
    created: z.string().describe('ISO 8601'),
    epochs: z.number().nullable(),
    rows: z.int().nullable(),
    seed: z.int().nullable(),
    learningRate: z.number().nullable(),
    rank: z.int().nullable(),
    validationBefore: loss,
    validationAfter: loss,
    verdict: z.string().nullable().describe('why the result is not to be trusted'),
    chosen: z.string().nullable().describe('which settings the data decided'),
    fault: z.string().nullable(),
    job: z
      .object({ id: z.string(), status: z.enum(statuses), paused: z.boolean(), error: z.string().nullable() })
      .nullable(),
    result: z
      .object({ id: z.string(), systemPrompt: z.string().nullable() })
      .nullable()
      .describe('the model that it made'),
    canGoOn: z.boolean().describe('whether its job, which failed, can be resumed'),
    hasReport: z.boolean(),
  }),
);
const state = z.object({
  version: z.string(),
  models: z.array(z.object({ id: z.string(), parent: z.string().nullable(), bytes: z.int().nullable() })),
  cores: z.int(),
  memory: z.object({ available: z.int(), total: z.int() }),
  runs: z.string().describe('the folder of runs'),
});

const saved = z.string().describe('milliseconds since 1970');
const chat = z.object({
  id: z.string(),
  saved,
  title: z.string(),
  models: z.array(z.string()),
  turns: z.int(),
  answers: z.int(),
  marks: z.object({ good: z.int(), bad: z.int(), better: z.int() }),
  votes: z.array(
    z.object({ models: z.array(z.string()), best: z.int().nullable().describe('null: as good as each other') }),
  ),
});
const madeData = z.object({
  file,
  rows: z.int(),
  path: z.string().nullable().describe('where it lies; null of an example'),
  notes: z.array(z.string()),
});
const pulled = named(
  'StudioPull',
  z.object({
    id: z.string(),
    name: z.string(),
    state: z.enum(pullStates),
    found: z
      .object({
        kind: z.enum(['model', 'adapter']),
        from: z.string(),
        bytes: z.int(),
        license: z.string().nullable(),
        asks: z.array(z.string()).describe('what the licenses ask of those who share it'),
      })
      .nullable()
      .describe('what would be fetched; null until it is found'),
    received: z.int(),
    total: z.int().nullable(),
    message: z.string().nullable(),
    fault: z.string().nullable(),
    notes: z.array(z.string()),
  }),
);
const catalogued = z.object({
  name: z.string(),
  title: z.string(),
  license: z.string(),
  bytes: z.int().describe('about'),
  here: z.boolean(),
});
const pullDescriptions: Readonly<Record<string, Description>> = {
  'GET /studio/v1/catalogue': { answer: z.object({ models: z.array(catalogued) }) },
  'GET /studio/v1/pulls': { answer: z.object({ pulls: z.array(pulled) }) },
  'POST /studio/v1/pulls': { json: { schema: pullParameters }, answer: pulled },
  'POST /studio/v1/pulls/{id}/agree': { answer: pulled },
  'POST /studio/v1/pulls/{id}/cancel': { answer: pulled },
};
const talkDescriptions: Readonly<Record<string, Description>> = {
  'GET /studio/v1/chats': { answer: z.object({ chats: z.array(chat) }) },
  'GET /studio/v1/chats/{id}': { answer: z.object({ chat: keptChat, saved }) },
  'POST /studio/v1/chats/{id}': { json: { schema: chatParameters }, answer: z.object({ id: z.string(), saved }) },
  'DELETE /studio/v1/chats/{id}': { answer: z.object({ id: z.string(), deleted: z.literal(true) }) },
  'POST /studio/v1/data-sets': { json: { schema: dataSetParameters }, answer: madeData },
};

/** Values of the library have the form that its types say. */
const value = (fields: z.ZodRawShape): z.ZodObject => z.looseObject(fields);
const event = z.looseObject({ type: z.string() });

export const studioDescriptions: Readonly<Record<string, Description>> = {
  ...talkDescriptions,
  ...pullDescriptions,
  'GET /studio/v1/state': { answer: state },
  'GET /studio/v1/settings': { answer: value({ properties: z.looseObject({}) }) },
  'POST /studio/v1/preview': {
    json: { schema: previewParameters },
    answer: value({ format: z.string(), rows: z.array(z.looseObject({})), counts: z.looseObject({}) }),
  },
  'POST /studio/v1/inspect-data': {
    json: { schema: inspectParameters },
    answer: value({ findings: z.array(z.looseObject({ kind: z.string(), severity: z.string() })) }),
  },
  'POST /studio/v1/plan': {
    json: { schema: planParameters },
    answer: value({ plans: z.array(z.looseObject({ name: z.string(), seconds: z.number() })) }),
  },
  'GET /studio/v1/runs': { answer: z.object({ runs: z.array(run) }) },
  'POST /studio/v1/runs': {
    json: { schema: runParameters },
    answer: z.object({ run: z.string(), runs: z.array(z.string()), job }),
  },
  'GET /studio/v1/runs/{name}': { answer: run },
  'GET /studio/v1/runs/{name}/events': {
    query: eventsParameters,
    answer: z.object({
      run,
      after: z.int(),
      mark: z.string(),
      anew: z.boolean(),
      more: z.boolean(),
      events: z.array(event),
    }),
  },
  'GET /studio/v1/runs/{name}/report': { answer: value({ events: z.array(event) }) },
  'GET /studio/v1/runs/{name}/page': { answer: { type: 'text/html; charset=utf-8' } },
  ...taskDescriptions,
  ...serverDescriptions,
};
