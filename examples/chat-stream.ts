/**
 * Shows an answer while it is generated, and a second one beside what was said before.
 * Copy it into a project that has nomoat installed and TypeScript and @types/node beside it (npm install nomoat typescript @types/node), then
 * npx tsc chat-stream.ts --module nodenext --target es2023 --types node --skipLibCheck && node chat-stream.js MODEL-OR-RUN
 */
import { type Message, openModel } from 'nomoat';

const [path] = process.argv.slice(2) as [string];

await using model = await openModel({ model: path });
for (const note of model.notes) console.error(note);

// A run whose training conversations shared a system prompt wants to be asked with it.
const messages: Message[] = model.systemPrompt === null ? [] : [{ role: 'system', content: model.systemPrompt }];
for (const question of ['number 3', 'number 4']) {
  messages.push({ role: 'user', content: question });
  const answer = model.stream(messages, { temperature: 0, maxTokens: 16 });
  process.stdout.write(`${question}: `);
  for await (const piece of answer) process.stdout.write(piece);
  const { stopReason, text, tokens } = await answer.result;
  console.log(`  (${tokens} tokens, ${stopReason})`);
  messages.push({ role: 'assistant', content: text });
}
