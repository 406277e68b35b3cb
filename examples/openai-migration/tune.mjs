/**
 * A fine-tuning script as teams have it for OpenAI: nothing in it knows nomoat. The client takes its address from OPENAI_BASE_URL and its key from
 * OPENAI_API_KEY; README.md beside it says how a server is started that maps the name of the base model.
 * npm install openai && node tune.mjs
 */
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';

const baseModel = 'gpt-4o-mini-2024-07-18';
const folder = import.meta.dirname;
const openai = new OpenAI();

/** The events that were not seen yet, oldest first. */
async function newEvents(job, seen) {
  const events = [];
  for await (const event of openai.fineTuning.jobs.listEvents(job, { limit: 50 })) {
    if (seen.has(event.id)) break;
    events.unshift(event);
  }
  for (const { id } of events) seen.add(id);
  return events;
}

/** Prints the job's events until it has ended. */
async function follow(id) {
  const seen = new Set();
  for (;;) {
    const job = await openai.fineTuning.jobs.retrieve(id);
    for (const { level, message } of await newEvents(id, seen)) console.log(`  ${level}: ${message}`);
    if (['succeeded', 'failed', 'cancelled'].includes(job.status)) return job;
    await sleep(1000);
  }
}

const upload = (name) => openai.files.create({ file: createReadStream(`${folder}/${name}`), purpose: 'fine-tune' });
const [training, validation] = await Promise.all([upload('train.jsonl'), upload('valid.jsonl')]);
console.log(`uploaded ${training.filename} as ${training.id}, ${validation.filename} as ${validation.id}`);

const created = await openai.fineTuning.jobs.create({
  model: baseModel,
  training_file: training.id,
  validation_file: validation.id,
  suffix: 'intents',
  seed: 42,
  method: {
    type: 'supervised',
    supervised: { hyperparameters: { n_epochs: 3, batch_size: 'auto', learning_rate_multiplier: 'auto' } },
  },
});
console.log(`created ${created.id}`);

const job = await follow(created.id);
if (job.status !== 'succeeded') throw new Error(`${job.id} ${job.status}: ${job.error?.message ?? ''}`);
console.log(`${job.fine_tuned_model} after ${job.trained_tokens} tokens`);

const checkpoints = [];
for await (const checkpoint of openai.fineTuning.jobs.checkpoints.list(job.id)) checkpoints.push(checkpoint);
const lossOf = ({ metrics }) => metrics.full_valid_loss ?? metrics.valid_loss ?? Number.POSITIVE_INFINITY;
const best = checkpoints.reduce((least, each) => (lossOf(each) < lossOf(least) ? each : least));
for (const each of checkpoints) console.log(`step ${each.step_number}: valid_loss ${lossOf(each).toFixed(4)}`);
console.log(`best: ${best.fine_tuned_model_checkpoint}`);

const results = await openai.files.content(job.result_files[0]);
console.log(`results: ${(await results.text()).split('\n')[0]}`);

const answer = await openai.chat.completions.create({
  model: best.fine_tuned_model_checkpoint,
  temperature: 0,
  max_tokens: 16,
  messages: [
    { role: 'system', content: 'You name the intent of a request, and nothing else.' },
    { role: 'user', content: 'Will it rain in Lisbon tomorrow?' },
  ],
});
console.log(`answer: ${answer.choices[0].message.content}`);
