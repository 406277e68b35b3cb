/**
 * What a package `openai` of npm does with a server. Arguments: the package's folder, the server's URL, keys of scope admin and chat and one
 * that may ask once a minute, as JSON. Prints a line of JSON a check: its name, and what was wrong.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [packageFolder, url, keysText] = process.argv.slice(2);
const keys = JSON.parse(keysText);
const { OpenAI, toFile, ...errors } = createRequire(join(packageFolder, 'x.js'))(packageFolder);
const clientOf = (apiKey) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const client = clientOf(keys.admin);

const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: { at: { type: 'string' } } } } }];
const chat = (content, more = {}) => ({ model: 'tools', temperature: 0, messages: [{ role: 'user', content }], tools, ...more });

/** Throws where two values differ. */
function same(found, expected) {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(expected)}`);
}
/** Throws unless the call is answered with an error of this class, code and param. */
async function refused(name, code, param, call) {
  const error = await call().then(() => new Error('was answered'), (thrown) => thrown);
  if (!(error instanceof errors[name])) throw error;
  same([error.code, error.param ?? null], [code, param]);
}

const checks = {
  'models: list, retrieve': async () => {
    const names = (await client.models.list()).data.map(({ id }) => id);
    if (!names.includes('nomoat-mini')) throw new Error(names.join());
    same((await client.models.retrieve('nomoat-mini')).object, 'model');
  },
  'chat: whole': async () => {
    const { choices, usage } = await client.chat.completions.create(chat('hello'));
    same([choices[0].message.content, choices[0].finish_reason], ['Hi.', 'stop']);
    same(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  },
  'chat: streamed': async () => {
    let text = '';
    for await (const { choices } of await client.chat.completions.create(chat('hello', { stream: true }))) text += choices[0]?.delta.content ?? '';
    same(text, 'Hi.');
  },
  'chat: cancelled half-way, and the next is answered': async () => {
    const stream = await client.chat.completions.create({ ...chat('x'), model: 'nomoat-mini', tools: undefined, temperature: 2, stream: true });
    for await (const _ of stream) break;
    same((await client.chat.completions.create(chat('hello'))).choices[0].message.content, 'Hi.');
  },
  'chat: thoughts apart': async () => {
    const { message } = (await client.chat.completions.create(chat('think'))).choices[0];
    same([message.reasoning_content, message.content], ['A cat is here.', 'Yes.']);
  },
  'completions: whole and streamed': async () => {
    const body = { model: 'nomoat-mini', prompt: 'Once upon', max_tokens: 4, temperature: 0 };
    const { text } = (await client.completions.create(body)).choices[0];
    let streamed = '';
    for await (const { choices } of await client.completions.create({ ...body, stream: true })) streamed += choices[0].text;
    same(streamed, text);
  },
  'tools: a call and its result': async () => {
    const { finish_reason, message } = (await client.chat.completions.create(chat('look up'))).choices[0];
    same([finish_reason, JSON.parse(message.tool_calls[0].function.arguments)], ['tool_calls', { at: 'the sky' }]);
    const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'blue' };
    const messages = [...chat('look up').messages, message, result];
    if (!(await client.chat.completions.create(chat('', { messages }))).choices[0].message.content) throw new Error('no answer');
  },
  'tools: streamed, gathered by the helper': async () => {
    const message = await client.chat.completions.stream(chat('look up')).finalMessage();
    same(JSON.parse(message.tool_calls[0].function.arguments), { at: 'the sky' });
  },
  'responses: whole and streamed': async () => {
    const body = { model: 'tools', input: 'hello', temperature: 0, tools: tools.map(({ function: called, type }) => ({ type, ...called, strict: false })) };
    same((await client.responses.create(body)).output_text, 'Hi.');
    same((await client.responses.stream(body).finalResponse()).output_text, 'Hi.');
  },
  'files: create, list, content, delete': async () => {
    const file = await client.files.create({ file: await toFile(Buffer.from('{"a":1}\n'), 'rows.jsonl'), purpose: 'fine-tune' });
    same((await client.files.list()).data.map(({ id }) => id), [file.id]);
    same(await (await client.files.content(file.id)).text(), '{"a":1}\n');
    same((await client.files.delete(file.id)).deleted, true);
  },
  'fine-tuning: a job of a file that is not there': () =>
    refused('BadRequestError', 'invalid_training_file', 'training_file', () => client.fineTuning.jobs.create({ model: 'nomoat-mini', training_file: 'file-none' })),
  'error 400': () => refused('BadRequestError', 'invalid_value', 'temperature', () => client.chat.completions.create(chat('x', { temperature: 9 }))),
  'error 401': () => refused('AuthenticationError', 'invalid_api_key', null, () => clientOf('wrong').models.list()),
  'error 403': () => refused('PermissionDeniedError', 'insufficient_permissions', null, () => clientOf(keys.chat).files.list()),
  'error 404': () => refused('NotFoundError', 'model_not_found', 'model', () => client.chat.completions.create(chat('x', { model: 'none' }))),
  'error 422': () => refused('UnprocessableEntityError', 'unusable_model', 'messages', () => client.chat.completions.create(chat('x', { model: 'broken', tools: undefined }))),
  'error 429': async () => {
    await clientOf(keys.once).models.list();
    await refused('RateLimitError', 'rate_limit_exceeded', null, () => clientOf(keys.once).models.list());
  },
};

for (const [name, check] of Object.entries(checks)) {
  const fault = await check().then(() => null, (error) => `${error.constructor.name}: ${error.message}`);
  console.log(JSON.stringify({ name, fault }));
}
