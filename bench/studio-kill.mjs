/**
 * node bench/studio-kill.mjs [--moments 20] [--from 0] [--seed 1] [--offline 30]: a run that is followed in chromium, disturbed at seeded moments: its tab is closed,
 * reloaded, joined by a second one, offline (seconds, of which the page is told), or its server is killed with SIGKILL and started again. Says of each
 * moment how soon every page is right again, and whether each step is there once, in the log, in the job and on the page. Exit code 1 where one is not.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromiumPath } from './chromium.mjs';
import { random } from './seeded-random.mjs';
import { openPage } from './studio-pages.mjs';

const repo = join(import.meta.dirname, '..');
const option = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({ options: { moments: option('20'), seed: option('1'), offline: option('30'), from: option('0'), steps: option('24') } });
const [moments, first, seed, offlineSeconds, steps] = [values.moments, values.from, values.seed, values.offline, values.steps].map(Number);
const kinds = ['closed', 'reloaded', 'two tabs', 'offline', 'killed'];
/** Within which a page has to be right. */
const rightMilliseconds = 2000;
const patience = 300_000;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** `nomoat studio` in a folder; resolves once it says how it is opened. */
async function startStudio(cwd, port = '0') {
  const child = spawn(process.execPath, [join(repo, 'dist/cli/main.js'), 'studio', '--port', port, '--no-open'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece));
  for (;;) {
    const [, url] = /once: (http:\S+)/.exec(said) ?? [];
    if (url) return { child, url };
    if (child.exitCode !== null) throw new Error(said);
    await sleep(20);
  }
}

const post = (page, path, body) =>
  page.evaluate(
    async ([to, json]) => (await fetch(to, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: json })).json(),
    [path, JSON.stringify(body)],
  );

/** Uploads the data once, begins the run with it; resolves with the run's name. */
async function begin(page, file, name) {
  const settings = { maxSteps: steps, epochs: steps, batchSize: 4, checkpointEvery: 4, validateEvery: 6, validation: 0.1, verdictShare: 0, safetyShare: 0 };
  const { run } = await post(page, '/studio/v1/runs', { data: [file], model: 'nomoat-mini', name, settings });
  return run;
}

