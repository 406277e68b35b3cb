/**
 * node bench/studio-page-open.mjs [--pairs 8] [--seconds 4] [--model nomoat-mini]: what it costs a run to be watched. One run of the studio trains all the
 * time; its page is open and shut in turn, for some seconds each, and the tokens a second of the steps of both are compared. Exit code 1 where the run has
 * less than 0.97 of its pace while the page is open. The browser stands beside it all the time, on an empty page while the run's is shut.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { csv, withStudio } from './studio-pages.mjs';

const option = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({ options: { pairs: option('8'), seconds: option('4'), model: option('nomoat-mini') } });
const [pairs, seconds] = [values.pairs, values.seconds].map(Number);
const leastShare = 0.97;
/** After the page was opened or shut: loading it is no watching. */
const settleMilliseconds = 1000;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const stepsOf = (log) =>
  readFileSync(log, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line)).filter(({ type }) => type === 'step-end');

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

/** Tokens a second of the steps that ended within the time from now. */
async function paceFor(log, milliseconds) {
  const before = stepsOf(log).length;
  await sleep(milliseconds);
  const steps = stepsOf(log).slice(before);
  if (steps.length === 0) throw new Error(`no step ended in ${milliseconds} ms: give more --seconds`);
  return steps.reduce((sum, { tokens }) => sum + tokens, 0) / steps.reduce((sum, { tokens, tokensPerSecond }) => sum + tokens / tokensPerSecond, 0);
}

/** Begins a run that is longer than what is measured; resolves with its name and its job. */
async function begin(page) {
  await page.setInputFiles('input[type=file][multiple]', { name: 'parity.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.waitForSelector('.tokens b');
  return page.evaluate(async (model) => {
    const [file] = (await (await fetch('/v1/files')).json()).data;
    const settings = { maxSteps: 100000, epochs: 1000, validation: 0.1, validateEvery: 100000, checkpointEvery: 100000, verdictShare: 0, safetyShare: 0, sampleShare: 0 };
    const body = JSON.stringify({ data: [file.id], model, name: 'watched', settings });
    const { run } = await (await fetch('/studio/v1/runs', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })).json();
    const { job } = await (await fetch(`/studio/v1/runs/${run}`)).json();
    return { run, job: job.id };
  }, values.model);
}

async function measure(page, folder, { openUrl, url }) {
  await page.goto(openUrl);
  await page.waitForSelector('.drop');
  const { job, run } = await begin(page);
  await page.goto(`${url}/studio/runs/${run}`);
  await page.waitForSelector('.uplot');
  const log = join(folder, 'runs', run, 'events.jsonl');
  const found = { open: [], shut: [] };
  for (let i = 0; i < pairs; i++)
    for (const kind of i % 2 === 0 ? ['open', 'shut'] : ['shut', 'open']) {
      await page.goto(kind === 'open' ? `${url}/studio/runs/${run}` : 'about:blank');
      if (kind === 'open') await page.waitForSelector('.uplot');
      await sleep(settleMilliseconds);
      found[kind].push(await paceFor(log, 1000 * seconds));
    }
  await page.goto(`${url}/studio/`);
  await page.evaluate((id) => fetch(`/v1/fine_tuning/jobs/${id}/cancel`, { method: 'POST' }), job);
  const shares = found.open.map((open, i) => open / found.shut[i]);
  const [open, shut, share] = [found.open, found.shut, shares].map(median);
  console.log(`tokens/s with the page open ${open.toFixed(0)}, shut ${shut.toFixed(0)}; of pairs ${share.toFixed(3)} (median of ${pairs}: ${[...shares].sort((a, b) => a - b).map((each) => each.toFixed(2)).join(' ')})`);
  process.exitCode = share >= leastShare ? 0 : 1;
}

await withStudio('studio-page-open', ({ folder, running }, { page }) => measure(page, folder, running));
