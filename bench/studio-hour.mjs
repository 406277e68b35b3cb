/**
 * node bench/studio-hour.mjs [--minutes 60] [--steps 3600]: the memory of a tab that follows a run for an hour, which a fast clock makes a few minutes: the
 * page's timers run by it, every look of theirs asks the server and is answered, and the run's log grows by so many steps, with validations and answers.
 * Tells the script's heap after a collection, elements and listeners, every ten minutes of that hour. Exit code 1 where the heap grows by more than what
 * the events themselves take and 2 MB, or where elements or listeners grow by a half.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { csv, withStudio } from './studio-pages.mjs';

const option = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({ options: { minutes: option('60'), steps: option('3600') } });
const [minutes, steps] = [values.minutes, values.steps].map(Number);
/** As the page does (studio/follow.ts). */
const lookMilliseconds = 1000;
const looks = (minutes * 60_000) / lookMilliseconds;
/** Of an event in a script's heap, over its text in the log: objects have their keys once, numbers take eight bytes. */
const heapShare = 2;
/** What a page may take more after an hour, its events apart: what V8 keeps of code that was compiled meanwhile. */
const slackBytes = 2e6;

/** A run that is trained by this process, as its folder says. Resolves with its log, and the events of a step, a validation and an answer. */
async function runningRun(folder) {
  const { tune } = await import('../dist/index.js');
  const data = join(folder, 'data.csv');
  writeFileSync(data, csv);
  const run = join(folder, 'runs', 'hour');
  await tune({ model: 'nomoat-mini', data, run, maxSteps: 4, validation: 0.1, validateEvery: 2, verdictShare: 0, safetyShare: 0 }).result;
  const log = join(run, 'events.jsonl');
  const events = readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const first = events.findIndex(({ type }) => type === 'step-end');
  const of = (type) => events.find((event) => event.type === type);
  const ready = events.slice(0, first).map((event) => (event.type === 'data-ready' ? { ...event, steps } : event));
  writeFileSync(log, ready.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
  writeFileSync(join(run, 'run.json'), JSON.stringify({ ...record, state: 'running' }));
  writeFileSync(join(run, 'lock'), String(process.pid));
  return { log, step: of('step-end'), validation: of('validation') };
}

const linesOf = ({ step, validation }, from, to) => {
  const events = [];
  for (let i = from; i < to; i++) {
    events.push({ ...step, step: i, loss: step.loss / (1 + i / 100) + 0.01 * Math.sin(i) });
    if (i % 300 === 299) {
      events.push({ ...validation, step: i + 1 });
      for (let q = 0; q < 3; q++) events.push({ type: 'training-sample', step: i + 1, prompt: `number ${q}`, expected: 'odd', answer: `an answer of some words, after ${i} steps` });
    }
  }
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
};

async function measureTab(page, cdp) {
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  const { jsEventListeners, nodes } = await cdp.send('Memory.getDOMCounters');
  return { heap: usedSize, nodes, listeners: jsEventListeners, shown: await page.locator('.progress').textContent().catch(() => '') };
}

async function follow(page, { openUrl, url }, run) {
  await page.goto(openUrl);
  await page.waitForSelector('.drop');
  await page.clock.install();
  await page.goto(`${url}/studio/runs/hour`);
  const cdp = await page.context().newCDPSession(page);
  let answered = 0;
  page.on('requestfinished', (request) => void (answered += request.url().includes('/events') ? 1 : 0));
  const seen = [];
  let logged = 0;
  for (let look = 1; look <= looks; look++) {
    const due = Math.floor((steps * look) / looks);
    if (due > logged) appendFileSync(run.log, linesOf(run, logged, due));
    logged = due;
    const before = answered;
    await page.clock.runFor(lookMilliseconds);
    for (let i = 0; answered === before && i < 400; i++) await new Promise((resolve) => setTimeout(resolve, 2));
    if (look % (looks / 6) === 0) {
      await page.clock.runFor(lookMilliseconds);
      const tab = await measureTab(page, cdp);
      seen.push(tab);
      console.log(`${((look * lookMilliseconds) / 60_000).toFixed(0)} min: heap ${(tab.heap / 1e6).toFixed(1)} MB, ${tab.nodes} nodes, ${tab.listeners} listeners, ${answered} looks; ${tab.shown.trim()}`);
    }
  }
  return { seen, answered };
}

let run;
const prepare = async (folder) => (run = await runningRun(folder));
const measure = async ({ running }, { page }) => {
  const { answered, seen } = await follow(page, running, run);
  const [first] = seen;
  const last = seen.at(-1);
  const events = linesOf(run, Math.floor(steps / 6), steps).length * heapShare;
  const grown = last.heap - first.heap;
  console.log(`from the first to the last: ${(grown / 1e6).toFixed(1)} MB more, of which the events may be ${(events / 1e6).toFixed(1)}; ${last.nodes - first.nodes} nodes, ${last.listeners - first.listeners} listeners more`);
  const flat = grown < events + slackBytes && last.nodes < 1.5 * first.nodes && last.listeners < 1.5 * first.listeners;
  process.exitCode = flat && answered > looks / 2 ? 0 : 1;
};
await withStudio('studio-hour', measure, { prepare });
