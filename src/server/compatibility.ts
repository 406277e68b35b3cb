/** docs/openai-compatibility.md, made from the tables that requests are held against. Pure. */
import { z } from 'zod';
import { chatParameters, chatRefusals } from './chat-request.ts';
import { completionParameters, completionRefusals } from './completion-request.ts';
import { embeddingParameters, embeddingRefusals } from './embeddings/embedding-request.ts';
import { jobParameters, jobRefusals } from './jobs/job-request.ts';
import { serverLimits } from './limits.ts';
import type { RefusedTable } from './parameters.ts';
import { responseParameters, responseRefusals } from './responses/response-request.ts';
import { loadParameters, loadRefusals, unloadParameters, unloadRefusals } from './routes/adapters.ts';
import { feedbackParameters } from './routes/feedback.ts';
import { fileParameters } from './routes/files.ts';
import { detokenizeParameters, templateParameters, tokenizeParameters, tokenizeRefusals } from './routes/tokens.ts';
import { completeParameters, uploadParameters } from './routes/uploads.ts';
import { type EndpointScope, scopes } from './scopes.ts';
import { studioEndpoints } from './studio/endpoints.ts';

/** What is answered, as the app has it. */
export const endpoints: Readonly<Record<string, string>> = {
  'GET /v1/models': 'models of this machine, of `--models` folders, and finished runs; with `parent`, `root` and `shutdown_date` (always null)',
  'GET /v1/models/{id}': 'one of them, by its id; a run also by its name, a checkpoint by `…:ckpt-step-<n>`, a hosted name by what it is mapped to (`--map`)',
  'DELETE /v1/models/{id}': 'the run of a fine-tuning job, with its folder; other models are refused: no request removes what it did not make',
  'POST /v1/chat/completions': 'whole and streamed',
  'POST /v1/completions': 'whole and streamed; the prompt as it is, without a chat template',
  'POST /v1/responses': 'text and functions, whole and as events; nothing is stored',
  'POST /v1/embeddings': 'vectors of unit length, by models that were trained for it',
  'POST /tokenize': "vLLM's: the tokens of a text, or of the prompt that a conversation is asked with",
  'POST /detokenize': "vLLM's: the text of tokens",
  'POST /apply-template': "llama-server's: the prompt that the chat template makes of a conversation",
  'POST /v1/load_lora_adapter': "vLLM's: an adapter below a `--models` folder becomes a model, until the server ends",
  'POST /v1/unload_lora_adapter': 'and is one no more',
  'POST /v1/feedback': 'not of OpenAI: what is thought of an answer, with its conversation, a line of `.server/feedback.jsonl` in the folder of runs, of which `nomoat collect` makes a data set',
  'POST /v1/files': 'multipart/form-data, written to the disk as it comes',
  'GET /v1/files': 'newest first; `after`, `limit`, `order`, `purpose`',
  'GET /v1/files/{id}': 'one of them',
  'GET /v1/files/{id}/content': 'as it was sent',
  'DELETE /v1/files/{id}': 'at once; a job that still reads it keeps it until it has ended',
  'POST /v1/uploads': 'a file in parts, to be completed within an hour',
  'POST /v1/uploads/{id}/parts': 'multipart/form-data with the part as `data`',
  'POST /v1/uploads/{id}/complete': 'the file is there; sizes and `md5` are checked',
  'POST /v1/uploads/{id}/cancel': 'its parts are removed',
  'POST /v1/fine_tuning/jobs': 'files are validated, then the job trains when its turn comes',
  'GET /v1/fine_tuning/jobs': 'newest first; `after`, `limit`, `metadata[key]=value`, `metadata=null`',
  'GET /v1/fine_tuning/jobs/{id}': 'one of them',
  'POST /v1/fine_tuning/jobs/{id}/cancel': 'ends it; checkpoints that are there stay models',
  'POST /v1/fine_tuning/jobs/{id}/pause': 'ends its computing with a checkpoint; status `queued` and an event',
  'POST /v1/fine_tuning/jobs/{id}/resume':
    'goes on bit for bit from there; of a job that failed too, where its run has something to go on from, as after a full disk',
  'GET /v1/fine_tuning/jobs/{id}/events': 'newest first; `after`, `limit`; with `stream=true` (not of OpenAI) as server-sent events, oldest first, until the job has ended',
  'GET /v1/fine_tuning/jobs/{id}/checkpoints': 'those of the last three epochs, newest first, with `valid_loss` where there is a validation file',
  'POST /v1/fine_tuning/checkpoints/{model}/permissions': 'kept and listed; there is one project here, so that they grant nothing',
  'GET /v1/fine_tuning/checkpoints/{model}/permissions': '`after`, `limit`, `order`, `project_id`',
  'DELETE /v1/fine_tuning/checkpoints/{model}/permissions/{id}': 'one of them',
  'GET /openapi.json': 'this page for programs, as OpenAPI 3.1, made from the same schemas; without a key',
  'GET /healthz': 'whether the server lives; without a key',
  'GET /metrics': 'for Prometheus: requests, tokens, times, what waits, what each open context takes and how much slower adapters are; no contents, no names that clients made',
  'GET /readyz': 'whether it takes requests: 503 while it closes; without a key',
  ...studioEndpoints,
}; // biome-ignore format: a table

