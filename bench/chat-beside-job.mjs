/**
 * How much longer a chat takes while a fine-tuning job trains on the same machine: one server, chats of 32 tokens by one client, in turns with
 * the job paused and with it training. `node bench/chat-beside-job.mjs [--models DIR] [--model NAME] [--data FILE.jsonl] [--rounds N] [--chats N]`.
 * Needs `npm run build`. Prints the median and the 95th percentile of both, and their ratios.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import OpenAI, { toFile } from 'openai';
import { serve } from '../dist/index.js';

const { values } = parseArgs({
  options: {
    models: { type: 'string' },
    model: { type: 'string', default: 'nomoat-mini' },
    data: { type: 'string', default: join(import.meta.dirname, '../examples/intents/train.jsonl') },
    rounds: { type: 'string', default: '4' },
    chats: { type: 'string', default: '10' },
    tokens: { type: 'string', default: '32' },
    'no-background': { type: 'boolean', default: false },
  },
});
const runs = mkdtempSync(join(tmpdir(), 'nomoat-beside-'));
process.on('exit', () => rmSync(runs, { recursive: true, force: true }));
const server = await serve({ port: 0, runs, background: !values['no-background'], ...(values.models ? { models: [values.models] } : {}) });
const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
const { jobs } = client.fineTuning;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Milliseconds of so many chats, one after the other. */
async function chats(round) {
  const found = [];
  for (let i = 0; i < Number(values.chats); i++) {
    const began = performance.now();
    const content = `Question ${round}.${i}: what is a good name for a grey cat, and why?`;
    await client.chat.completions.create({ model: values.model, messages: [{ role: 'user', content }], max_tokens: Number(values.tokens), temperature: 1 });
    found.push(performance.now() - began);
  }
  return found;
}

async function step(id) {
  const { data } = await jobs.listEvents(id, { limit: 50 });
  return data.find(({ type }) => type === 'metrics')?.data?.step ?? 0;
}

/** Resolves once a step has been made that was not yet. */
async function trains(id, after) {
  while ((await step(id)) <= after) {
    const { error, status } = await jobs.retrieve(id);
    if (!['validating_files', 'queued', 'running'].includes(status)) throw new Error(`the job ${status}: ${error?.message ?? 'too little data for so many rounds'}`);
    await sleep(50);
  }
}

const sorted = (list) => [...list].sort((a, b) => a - b);
const at = (list, share) => sorted(list)[Math.min(list.length - 1, Math.floor(share * list.length))];

const file = await client.files.create({ file: await toFile(readFileSync(values.data), 'train.jsonl'), purpose: 'fine-tune' });
await chats('warm');
const job = await jobs.create({ model: values.model, training_file: file.id, hyperparameters: { n_epochs: 50, batch_size: 16 } });
await trains(job.id, 0);
const [alone, beside] = [[], []];
let steps = 0;
for (let round = 0; round < Number(values.rounds); round++) {
  await jobs.pause(job.id);
  // Until its checkpoint is written and its process gone.
  await sleep(3000);
  alone.push(...(await chats(`a${round}`)));
  await jobs.resume(job.id);
  const before = await step(job.id);
  await trains(job.id, before);
  const first = await step(job.id);
  beside.push(...(await chats(`b${round}`)));
  steps += (await step(job.id)) - first;
}
await jobs.cancel(job.id);
await server.close();
const row = (name, list) => `| ${name} | ${at(list, 0.5).toFixed(0)} | ${at(list, 0.95).toFixed(0)} |`;
console.log(`${values.model}, ${alone.length} chats of up to ${values.tokens} tokens each way, in turns; ${steps} steps of the job meanwhile`);
console.log(['| | median ms | p95 ms |', '|---|---|---|', row('no job', alone), row('a job trains', beside)].join('\n'));
console.log(`ratio: median ${(at(beside, 0.5) / at(alone, 0.5)).toFixed(2)}, p95 ${(at(beside, 0.95) / at(alone, 0.95)).toFixed(2)}`);
