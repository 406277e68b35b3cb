/**
 * How much of what is planted in real text `inspect data` finds, and what else it takes for personal data or a key: node bench/inspect-data.mjs
 * PLANTED.json [--rows 5000] [--seed 1] TEXT...    (after npm run build)
 * PLANTED.json is made by oracles/make_planted_data.py, each item once in a row of its own; TEXT are data files of `tune` or plain texts, of which
 * a line is a row. What is found beside the planted is printed, to be looked at by hand: real text holds real personal data too.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Random } from '../dist/batches/random.js';
import { rowOf, wholeOf } from '../dist/data-checks/data-row.js';
import { personalDataIn } from '../dist/data-checks/personal/personal-data.js';
import { secretsIn } from '../dist/data-checks/personal/secrets.js';
import { readExamples } from '../dist/dataset/dataset-files.js';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { rows: { type: 'string', default: '5000' }, seed: { type: 'string', default: '1' } } }); // biome-ignore format: one line
const [plantedPath, ...paths] = positionals;
const random = new Random(Number(values.seed));
const below = (n) => random.uint32() % n;

/** Rows of a file: examples where it is data, else lines. */
async function textsOf(path) {
  if (/\.(txt|csv)$/.test(path)) return readFileSync(path, 'utf8').split('\n').filter((line) => line.length > 20);
  const { train } = await readExamples([path]);
  return train.map((example) => wholeOf(rowOf(example)));
}

/** So many of the texts, in an order of the seed. */
function shuffled(texts, count) {
  for (let i = texts.length - 1; i > 0; i--) {
    const k = below(i + 1);
    [texts[i], texts[k]] = [texts[k], texts[i]];
  }
  return texts.slice(0, count);
}

const all = [];
for (const path of paths) for (const text of await textsOf(path)) all.push(text);
const rows = shuffled(all, Number(values.rows)).map((text) => ({ text, item: null, start: 0, end: 0 }));
const items = JSON.parse(readFileSync(plantedPath, 'utf8'));
if (items.length > rows.length) throw new Error(`${items.length} items do not fit into ${rows.length} rows`);
for (const [i, item] of items.entries()) {
  const row = rows[Math.floor((i * rows.length) / items.length)];
  const ends = [...row.text.matchAll(/[.!?]\s/g)].map(({ index }) => index + 2);
  const at = ends.length > 0 ? ends[below(ends.length)] : 0;
  const start = at + item.text.indexOf(item.value);
  Object.assign(row, { item, start, end: start + item.value.length, text: `${row.text.slice(0, at)}${item.text} ${row.text.slice(at)}` });
}

const began = performance.now();
const secrets = await secretsIn(rows.map(({ text }) => text));
const counts = new Map();
const beside = [];
let found = 0;
let right = 0;
for (const [i, { end, item, start, text }] of rows.entries()) {
  const places = [...secrets[i], ...personalDataIn(text).filter((a) => !secrets[i].some((b) => a.start < b.end && b.start < a.end))];
  const planted = places.filter((place) => item && place.start < end && start < place.end);
  right += planted.length;
  for (const place of places) if (!planted.includes(place)) beside.push(`${place.rule}: ${JSON.stringify(text.slice(Math.max(0, place.start - 25), place.end + 10))}`); // biome-ignore format: one line
  if (!item) continue;
  const kind = counts.get(item.kind) ?? { planted: 0, found: 0, missed: [] };
  counts.set(item.kind, kind);
  kind.planted++;
  if (planted.length > 0) {
    kind.found++;
    found++;
  } else kind.missed.push(`${item.name}: ${item.text}`);
}
for (const [kind, { found, missed, planted }] of counts) {
  console.log(`${kind}: ${found} of ${planted} found`);
  for (const text of missed) console.log(`  missed ${text}`);
}
console.log(`beside the planted, ${beside.length}:`);
for (const text of beside) console.log(`  ${text}`);
const precision = right / (right + beside.length);
console.log(`${found} of ${items.length} found (${((100 * found) / items.length).toFixed(1)}%) in ${rows.length} rows, precision ${(100 * precision).toFixed(1)}% if all of these are wrong, ${((performance.now() - began) / 1000).toFixed(1)} s`); // biome-ignore format: one line
