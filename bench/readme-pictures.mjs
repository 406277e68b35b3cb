/**
 * node bench/readme-pictures.mjs [OUT]: the two pictures of the studio that the README has, into docs/images unless said: a run of the packaged model on
 * examples/intents as it is followed, and whether it worked. Needs chromium and `npm run build`; exit code 1 where a picture is larger than it should be.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { withStudio } from './studio-pages.mjs';

const repo = join(import.meta.dirname, '..');
const [out = join(repo, 'docs/images')] = process.argv.slice(2);
/** Of each picture: a README is read over slow lines too. */
const mostBytes = 150e3;
const size = { width: 1100, height: 760 };

/** Starts the run of the pictures as the plan's page does; resolves with its name. */
async function startRun(page) {
  await page.setInputFiles('input[type=file][multiple]', join(repo, 'examples/intents/train.jsonl'));
  await page.waitForSelector('.tokens b');
  return page.evaluate(async () => {
    const [file] = (await (await fetch('/v1/files')).json()).data;
    const settings = { epochs: 5, validation: 0.15, validateEvery: 20, sampleShare: 0.1, safetyShare: 0 };
    const body = JSON.stringify({ data: [file.id], model: 'nomoat-mini', name: 'intents', settings });
    const answer = await fetch('/studio/v1/runs', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    return (await answer.json()).run;
  });
}

async function take(page, name) {
  const path = join(out, name);
  await page.evaluate(() => document.activeElement?.blur());
  await page.screenshot({ path });
  const { size: bytes } = statSync(path);
  console.log(`${path}: ${(bytes / 1e3).toFixed(0)} kB`);
  if (bytes > mostBytes) process.exitCode = 1;
}

await withStudio('readme-pictures', async ({ running }, { page }) => {
  await page.setViewportSize(size);
  await page.goto(running.openUrl);
  await page.waitForSelector('.drop');
  await page.click('[data-paint=light]');
  const run = await startRun(page);
  await page.goto(`${running.url}/studio/runs/${run}`);
  await page.waitForSelector('.progress');
  // In the middle of it, with answers that have come on the way.
  await page.waitForSelector('#on-the-way-title');
  await take(page, 'studio-follow.png');
  await page.waitForSelector('a[href$="/result"].button');
  await page.click('a[href$="/result"].button');
  await page.waitForSelector('.verdict');
  await take(page, 'studio-result.png');
});
