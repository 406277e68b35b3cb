/** docs/openai-compatibility.md, made from the tables that requests are held against. Pure. */
import type { z } from 'zod';
import { chatParameters, chatRefusals } from './chat-request.ts';
import { completionParameters, completionRefusals } from './completion-request.ts';
import { serverLimits } from './limits.ts';
import type { RefusedTable } from './parameters.ts';

/** What is answered, as the app has it. */
export const endpoints: Readonly<Record<string, string>> = {
  'GET /v1/models': 'models of this machine, of `--models` folders, and finished runs; with `parent`, `root` and `shutdown_date` (always null)',
  'GET /v1/models/{id}': 'one of them, by its id; a run also by its name',
  'POST /v1/chat/completions': 'whole and streamed',
  'POST /v1/completions': 'whole and streamed; the prompt as it is, without a chat template',
  'GET /healthz': 'whether the server lives; without a key',
  'GET /readyz': 'whether it takes requests: 503 while it closes; without a key',
}; // biome-ignore format: a table

/** What scripts may look for, and is not there. */
const absent: Readonly<Record<string, string>> = {
  '/v1/files, /v1/uploads, /v1/fine_tuning': 'tune with `nomoat tune`; the finished run is a model here',
  '/v1/embeddings, /v1/responses, /v1/batches, /v1/evals, /v1/moderations': 'nothing yet',
  'DELETE /v1/models/{id}': 'nothing: no request changes a file',
};

const differences: readonly string[] = [
  '**Sampling defaults** are those of `nomoat chat`, not OpenAI\'s: the table says which. `temperature: 1, top_p: 1, top_k: 0, min_p: 0` draws from the whole distribution.',
  "A fine-tuned run is asked with what the request says: the system prompt that its data shared, which `nomoat chat` uses by itself, has to be sent.",
  '`usage.completion_tokens` does not count the end-of-turn token, `prompt_tokens` a prompt once, however many choices it has; `prompt_tokens_details.cached_tokens` are those that the request before left evaluated.',
  'An answer ends with `length` where the context is full, also without `max_tokens`. A prompt that leaves no room is refused with `context_length_exceeded` and both numbers.',
  'Each model answers one request at a time; others wait in their order.',
  'Contents other than text, names of speakers and messages of tools are refused by their place, such as `messages[0].content[1].type`.',
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

const errorRows: readonly (readonly string[])[] = [
  ['400', '`unknown_parameter`, `unsupported_parameter`, `missing_required_parameter`, `invalid_value`, `invalid_type`, `invalid_json`', '`param` is the place'],
  ['400', '`context_length_exceeded`', 'the message has both numbers'],
  ['401', '`invalid_api_key`', 'where a key is set'],
  ['403', '`host_not_allowed`', 'the Host header is not of this machine'],
  ['404', '`model_not_found`, `unknown_url`', 'the message has near names'],
  ['413', '`request_too_large`', `beyond ${serverLimits.bodyBytes} bytes`],
  ['415', '`unsupported_media_type`', 'other than `application/json`'],
  ['429', '`rate_limit_exceeded`', `${serverLimits.waitingPerModel} requests wait for the model, or ${serverLimits.openModels} others are in use; \`Retry-After\` says when to come again`],
  ['503', '`server_stopping`', 'the server closes'],
  ['others', "the library's [codes](errors.md), with `_` for `-`", 'with the status that stands there'],
]; // biome-ignore format: a table

/** The page as Markdown. */
export function renderCompatibility(): string {
  const parameters = (name: string, shape: Readonly<Record<string, z.ZodType>>, refusals: RefusedTable): string[] => [
    `## ${name}`,
    ...table(['supported', 'how'], supportedRows(shape)),
    '',
    ...table(['refused', 'because', 'passes with'], refusedRows(refusals)),
    '',
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
    '## What is different',
    ...differences.map((text) => `- ${text}`),
    '',
    '## Errors',
    'As OpenAI\'s: `{"error": {"message", "type", "param", "code"}}`; of a stream that has begun, an event with that object, and no `[DONE]`.',
    ...table(['status', 'code', 'when'], errorRows),
    '',
    '## Who may ask',
    'The server listens on 127.0.0.1 unless `--host` says otherwise, and then only with an API key in the environment variable `NOMOAT_API_KEY`, which clients send as their bearer token. It speaks no TLS: put a proxy before it where the network is not trusted.',
    'On 127.0.0.1 requests for another Host are refused, no other site is given leave (no CORS), and bodies have to be `application/json`. No path of a request reaches the file system: models are looked up by name in the list.',
    `Ctrl-C or SIGTERM: no request is taken any more, those that run have ${serverLimits.graceMilliseconds / 1000} seconds, then they are ended.`,
    '',
  ].join('\n')}`; // biome-ignore format: a page
}
