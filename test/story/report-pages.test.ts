/**
 * Reports in chromium, as people see them: on a phone, a desktop and paper, light and dark, in both languages (bench/report-pages.mjs). axe-core finds
 * no fault, nothing is wider than its window, nothing is asked for, no script fails, and what a data set wrote does not run.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { chromiumPath, openChromium } from '../../bench/chromium.mjs';
import { faultsOf } from '../../bench/report-pages.mjs';
import { renderPage } from '../../src/report/page.ts';
import { renderReport } from '../../src/run/report.ts';
import {
  fullEvaluation,
  labelEvaluation,
  madeUpdates,
  reportedRun,
  runEvents,
  textEvaluation,
} from '../made-reports.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-pages-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const evaluation = {
  run: null,
  events: [],
  updates: null,
  repeat: { command: 'nomoat eval x', recipe: null },
  evaluate: null,
  version: '0.0.0',
};
const pages: Readonly<Record<string, () => Promise<string>>> = {
  'an evaluated run': async () =>
    renderReport(reportedRun(), runEvents(), { evaluation: await fullEvaluation(), updates: madeUpdates }),
  'a run without an evaluation': async () => renderReport(reportedRun(), runEvents()),
  'a diverged run': async () => renderReport(reportedRun('diverged'), runEvents('diverged')),
  'an evaluation of texts': async () => renderPage({ ...evaluation, evaluation: await textEvaluation() }),
};

/** The narrow and the wide, the light and the dark, both languages: the script looks at more. */
const looks = ['phone-dark-zh', 'desktop-light-en'];

describe.skipIf(!chromiumPath)('in chromium (skipped where there is none: apt-get install chromium)', () => {
  test.each(Object.entries(pages))('%s', { timeout: 120_000 }, async (name, page) => {
    const path = join(folder, `${name}.html`);
    writeFileSync(path, await page());
    expect(await faultsOf(path, join(folder, name), looks)).toEqual([]);
  });

  test('faults are found where there are some', { timeout: 120_000 }, async () => {
    const path = join(folder, 'faulty.html');
    const page = renderReport(reportedRun(), runEvents());
    writeFileSync(
      path,
      page.replace('<main>', '<main><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><p><a href="x"></a></p>'),
    );
    const faults = (await faultsOf(path, join(folder, 'faulty'), looks.slice(0, 1))).join('\n');
    expect(faults).toMatch(/image-alt/);
    expect(faults).toMatch(/link-name/);
    expect(faults).toMatch(/Content Security Policy/);
  });

  test('its switches, filters and plots work', { timeout: 120_000 }, async () => {
    const path = join(folder, 'used.html');
    writeFileSync(
      path,
      renderReport(reportedRun(), runEvents(), { evaluation: await labelEvaluation(), updates: madeUpdates }),
    );
    const browser = await openChromium();
    try {
      const loaded = new Promise<void>((done) => browser.on('Page.loadEventFired', () => done()));
      await browser.send('Page.enable');
      await browser.send('Page.navigate', { url: `file://${path}` });
      await loaded;
      const shown = (query: string): Promise<unknown> =>
        browser.evaluate(`[...document.querySelectorAll('${query}')].filter((e) => e.offsetParent !== null).length`);
      expect(await shown('.uplot canvas')).toBe(3);
      expect(await shown('.example')).toBe(20);
      await browser.evaluate(`document.querySelector('[data-show=lost]').click()`);
      expect(await shown('.example')).toBe(1);
      expect([await shown('h2 .en'), await shown('h2 .zh')]).toEqual([6, 0]);
      await browser.evaluate(`document.querySelector('[data-speak=zh-Hans]').click()`);
      expect([await shown('h2 .en'), await shown('h2 .zh')]).toEqual([0, 6]);
      expect(await browser.evaluate('document.title')).toBe('微调 SmolLM2-135M-Instruct');
      const ground = 'getComputedStyle(document.body).backgroundColor';
      await browser.evaluate(`document.querySelector('[data-paint=light]').click()`);
      const light = await browser.evaluate(ground);
      await browser.evaluate(`document.querySelector('[data-paint=dark]').click()`);
      expect(await browser.evaluate(ground)).not.toBe(light);
      // The values at the pointer.
      await browser.evaluate(
        `(() => { const over = document.querySelector('.u-over'); const { left, top, width } = over.getBoundingClientRect(); over.dispatchEvent(new MouseEvent('mousemove', { clientX: left + width / 2, clientY: top + 10, bubbles: true })); return new Promise((done) => setTimeout(done, 100)); })()`,
      );
      expect(await browser.evaluate(`document.querySelector('.u-legend .u-value').textContent`)).toBe('100');
    } finally {
      await browser.close();
    }
  });
});
