/**
 * Fine-tunes a model on a few examples, follows the run as it goes, and asks the result a question.
 * Copy it into a project that has nomoat installed and TypeScript and @types/node beside it (npm install nomoat typescript @types/node), then
 * npx tsc tune-and-follow.ts --module nodenext --target es2023 --types node --skipLibCheck && node tune-and-follow.js MODEL.gguf DATA.jsonl RUN-FOLDER
 */
import { openModel, tune } from 'nomoat';

const [model, data, folder] = process.argv.slice(2) as [string, string, string];

const run = tune({ model, data, run: folder, epochs: 1, batchSize: 4, validation: 0.2 });
for await (const event of run) {
  if (event.type === 'step-end') console.log(`step ${event.step}: loss ${event.loss.toFixed(3)}`);
  if (event.type === 'notice') console.log(event.message);
}

const { adapter, parity, validation } = await run.result;
console.log(`adapter in ${adapter}`);
console.log(`validation ${validation.before?.toFixed(3)} -> ${validation.after?.toFixed(3)}`);
console.log(`llama.cpp computes what was trained: ${parity?.passed}`);

await using tuned = await openModel({ model: run.folder });
const question = { role: 'user', content: 'number 3' };
const answer = await tuned.generate([question], { maxTokens: 8, temperature: 0 });
console.log(`answer: ${answer.text}`);

// How likely the model holds an answer, whatever it would have said itself.
const { logProbability, tokens } = await tuned.score([question, { role: 'assistant', content: 'odd' }]);
console.log(`ln p of "odd": ${logProbability.toFixed(2)}, in ${tokens.length} tokens`);
