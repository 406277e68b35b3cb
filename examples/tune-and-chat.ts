/**
 * Fine-tunes a model on a few examples and asks it a question, from code.
 * Copy it into a project that has nomoat installed and TypeScript and @types/node beside it (npm install PATH-OF-NOMOAT typescript @types/node), then
 * npx tsc tune-and-chat.ts --module nodenext --target es2023 --types node --skipLibCheck && node tune-and-chat.js MODEL.gguf DATA.jsonl RUN-FOLDER
 */
import { chat, tune } from 'nomoat';

const [model, data, run] = process.argv.slice(2) as [string, string, string];

const events = await tune({ model, data, run, epochs: 1, batchSize: 4, validation: 0.2 });
for await (const event of events) {
  if (event.type === 'step-end') console.log(`step ${event.step}: loss ${event.loss.toFixed(3)}`);
  if (event.type === 'run-end') console.log(`adapter in ${event.adapter}`);
}

const tuned = await chat({ model: run });
const answer = await tuned.generate([{ role: 'user', content: 'number 3' }], { maxTokens: 8, temperature: 0 });
console.log(`answer: ${answer.text}`);
await tuned.close();