/** What scripts may look for, and is not there. */
const absent: Readonly<Record<string, string>> = {
  '/v1/fine_tuning/alpha/graders': 'reinforcement fine-tuning, which needs them, is not supported',
  '/v1/batches, /v1/evals, /v1/moderations': 'nothing yet',
};

const differences: readonly string[] = [
  '**Sampling defaults** are those of `nomoat chat`, not OpenAI\'s: the table says which. `temperature: 1, top_p: 1, top_k: 0, min_p: 0` draws from the whole distribution.',
  "A fine-tuned run is asked with what the request says: the system prompt that its data shared, which `nomoat chat` uses by itself, has to be sent.",
  '`usage.completion_tokens` does not count the end-of-turn token, `prompt_tokens` a prompt once, however many choices it has; `prompt_tokens_details.cached_tokens` are those that the request before left evaluated.',
  'An answer ends with `length` where the context is full, also without `max_tokens`. A prompt that leaves no room is refused with `context_length_exceeded` and both numbers.',
  `A model answers up to ${serverLimits.sequences} requests side by side, as far as there is memory for their conversations; others wait in their order. Prompts of one request are computed side by side too, choices of one prompt one after the other.`,
  'Contents other than text and names of speakers are refused by their place, such as `messages[0].content[1].type`.',
  "**Tools**: how a model writes calls is told from what its chat template renders of one. A call whose arguments are no JSON object is text; a stream may have begun to tell of it by then: its text follows as `content`, and `finish_reason` is not `tool_calls`.",
  '**Thoughts** of models whose chat template knows them are `reasoning_content`, beside `content` and in deltas; stop sequences are looked for in `content` only.',
  '**Responses** are never stored: `store` is false where it is not given (OpenAI: true), and true is refused. Thoughts are items of type `reasoning` with `reasoning_text`; `reasoning_tokens` is 0, since they are counted with the rest.',
  "A job's model is named by the local base, `ft:<base>:nomoat:<suffix>:<id>`, also where the job was created for a hosted model's name; the job's first events say which one is trained.",
  'Training files are checked as OpenAI did (JSONL, 10 examples at least, roles, weights, tool calls, spelled control tokens), and by whether the model can learn from them; the job fails with the first fault, and its events have the others with their lines.',
  'With a validation file, the result of a job is the epoch with the lowest validation loss (OpenAI: the last one). `valid_loss` and `full_valid_loss` are the same: all of the file is validated. Token accuracies are not measured: their columns in the result file are empty.',
  "**`method: dpo`** learns from files of pairs (`input`, `preferred_output`, `non_preferred_output`), checked line by line; `beta` auto is 0.1, and `learning_rate_multiplier` is taken of the rate that `tune` has for dpo. The job's `hyperparameters` beside `method` are those without `beta`. Its result file and events have `train_accuracy` and `valid_accuracy` (the share of pairs the right way round) and margins of rewards besides.",
  '`learning_rate_multiplier` multiplies the rate that nomoat chooses for the model. `trained_tokens` counts tokens of all epochs.',
  'A paused job has status `queued`: the API has no other for it.',
  'A model without a chat template answers a single user message as a prompt, and refuses a conversation.',
]; // biome-ignore format: sentences

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${'---|'.repeat(head.length)}`,
  ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
];

const supportedRows = (shape: Readonly<Record<string, z.ZodType>>): string[][] =>
  Object.entries(shape).map(([name, schema]) => [`\`${name}\``, schema.description ?? '']);
