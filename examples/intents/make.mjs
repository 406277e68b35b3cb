/**
 * Makes the quickstart's data from the SNIPS benchmark (CC0): node examples/intents/make.mjs PATH/nlu-benchmark REST
 * 40 + 20 sentences of each of the 7 intents; a sentence occurs once. The other training sentences, without labels, go to REST (a .txt.gz).
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const [source, rest] = process.argv.slice(2);
if (!source || !rest) throw new Error('usage: node examples/intents/make.mjs PATH/nlu-benchmark REST.txt.gz');
const folder = join(source, '2017-06-custom-intent-engines');
const [train, valid, others, seen] = [[], [], [], new Set()];
const key = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, ' ').trim();
for (const intent of readdirSync(folder).filter((name) => /^[A-Z]\w+$/.test(name)).sort()) {
  const read = (name) => {
    const bytes = readFileSync(join(folder, intent, name));
    return JSON.parse(new TextDecoder('utf-8').decode(bytes))[intent]
      .map(({ data }) => data.map(({ text }) => text).join('').replace(/\s+/g, ' ').trim())
      .filter((text) => text.length > 3 && text.length < 90 && !/[^\x20-\x7e]/.test(text) && !seen.has(key(text)) && seen.add(key(text)));
  };
  const held = read(`validate_${intent}.json`);
  const full = read(`train_${intent}_full.json`);
  const every = (list, count) => Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]);
  valid.push(...every(held, 20).map((prompt) => ({ prompt, completion: intent })));
  const taken = new Set(every(full, 40));
  train.push(...[...taken].map((prompt) => ({ prompt, completion: intent })));
  others.push(...full.filter((text) => !taken.has(text)).slice(0, 600));
}
const here = new URL('.', import.meta.url);
const byTurns = (rows, count) => Array.from({ length: rows.length }, (_, i) => rows[(i % 7) * count + Math.floor(i / 7)]);
const write = (name, rows) => writeFileSync(new URL(name, here), `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
write('train.jsonl', byTurns(train, 40));
write('valid.jsonl', byTurns(valid, 20));
writeFileSync(rest, gzipSync(`${others.join('\n')}\n`, { level: 9 }));
console.log(`${train.length} + ${valid.length} examples, ${others.length} other sentences`);