/** The steps that the run's log has, as it lies on the disk. */
function loggedSteps(cwd, run) {
  const path = join(cwd, 'runs', run, 'events.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'step-end').map(({ step }) => step);
}

const shownStep = async (page) => {
  const text = await page.locator('.progress').textContent({ timeout: 200 }).catch(() => '');
  return Number(/Step (\d+) of/.exec(text ?? '')?.[1] ?? 0);
};

/**
 * Milliseconds until the page is right: it shows no fault, and all steps that the log had when it could ask again (fewer where a run that was killed
 * went back to its checkpoint). Null where it is not within the patience.
 */
async function untilRight(page, cwd, run) {
  const began = performance.now();
  const had = loggedSteps(cwd, run).length;
  while (performance.now() - began < patience) {
    const least = Math.min(had, loggedSteps(cwd, run).length);
    if ((await page.locator('.notice.bad').count()) === 0 && (await shownStep(page)) >= least) return performance.now() - began;
    await sleep(25);
  }
  return null;
}

/** What is done to the run of `state`; resolves with how long the pages took to be right, of the worst one. */
const disturb = {
  async closed(state) {
    await state.page.close();
    await sleep(500);
    state.page = await state.context.newPage();
    await state.page.goto(`${state.origin}/studio/runs/${state.run}`);
    return untilRight(state.page, state.cwd, state.run);
  },
  async reloaded(state) {
    await state.page.reload();
    return untilRight(state.page, state.cwd, state.run);
  },
  async 'two tabs'(state) {
    const second = await state.context.newPage();
    await second.goto(`${state.origin}/studio/runs/${state.run}`);
    const [one, other] = await Promise.all([state.page, second].map((page) => untilRight(page, state.cwd, state.run)));
    await second.close();
    return one === null || other === null ? null : Math.max(one, other);
  },
  async offline(state) {
    await state.context.setOffline(true);
    await sleep(1000 * offlineSeconds);
    await state.context.setOffline(false);
    return untilRight(state.page, state.cwd, state.run);
  },
  async killed(state) {
    const gone = new Promise((resolve) => state.child.once('exit', resolve));
    state.child.kill('SIGKILL');
    await gone;
    ({ child: state.child } = await startStudio(state.cwd, new URL(state.origin).port));
    return untilRight(state.page, state.cwd, state.run);
  },
};

/** What was lost or doubled of a run that has ended, in sentences. */
async function lossesOf({ cwd, page, run }) {
  const faults = [];
  const ends = performance.now() + patience;
  while (performance.now() < ends && (await page.locator('a[href$="/result"].button').count()) === 0) await sleep(50);
  const all = JSON.stringify(Array.from({ length: steps }, (_, i) => i));
  if (JSON.stringify(loggedSteps(cwd, run)) !== all) faults.push(`the log has the steps ${loggedSteps(cwd, run)}`);
  const read = await page.evaluate(async (name) => {
    const { events, run: summary } = await (await fetch(`/studio/v1/runs/${name}/events`)).json();
    const job = await (await fetch(`/v1/fine_tuning/jobs/${summary.job.id}/events?limit=1000`)).json();
    return { events, told: job.data.filter(({ message }) => message.includes('training loss')).length, state: summary.state };
  }, run);
  const steppedOn = read.events.filter(({ type }) => type === 'step-end').map(({ step }) => step);
  if (JSON.stringify(steppedOn) !== all) faults.push(`the page reads the steps ${steppedOn}`);
  if (read.told !== steps) faults.push(`the job tells of ${read.told} steps`);
  if (read.state !== 'done') faults.push(`it ended ${read.state}`);
  if ((await shownStep(page)) !== steps) faults.push(`the page shows step ${await shownStep(page)}`);
  const left = readdirSync(join(cwd, 'runs', run), { recursive: true }).filter((name) => String(name).includes('.unfinished-'));
  if (left.length > 0) faults.push(`half files: ${left.join(', ')}`);
  return faults;
}

async function moment(index, state, file) {
  const next = random(seed * 1000 + index);
  const kind = kinds[index % kinds.length];
  const at = Math.floor(next() * (steps - 4));
  state.run = await begin(state.page, file, `moment-${index}`);
  await state.page.goto(`${state.origin}/studio/runs/${state.run}`);
  const begins = performance.now() + patience;
  while (loggedSteps(state.cwd, state.run).length < at) {
    if (performance.now() > begins) throw new Error(`the run had ${loggedSteps(state.cwd, state.run).length} of ${at} steps after ${patience / 1000} s`);
    await sleep(10);
  }
  await sleep(100 * next());
  const reached = loggedSteps(state.cwd, state.run).length;
  const took = await disturb[kind](state);
  const faults = await lossesOf(state);
  if (took === null) faults.push('the page was never right');
  else if (took > rightMilliseconds) faults.push(`right after ${took.toFixed(0)} ms`);
  console.log(`${index} ${kind} at step ${reached}: right after ${took?.toFixed(0)} ms; ${faults.join('; ') || 'nothing lost, nothing doubled'}`);
  return faults.length === 0 ? 1 : 0;
}

/** A page that does not answer is a moment that went wrong, and no end of the others. */
const failed = (index) => (error) => {
  console.log(`${index}: ${error.message.split('\n')[0]}`);
  return 0;
};

if (!chromiumPath) console.log('studio-kill: skipped, since there is no chromium (apt-get install chromium, or name one in CHROMIUM)');
else {
  const cwd = mkdtempSync(join(tmpdir(), 'nomoat-studio-kill-'));
  process.env.NOMOAT_HOME ??= join(cwd, 'home');
  const { child, url } = await startStudio(cwd);
  const { browser, context, page } = await openPage();
  context.setDefaultNavigationTimeout(patience);
  const state = { child, context, cwd, origin: new URL(url).origin, page, run: '' };
  let good = 0;
  try {
    await page.goto(url);
    await page.waitForSelector('.drop');
    writeFileSync(join(cwd, 'parity.csv'), ['prompt,completion', ...Array.from({ length: 40 }, (_, i) => `number ${i},${i % 2 ? 'odd' : 'even'}`)].join('\n'));
    await page.setInputFiles('input[type=file][multiple]', join(cwd, 'parity.csv'));
    await page.waitForSelector('.tokens b');
    const [file] = await page.evaluate(async () => (await (await fetch('/v1/files')).json()).data);
    for (let i = first; i < moments; i++) {
      // A moment that went wrong may have left its page closed.
      if (state.page.isClosed()) state.page = await context.newPage();
      if (!state.page.url().startsWith(state.origin)) await state.page.goto(`${state.origin}/studio/`);
      good += await moment(i, state, file.id).catch(failed(i));
    }
    console.log(`${good} of ${moments - first} moments: nothing lost, nothing doubled, every page right within ${rightMilliseconds} ms`);
    process.exitCode = good === moments - first ? 0 : 1;
  } finally {
    await browser.close();
    state.child.kill();
    rmSync(cwd, { recursive: true, force: true });
  }
}