const refusedRows = (refusals: RefusedTable): string[][] =>
  Object.entries(refusals).map(([name, { nothing = [], why }]) => [
    `\`${name}\``,
    why,
    `\`${[null, ...nothing].map((value) => JSON.stringify(value)).join(', ')}\``,
  ]);

const fileField = z.string().describe(`the file, at most ${serverLimits.fileBytes} bytes`);

const errorRows: readonly (readonly string[])[] = [
  ['400', '`unknown_parameter`, `unsupported_parameter`, `missing_required_parameter`, `invalid_value`, `invalid_type`, `invalid_json`', '`param` is the place'],
  ['400', '`context_length_exceeded`', 'the message has both numbers'],
  ['401', '`invalid_api_key`', 'where there are keys'],
  ['403', '`insufficient_permissions`', 'the key has a scope that does not open this: the message has both'],
  ['403', '`host_not_allowed`', 'the Host header is not of this machine'],
  ['400', '`invalid_multipart`, `empty_file`', 'a form that is cut off or no form, a file without bytes'],
  ['400', '`invalid_training_file`, `invalid_validation_file`', 'no file of that id, or one of another purpose; as an error of a job: what is wrong with it'],
  ['400', '`invalid_job_status`, `upload_not_pending`', 'two pauses, a job that has ended, an upload that is completed, cancelled or expired'],
  ['403', '`origin_not_allowed`', 'a web page asks whose origin is not in the list (`--origins`)'],
  ['403', '`model_not_deletable`', 'no job made the model'],
  ['404', '`model_not_found`, `unknown_url`', 'the message has near names'],
  ['404', '`file_not_found`, `upload_not_found`, `fine_tune_not_found`, `permission_not_found`', 'no such object, or not any more'],
  ['400', '`invalid_http`', 'what came is no HTTP/1.1 request'],
  ['405', '`method_not_allowed`', 'the path answers other methods: `Allow` has them'],
  ['408', '`request_timeout`', `a request that comes nearer by less than ${serverLimits.progressBytes} bytes in ${serverLimits.progressMilliseconds / 1000} seconds, or its headers not in ${serverLimits.headersMilliseconds / 1000}; whoever reads nothing of an answer for as long is cut off`],
  ['431', '`headers_too_large`', 'the headers are more than Node takes'],
  ['413', '`request_too_large`, `file_too_large`', `beyond ${serverLimits.bodyBytes} bytes, a file beyond ${serverLimits.fileBytes}, a part of an upload beyond ${serverLimits.partBytes}`],
  ['415', '`unsupported_media_type`', 'other than `application/json`, or `multipart/form-data` for files'],
  ['429', '`rate_limit_exceeded`', `${serverLimits.sequences + serverLimits.waitingPerModel} requests are at the model already, or others are in use and leave too little memory for it; \`Retry-After\` says when to come again`],
  ['429', '`rate_limit_exceeded`, `insufficient_quota`', 'the requests of the key\'s minute, the tokens of its day (UTC) are used; with `Retry-After`'],
  ['503', '`server_stopping`', 'the server closes'],
  ['503', '`insufficient_memory`', 'the model alone takes more than models may; the message has both numbers'],
  ['503', '`workspace_in_use`', 'another server keeps files and jobs of this folder of runs'],
  ['507', '`disk_full`', 'nothing of the file was kept'],
  ['507', '`feedback_full`', 'the file of feedback has reached its bound'],
  ['others', "the library's [codes](errors.md), with `_` for `-`", 'with the status that stands there'],
]; // biome-ignore format: a table

