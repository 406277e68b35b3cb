/**
 * Writes a finished run's adapter for llama.cpp, for Transformers, and as one merged model.
 * Copy it into a project that has nomoat installed and TypeScript and @types/node beside it (npm install nomoat typescript @types/node), then
 * npx tsc export.ts --module nodenext --target es2023 --types node --skipLibCheck && node export.js RUN-FOLDER OUT-FOLDER
 */
import { join } from 'node:path';
import { exportRun, openModel, openRun } from 'nomoat';

const [folder, out] = process.argv.slice(2) as [string, string];

const { adapter, record, state } = openRun(folder);
console.log(`${state}: ${adapter}, on ${record.settings.model}`);
const formats = [
  { to: 'gguf', out: join(out, 'adapter.gguf') },
  { to: 'peft', out: join(out, 'peft') },
  { to: 'merged-gguf', out: join(out, 'merged.gguf'), type: 'Q8_0' },
] as const;
for (const format of formats) {
  const { files, notes } = await exportRun(folder, format);
  for (const note of notes) console.error(note);
  for (const file of files) console.log(file);
}

await using merged = await openModel({ model: join(out, 'merged.gguf') });
const { text } = await merged.generate([{ role: 'user', content: 'number 3' }], { maxTokens: 8, temperature: 0 });
console.log(`merged: ${text}`);
