/**
 * node bench/studio-large.mjs [RUNS] [STEPS]: the studio over many runs, one of them long (200 and 100,000 unless said). Tells how soon the first page
 * can be used, and of each interaction the 95th percentile of the time until the page shows it, of 20 times.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumPath } from './chromium.mjs';
import { csv, openPage } from './studio-pages.mjs';

const [runs = 200, steps = 100_000] = process.argv.slice(2).map(Number);
const times = 20;

/** Copies of one run, and one whose log has many steps. */
async function makeRuns(folder) {
  const { tune } = await import('../dist/index.js');
  const data = join(folder, 'data.csv');
  writeFileSync(data, csv);
  const first = join(folder, 'runs', 'first');
  await tune({ model: 'nomoat-mini', data, run: first, maxSteps: 4, validation: 0.1 }).result;
  for (let i = 1; i < runs; i++) {
    const copy = join(folder, 'runs', `run-${i}`);
    mkdirSync(copy);
    for (const file of ['run.json', 'recipe.yaml', 'events.jsonl', 'report.json']) cpSync(join(first, file), join(copy, file));
  }
  const lines = readFileSync(join(first, 'events.jsonl'), 'utf8').trim().split('\n');
  const last = lines.findLastIndex((line) => JSON.parse(line).type === 'step-end');
  const step = JSON.parse(lines[last]);
  const many = Array.from({ length: steps }, (_, i) => JSON.stringify({ ...step, step: i, loss: step.loss * (1 + Math.sin(i)) }));
  writeFileSync(join(folder, 'runs', 'run-1', 'events.jsonl'), [...lines.slice(0, last), ...many, ...lines.slice(last + 1), ''].join('\n'));
}

/** Milliseconds of an interaction in the page, until what it draws is on the screen: something pressed, or written into a field. */
const timed = (page, act) =>
  page.evaluate(async ({ query, text }) => {
    const began = performance.now();
    const element = document.querySelector(query);
    if (text === undefined) element.click();
    else {
      element.value = text;
      element.dispatchEvent(new Event('input', { bubbles: true }));
    }
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - began;
  }, act);

async function percentile(page, name, acts) {
  const all = [];
  for (let i = 0; i < times; i++) all.push(await timed(page, acts[i % acts.length]));
  all.sort((a, b) => a - b);
  console.log(`${name}: ${all[Math.ceil(0.95 * times) - 1].toFixed(0)} ms (p95), ${all[Math.floor(times / 2)].toFixed(0)} ms (median)`);
}

const type = (text) => ({ query: 'main input[type=text]', text });
const press = (query) => ({ query });
const looks = [press('[data-paint=dark]'), press('[data-paint=light]')];
const languages = [press('[data-speak=zh-Hans]'), press('[data-speak=en]')];

async function measure(page, { openUrl, url }) {
  const began = performance.now();
  await page.goto(openUrl);
  await page.waitForSelector('.drop');
  console.log(`first page: usable after ${(performance.now() - began).toFixed(0)} ms`);
  await page.goto(`${url}/studio/runs`);
  await page.waitForSelector(`table.runs tbody tr >> nth=${runs - 1}`);
  await percentile(page, `${runs} runs, a letter in the filter`, [type('run-1'), type('')]);
  await percentile(page, `${runs} runs, other colours`, looks);
  await percentile(page, `${runs} runs, other language`, languages);
  const opened = performance.now();
  await page.goto(`${url}/studio/runs/run-1`);
  await page.waitForSelector('.uplot');
  console.log(`${steps} steps: drawn after ${(performance.now() - opened).toFixed(0)} ms`);
  await percentile(page, `${steps} steps, other colours`, looks);
  await percentile(page, `${steps} steps, other language`, languages);
}

if (!chromiumPath) console.log('studio-large: skipped, since there is no chromium (apt-get install chromium, or name one in CHROMIUM)');
else {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-studio-large-'));
  process.env.NOMOAT_HOME ??= join(folder, 'home');
  const { studio } = await import('../dist/index.js');
  await makeRuns(folder);
  const running = await studio({ port: 0, runs: join(folder, 'runs') });
  const { browser, page } = await openPage();
  try {
    await measure(page, running);
  } finally {
    await browser.close();
    await running.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
