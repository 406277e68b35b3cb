/**
 * What each endpoint takes and gives: by the schemas that requests are held against, and those that answers have. A new route needs an
 * entry here; compatibility.ts says in a sentence what it does, scopes.ts who may ask.
 */
import { z } from 'zod';
import { chatParameters, chatRefusals } from '../chat-request.ts';
import { completionParameters, completionRefusals } from '../completion-request.ts';
import { embeddingParameters, embeddingRefusals } from '../embeddings/embedding-request.ts';
import { jobParameters, jobRefusals } from '../jobs/job-request.ts';
import { responseParameters, responseRefusals } from '../responses/response-request.ts';
import { loadParameters, loadRefusals, unloadParameters, unloadRefusals } from '../routes/adapters.ts';
import { feedbackParameters } from '../routes/feedback.ts';
import { fileListParameters, fileParameters } from '../routes/files.ts';
import { eventParameters, grantParameters, jobListParameters, permissionParameters } from '../routes/jobs.ts';
import { detokenizeParameters, templateParameters, tokenizeParameters, tokenizeRefusals } from '../routes/tokens.ts';
import { completeParameters, uploadParameters } from '../routes/uploads.ts';
import { chatChunk, chatCompletion, completion, completionChunk, embeddingList, model, modelList } from './answers.ts';
import { deletedOf, listOf } from './components.ts';
import type { Description } from './description.ts';
import { response, responseEvent } from './responses.ts';
import { studioDescriptions } from './studio.ts';
import { checkpoint, file, job, jobEvent, permission, upload, uploadPart } from './tuning-objects.ts';

/** As vLLM answers. */
const plain = { type: 'text/plain; charset=UTF-8' };
const promptAnswer = z.object({ prompt: z.string() });
const jobAction: Description = { answer: job };
const permissions = '/v1/fine_tuning/checkpoints/{model}/permissions';
const permissionList = listOf('CheckpointPermissionList', permission);
const health = (status: string): Description => ({ answer: z.object({ status: z.literal(status) }) });

export const descriptions: Readonly<Record<string, Description>> = {
  'GET /healthz': health('ok'),
  'GET /readyz': health('ready'),
  'GET /metrics': { answer: { type: 'text/plain; version=0.0.4; charset=utf-8' } },
  'GET /openapi.json': { answer: z.looseObject({ openapi: z.string() }) },
  'GET /v1/models': { answer: modelList },
  'GET /v1/models/{id}': { answer: model },
  'DELETE /v1/models/{id}': { answer: deletedOf('DeletedModel', 'model') },
  'POST /tokenize': {
    json: { schema: tokenizeParameters, refusals: tokenizeRefusals },
    answer: z.object({ count: z.int(), max_model_len: z.int(), tokens: z.array(z.int()), token_strs: z.null() }),
  },
  'POST /detokenize': { json: { schema: detokenizeParameters }, answer: promptAnswer },
  'POST /apply-template': { json: { schema: templateParameters, refusals: tokenizeRefusals }, answer: promptAnswer },
  'POST /v1/load_lora_adapter': { json: { schema: loadParameters, refusals: loadRefusals }, answer: plain },
  'POST /v1/unload_lora_adapter': { json: { schema: unloadParameters, refusals: unloadRefusals }, answer: plain },
  'POST /v1/chat/completions': {
    json: { schema: chatParameters, refusals: chatRefusals },
    answer: chatCompletion,
    events: chatChunk,
  },
  'POST /v1/completions': {
    json: { schema: completionParameters, refusals: completionRefusals },
    answer: completion,
    events: completionChunk,
  },
  'POST /v1/responses': {
    json: { schema: responseParameters, refusals: responseRefusals },
    answer: response,
    events: responseEvent,
  },
  'POST /v1/embeddings': {
    json: { schema: embeddingParameters, refusals: embeddingRefusals },
    answer: embeddingList,
  },
  'POST /v1/feedback': {
    json: { schema: feedbackParameters },
    answer: z.object({ object: z.literal('feedback'), kept: z.literal(true) }),
  },
  'POST /v1/files': { form: { part: 'file', fields: fileParameters }, answer: file },
  'GET /v1/files': { query: fileListParameters, answer: listOf('FileList', file) },
  'GET /v1/files/{id}': { answer: file },
  'GET /v1/files/{id}/content': { answer: { type: 'application/octet-stream' } },
  'DELETE /v1/files/{id}': { answer: deletedOf('DeletedFile', 'file') },
  'POST /v1/uploads': { json: { schema: uploadParameters }, answer: upload },
  'POST /v1/uploads/{id}/parts': { form: { part: 'data', fields: z.object({}) }, answer: uploadPart },
  'POST /v1/uploads/{id}/complete': { json: { schema: completeParameters }, answer: upload },
  'POST /v1/uploads/{id}/cancel': { answer: upload },
  'POST /v1/fine_tuning/jobs': { json: { schema: jobParameters, refusals: jobRefusals }, answer: job },
  'GET /v1/fine_tuning/jobs': {
    query: jobListParameters,
    metadataQuery: true,
    answer: listOf('FineTuningJobList', job),
  },
  'GET /v1/fine_tuning/jobs/{id}': { answer: job },
  'POST /v1/fine_tuning/jobs/{id}/cancel': jobAction,
  'POST /v1/fine_tuning/jobs/{id}/pause': jobAction,
  'POST /v1/fine_tuning/jobs/{id}/resume': jobAction,
  'GET /v1/fine_tuning/jobs/{id}/events': {
    query: eventParameters,
    answer: listOf('FineTuningJobEventList', jobEvent),
    events: jobEvent,
  },
  'GET /v1/fine_tuning/jobs/{id}/checkpoints': {
    query: jobListParameters,
    answer: listOf('FineTuningJobCheckpointList', checkpoint),
  },
  [`POST ${permissions}`]: { json: { schema: grantParameters }, answer: permissionList },
  [`GET ${permissions}`]: { query: permissionParameters, answer: permissionList },
  [`DELETE ${permissions}/{id}`]: { answer: deletedOf('DeletedPermission', 'checkpoint.permission') },
  ...studioDescriptions,
};
