/**
 * Looks at the data as tokens and at what a run would take, before anything is trained.
 * Copy it into a project that has nomoat installed and TypeScript and @types/node beside it (npm install nomoat typescript @types/node), then
 * npx tsc plan-first.ts --module nodenext --target es2023 --types node --skipLibCheck && node plan-first.js MODEL.gguf DATA.jsonl
 */
import { NomoatError, plan, preview } from 'nomoat';

const [model, data] = process.argv.slice(2) as [string, string];

try {
  const { counts, rows } = await preview({ model, data, rows: 1 });
  for (const { pieces } of rows)
    console.log(pieces.map(({ supervised, text }) => (supervised ? `[${text}]` : text)).join(''));
  console.log(`${counts.rows} rows, ${counts.supervisedTokens} of ${counts.tokens} tokens are learnt`);
  for (const [reason, count] of Object.entries(counts.refusals)) console.log(`${count} rows refused: ${reason}`);

  const { advice, plans } = await plan({ model, data, epochs: 2, prices: { perKilowattHour: 0.25 } });
  for (const { energyCost, name, peakMemoryBytes, seconds } of plans) {
    const [minutes, gigabytes] = [seconds / 60, peakMemoryBytes / 1e9];
    console.log(`${name}: ${minutes.toFixed(1)} min, ${gigabytes.toFixed(2)} GB, ${energyCost.toFixed(4)} of energy`);
  }
  console.log(advice);
} catch (error) {
  // Codes are listed in docs/errors.md; the remedy is for this very input.
  if (!(error instanceof NomoatError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
