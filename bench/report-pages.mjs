/**
 * node bench/report-pages.mjs OUT REPORT.html...: reports in chromium, as people see them. Each on a phone (390 px) and a desktop (1280 px), light
 * and dark, English and Chinese, and on paper: a picture of each in OUT, what axe-core finds, whether a page is wider than its window, and whether
 * it asked for anything. Exit code 1 where something was found.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromiumPath, openChromium } from './chromium.mjs';

const axe = () => readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** A width of a fraction is rounded up. */
const rounding = 1;
const widths = { phone: 390, desktop: 1280 };
const looks = [
  { name: 'phone-light-en', width: widths.phone, scheme: 'light', language: 'en' },
  { name: 'phone-dark-zh', width: widths.phone, scheme: 'dark', language: 'zh-Hans' },
  { name: 'desktop-light-en', width: widths.desktop, scheme: 'light', language: 'en' },
  { name: 'desktop-dark-en', width: widths.desktop, scheme: 'dark', language: 'en' },
  { name: 'desktop-light-zh', width: widths.desktop, scheme: 'light', language: 'zh-Hans' },
  { name: 'paper-en', width: 794, scheme: 'dark', language: 'en', media: 'print' },
];

async function lookAt(browser, { language, media = '', name, scheme, width }, out) {
  const { evaluate, send } = browser;
  await send('Emulation.setDeviceMetricsOverride', { width, height: 844, deviceScaleFactor: 1, mobile: width === widths.phone });
  await send('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] });
  await evaluate(`document.querySelector('[data-speak="${language}"]').click(); new Promise((done) => setTimeout(done, 300))`);
  const { data } = await send('Page.captureScreenshot', { captureBeyondViewport: true, clip: await evaluate('({ x: 0, y: 0, width: innerWidth, height: document.documentElement.scrollHeight, scale: 1 })') });
  writeFileSync(`${out}-${name}.png`, Buffer.from(data, 'base64'));
  const wide = await evaluate('document.documentElement.scrollWidth - innerWidth');
  const { violations } = await evaluate("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => ({ violations: violations.map(({ help, id, nodes }) => ({ id, help, at: nodes.slice(0, 3).map(({ failureSummary, target }) => target.join(' ') + ': ' + failureSummary.split('\\n').slice(1, 3).join(' ')) })) }))");
  return [...violations.map(({ at, help, id }) => `${name}: ${id} (${help}): ${at.join(' | ')}`), ...(wide > rounding ? [`${name}: ${wide} px wider than the window`] : [])];
}

/** What is wrong with a page, in sentences; pictures go to files that begin with `out`. `names` picks looks; without, all. */
export async function faultsOf(path, out, names = looks.map(({ name }) => name)) {
  const browser = await openChromium();
  try {
    const faults = [];
    const requests = [];
    browser.on('Network.requestWillBeSent', ({ request }) => requests.push(request.url));
    browser.on('Runtime.exceptionThrown', ({ exceptionDetails }) => faults.push(`script: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`));
    browser.on('Log.entryAdded', ({ entry }) => faults.push(`${entry.level}: ${entry.text}`));
    for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await browser.send(`${domain}.enable`);
    const address = pathToFileURL(resolve(path)).href;
    const loaded = new Promise((done) => browser.on('Page.loadEventFired', done));
    await browser.send('Page.navigate', { url: address });
    await loaded;
    // The page's policy is for its own scripts; the protocol's are apart from it.
    await browser.evaluate(axe());
    for (const look of looks.filter(({ name }) => names.includes(name))) faults.push(...(await lookAt(browser, look, out)));
    return [...faults, ...requests.filter((url) => url !== address).map((url) => `asked for ${url}`)];
  } finally {
    await browser.close();
  }
}

if (import.meta.filename === resolve(process.argv[1] ?? '')) {
  const [out, ...pages] = process.argv.slice(2);
  if (!out || pages.length === 0) throw new Error('Give a folder for the pictures and at least one report.html.');
  if (!chromiumPath) console.log('report-pages: skipped, since there is no chromium (apt-get install chromium fonts-noto-cjk, or name one in CHROMIUM)');
  mkdirSync(out, { recursive: true });
  let found = 0;
  for (const [i, page] of chromiumPath ? pages.entries() : []) {
    const faults = await faultsOf(page, join(out, `${i + 1}-${basename(page, '.html')}`));
    console.log(`${page}: ${faults.length === 0 ? 'nothing found' : `\n  ${faults.join('\n  ')}`}`);
    found += faults.length;
  }
  process.exitCode = found > 0 ? 1 : 0;
}