const before: Readonly<Record<EndpointScope, string>> = {
  open: '(no key)',
  chat: '`chat`',
  tune: '`tune`',
  admin: '`admin`',
};
const scopeRows = Object.entries(scopes).map(([scope, endpoints], i) => [
  before[scope as EndpointScope],
  `${i > 1 ? 'that, and ' : ''}${endpoints.map((each) => `\`${each}\``).join(', ')}`,
]);

/** The page as Markdown. */
export function renderCompatibility(): string {
  const parameters = (name: string, shape: Readonly<Record<string, z.ZodType>>, refusals: RefusedTable): string[] => [
    `## ${name}`,
    ...table(['supported', 'how'], supportedRows(shape)),
    '',
    ...(Object.keys(refusals).length > 0
      ? [...table(['refused', 'because', 'passes with'], refusedRows(refusals)), '']
      : []),
  ];
  return `${[
    '# What of OpenAI\'s API `nomoat serve` answers',
    'Clients take `http://127.0.0.1:8080/v1` as their base URL. What is not supported is refused with status 400 and `param`, never ignored; so are parameters that nobody knows.',
    'This page is made from the tables that requests are held against (src/server/compatibility.ts): `npx vitest run src/server/compatibility.test.ts -u` writes it. The contract is tested with the official `openai` package (test/server).',
    '',
    '## Endpoints',
    ...table(['endpoint', 'what'], Object.entries(endpoints).map(([name, text]) => [`\`${name}\``, text])),
    '',
    ...table(['not there', 'instead'], Object.entries(absent).map(([name, text]) => [name, text])),
    '',
    ...parameters('Parameters of chat completions', chatParameters.shape, chatRefusals),
    ...parameters('Parameters of completions', completionParameters.shape, completionRefusals),
    ...parameters('Parameters of responses', responseParameters.shape, responseRefusals),
    ...parameters('Parameters of embeddings', embeddingParameters.shape, embeddingRefusals),
    ...parameters('Parameters of /tokenize', tokenizeParameters.shape, tokenizeRefusals),
    ...parameters('Parameters of /detokenize', detokenizeParameters.shape, {}),
    ...parameters('Parameters of /apply-template', templateParameters.shape, tokenizeRefusals),
    ...parameters('Parameters of loading an adapter', loadParameters.shape, loadRefusals),
    ...parameters('Parameters of unloading an adapter', unloadParameters.shape, unloadRefusals),
    ...parameters('Parameters of feedback', feedbackParameters.shape, {}),
    ...parameters('Parameters of fine-tuning jobs', jobParameters.shape, jobRefusals),
    ...parameters('Fields of files', { file: fileField, ...fileParameters.shape }, {}),
    ...parameters('Parameters of uploads', uploadParameters.shape, {}),
    ...parameters('Parameters of completing an upload', completeParameters.shape, {}),
    '## What is different',
    ...differences.map((text) => `- ${text}`),
    '',
    '## Errors',
    'As OpenAI\'s: `{"error": {"message", "type", "param", "code"}}`; of a stream that has begun, an event with that object, and no `[DONE]` (of responses, an event `error` in place of `response.completed`).',
    ...table(['status', 'code', 'when'], errorRows),
    '',
    '## Who may ask',
    'The server listens on 127.0.0.1 unless `--host` says otherwise, and then only with API keys, which clients send as their bearer token, or with `--open-to-everybody`. It speaks no TLS: put a proxy before it where the network is not trusted.',
    '`nomoat keys` makes, lists and removes keys, of which a running server knows at once; once there is one, it is asked for on 127.0.0.1 too. The key in the environment variable `NOMOAT_API_KEY` has scope admin. A quota counts prompts and answers as `usage` does, and of an answer that was cut off its pieces; requests that run while it is used up end as they would.',
    '',
    ...table(['scope', 'opens'], scopeRows),
    '',
    'On 127.0.0.1 requests for another Host are refused, web pages of other origins are refused unless `--origins` lists theirs, and bodies have to be `application/json`, or `multipart/form-data` for files. No path of a request leaves the folders that the server was given: models are looked up by name in the list, files by the ids that they were given, adapters below `--models` alone, by names without `..` and links that stay inside.',
    `Ctrl-C or SIGTERM: no request is taken any more, those that run have ${serverLimits.graceMilliseconds / 1000} seconds, then they are ended; a job that trains ends with a checkpoint, and goes on when a server is started again, as after a kill.`,
    '',
  ].join('\n')}`; // biome-ignore format: a page
}
