/**
 * Stops a run as Ctrl-C would, looks at what is on the disk, and goes on from its checkpoint.
 * Copy it into a project that has nomoat installed and TypeScript and @types/node beside it (npm install nomoat typescript @types/node), then
 * npx tsc resume.ts --module nodenext --target es2023 --types node --skipLibCheck && node resume.js MODEL.gguf DATA.jsonl RUN-FOLDER
 */
import { listRuns, NomoatError, openRun, resumeTune, tune } from 'nomoat';

const [model, data, folder] = process.argv.slice(2) as [string, string, string];

const stop = new AbortController();
const run = tune({ model, data, run: folder, epochs: 200, maxSteps: 60, batchSize: 4, signal: stop.signal });
for await (const event of run) if (event.type === 'step-end' && event.step === 3) stop.abort();
try {
  await run.result;
} catch (error) {
  if (!(error instanceof NomoatError) || error.code !== 'run-interrupted') throw error;
  console.log(`stopped after ${error.fields.steps} steps`);
}

for (const { name, state } of listRuns(`${folder}/..`)) console.log(`${name}: ${state}`);

const rest = resumeTune(folder);
// Any program can look on, this one or another.
for await (const event of rest) {
  if (event.type === 'run-start') console.log(`goes on after step ${event.resumedFromStep}`);
}
const { state, steps } = await rest.result;
console.log(`${state} after ${steps} steps`);

let losses = 0;
for await (const event of openRun(folder).events()) if (event.type === 'step-end') losses++;
console.log(`${losses} losses in its log`);
