/**
 * node bench/studio-pages.mjs OUT: the studio in chromium, as a first-time user goes through it with the packaged model, with a picture of each page in
 * OUT: on a phone (360 px) and a desktop, light and dark, English and Chinese. What axe-core finds, pages that are wider than their window and
 * requests that leave the machine are told; exit code 1 where there are some. The test of the studio walks with the same functions.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { chromiumPath } from './chromium.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const patience = 150_000;
/** A width of a fraction is rounded up. */
const rounding = 1;
const looks = [
  { name: 'desktop-light-en', width: 1280, height: 900, theme: 'light', language: 'en' },
  { name: 'desktop-dark-zh', width: 1280, height: 900, theme: 'dark', language: 'zh-Hans' },
  { name: 'phone-light-zh', width: 360, height: 740, theme: 'light', language: 'zh-Hans' },
  { name: 'phone-dark-en', width: 360, height: 740, theme: 'dark', language: 'en' },
];
export const lookNames = looks.map(({ name }) => name);

/** A browser with a page, and what it asked for elsewhere or failed at. */
export async function openPage() {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  // Beside other work runs wait.
  page.setDefaultTimeout(patience);
  const faults = [];
  const left = [];
  context.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (!['data:', 'blob:'].includes(protocol) && hostname !== '127.0.0.1') left.push(request.url());
  });
  page.on('pageerror', (error) => faults.push(`script: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  return { browser, context, page, faults, left };
}

/** What is wrong with the page as it stands, in sentences; pictures where `out` is given. */
export async function faultsOf(page, name, { out = null, names = lookNames } = {}) {
  const faults = [];
  const before = page.viewportSize();
  for (const look of looks.filter((each) => names.includes(each.name))) {
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.click(`[data-speak="${look.language}"]`);
    await page.click(`[data-paint="${look.theme}"]`);
    await page.mouse.move(0, 0);
    await page.waitForTimeout(80);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > rounding) faults.push(`${name} ${look.name}: ${wide} px wider than the window`);
    if (out) await page.screenshot({ path: join(out, `${name}-${look.name}.png`), fullPage: true });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    for (const { help, id, nodes } of violations) faults.push(`${name} ${look.name}: ${id} (${help}): ${nodes.slice(0, 3).map(({ failureSummary, target }) => `${target.join(' ')}: ${failureSummary.split('\n').slice(1, 3).join(' ')}`).join(' | ')}`);
  }
  await page.setViewportSize(before);
  await page.click('[data-speak="en"]');
  return faults;
}

const rows = ['prompt,completion', ...Array.from({ length: 90 }, (_, i) => `number ${i},${i % 2 ? 'odd' : 'even'}`), '"",', 'write to anna.schmidt@example.org,even', 'number 3,odd', 'number 4,odd'];
export const csv = rows.join('\n');

/** The tour to its end: the tuned model says in one word what the base did not. Resolves with both answers. */
async function takeTour(page, origin, at) {
  await page.goto(`${origin}/studio/tour?step=data`);
  await page.getByRole('button', { name: 'Take examples' }).click();
  await page.waitForSelector('.tokens b');
  await at('tour-data');
  await page.getByRole('button', { name: 'Train on them' }).click();
  await page.waitForSelector('.uplot');
  await at('tour-train');
  await page.getByRole('button', { name: 'Ask it again' }).click();
  await page.getByRole('button', { name: 'Ask it' }).click();
  await page.waitForSelector('.column:not([aria-busy=true]) .markdown p >> nth=1');
  await at('tour-again');
  return page.locator('.column .markdown').allTextContents();
}

/** In a chat of two models: a vote, a better answer, and the data that becomes of it; data by hand. */
async function sayWhatIsThought(page, at) {
  const { origin } = new URL(page.url());
  await page.locator('fieldset.votes button').first().click();
  await page.getByRole('button', { name: 'Better answer' }).first().click();
  await page.fill('.better textarea', 'odd!');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.waitForSelector('.better-said');
  await page.waitForSelector('#votes-title');
  // What was said is there again, from the server.
  await page.reload();
  await page.waitForSelector('.better-said');
  await at('voted');
  await page.click('.to-data a');
  await page.getByRole('button', { name: 'Make the data set' }).click();
  await page.waitForSelector('.notice.good');
  await at('said');
  for (const [name, place] of [['table', '.written'], ['chats', '.messages']]) {
    await page.goto(`${origin}/studio/make?as=${name}`);
    await page.locator(`${place} textarea`).nth(0).fill('<b>two</b>');
    await page.locator(`${place} textarea`).nth(1).fill('even');
    await at(name);
  }
  await page.getByRole('button', { name: 'Use it' }).click();
  await page.waitForSelector('.tokens b');
}

/** The way of a first-time user; `at` is called on each page by its name. Resolves with the run's name. */
export async function walk(page, url, at, { epochs = '1' } = {}) {
  await page.goto(url);
  await page.waitForSelector('.drop');
  await at('home');
  await page.goto(`${new URL(url).origin}/studio/pull`);
  await page.waitForSelector('.model');
  await at('pull');
  await page.goto(`${new URL(url).origin}/studio/tour`);
  await page.getByRole('button', { name: 'Ask it' }).click();
  await page.waitForSelector('.column .markdown p');
  await at('tour');
  await page.goto(`${new URL(url).origin}/studio/`);
  await page.waitForSelector('.drop');
  await page.setInputFiles('input[type=file][multiple]', { name: 'parity.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.waitForSelector('.tokens b');
  await page.waitForSelector('.findings, .notice.good');
  await at('data');
  await page.click('.next a.button.first');
  await page.getByLabel('Passes over the data').fill(epochs);
  await page.getByLabel('Name of the run').fill('parity');
  await page.getByRole('button', { name: 'Plan it' }).click();
  await page.waitForSelector('.plans .plan');
  await at('plan');
  await page.getByRole('button', { name: 'Start: As asked' }).click();
  await page.waitForURL(/\/studio\/runs\/[^/?]+$/);
  await page.waitForSelector('.uplot');
  await at('follow');
  const run = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1));
  await page.waitForSelector('a[href$="/result"].button');
  await at('followed');
  await page.click('a[href$="/result"].button');
  await page.waitForSelector('.verdict');
  await at('result');
  await page.click('a.button[href*="/chat?"]');
  await page.waitForSelector('.models select >> nth=1');
  await page.fill('.composer textarea', 'number 7');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.turn');
  await page.waitForSelector('.composer button[type=submit]');
  await at('chat');
  await sayWhatIsThought(page, at);
  await page.goto(`${new URL(url).origin}/studio/runs/${encodeURIComponent(run)}/export`);
  await page.waitForSelector('.choices');
  await page.click('.next button');
  await page.waitForSelector('.notice.good');
  await at('export');
  for (const [name, path] of [['runs', 'runs'], ['compare', `compare?runs=${encodeURIComponent(run)}`], ['server', 'server']]) {
    await page.goto(`${new URL(url).origin}/studio/${path}`);
    await page.waitForSelector('table');
    await at(name);
  }
  return run;
}

/** Looks inside a run and passes it on, where there are two runs on one base; `at` is called on each page by its name. */
export async function walkOn(page, origin, run, at) {
  const press = (name) => page.getByRole('button', { name, exact: true }).click();
  const open = (path) => page.goto(`${origin}/studio/${path}`);
  await open(`runs/${encodeURIComponent(run)}/inside`);
  await page.waitForSelector('.heat-map');
  await page.waitForSelector('.tree');
  await page.getByRole('button', { name: 'Compare', exact: true }).first().click();
  await page.waitForSelector('.example .token');
  await page.getByLabel('What was asked').first().fill('number 7');
  await page.getByLabel('What it said').fill('odd');
  await page.getByLabel('Seconds for gradients').fill('5');
  await press('Find rows');
  await page.waitForSelector('.sources li');
  await press('Check that all of it is there');
  await page.waitForSelector('table caption:text("What was checked")', { state: 'attached' });
  await at('inside');
  await open('combine');
  for (const i of [0, 1]) await page.locator('.adapters input[type=checkbox]').nth(i).click();
  await page.getByLabel('Name of the result').fill('both');
  await press('Merge');
  await page.waitForSelector('text=What became of it');
  await at('combine');
  await open(`runs/${encodeURIComponent(run)}/export`);
  await page.getByText('A new key').click();
  await page.getByLabel('Name of the key').fill('walker');
  await press('Make the key');
  await page.waitForSelector('details .notice.good');
  await page.getByLabel('License of the base').first().fill('apache-2.0');
  await page.getByLabel('Name in the folder of exports').fill('bundle');
  await press('Pack');
  await page.waitForSelector('text=Packed:');
  await page.getByLabel('To', { exact: true }).fill('./shared/org/parity');
  await page.getByLabel('License of the base').last().fill('apache-2.0');
  await page.getByLabel('Base on the hub').last().fill('nomoat/nomoat-mini');
  await press('Push it');
  await page.waitForSelector('text=It is there now:');
  await at('share');
  await open('made');
  await page.getByLabel('Public key').fill('walker');
  await press('Verify');
  await page.waitForSelector('.notice.good');
  await at('made');
  await open('server');
  await page.getByLabel('Name', { exact: true }).fill('program');
  await press('Make a key');
  await page.waitForSelector('.notice.good');
  await at('keys');
}

/**
 * Opens the library's studio over a folder that is not kept, and a page of chromium; calls `use` with `{ folder, running }` and what `openPage` gives, and closes
 * all. `prepare` makes what is there before it opens. Where there is no chromium, says which of Debian's `packages` have one, and does nothing.
 */
export async function withStudio(name, use, { packages = 'chromium', prepare = () => {} } = {}) {
  if (!chromiumPath) return console.log(`${name}: skipped, since there is no chromium (apt-get install ${packages}, or name one in CHROMIUM)`);
  const folder = mkdtempSync(join(tmpdir(), `nomoat-${name}-`));
  process.env.NOMOAT_HOME ??= join(folder, 'home');
  const { studio } = await import('../dist/index.js');
  await prepare(folder);
  const running = await studio({ port: 0, runs: join(folder, 'runs') });
  const opened = await openPage();
  try {
    await use({ folder, running }, opened);
  } finally {
    await opened.browser.close();
    await running.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.filename === resolve(process.argv[1] ?? '')) {
  const [out] = process.argv.slice(2);
  if (!out) throw new Error('Give a folder for the pictures.');
  const take = async ({ folder, running }, { faults, left, page }) => {
    mkdirSync(out, { recursive: true });
    const began = performance.now();
    try {
      const at = async (name) => faults.push(...(await faultsOf(page, name, { out })));
      const run = await walk(page, running.openUrl, at, { epochs: '4' });
      const touring = performance.now();
      const [tuned, base] = await takeTour(page, running.url, at);
      console.log(`the tour: ${((performance.now() - touring) / 1000).toFixed(0)} s with its pictures; "${tuned}" where the base says "${base}"`);
      if (tuned !== 'PlayMusic') faults.push(`the tour ends with "${tuned}"`);
      cpSync(join(folder, 'runs', run), join(folder, 'runs', 'second'), { recursive: true });
      await walkOn(page, running.url, run, at);
    } catch (error) {
      await page.screenshot({ path: join(out, 'failed.png'), fullPage: true });
      faults.push(String(error));
    }
    const all = [...faults, ...left.map((address) => `asked for ${address}`)];
    console.log(`${((performance.now() - began) / 1000).toFixed(0)} s; ${all.length === 0 ? 'nothing found' : `found:\n  ${all.join('\n  ')}`}`);
    process.exitCode = all.length > 0 ? 1 : 0;
  };
  await withStudio('studio-pages', take, { packages: 'chromium fonts-noto-cjk' });
}
