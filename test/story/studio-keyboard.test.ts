/**
 * The studio by keyboard alone: on every page each thing that can be used is reached by the tabulator key, in a place that is seen, with a mark around it
 * that is seen; and from a first file to an answer that is marked nothing needs a pointer.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../bench/chromium.mjs';
import { openPage } from '../../bench/studio-pages.mjs';
import { endStudios, startStudio, tuneBuilt } from './start-studio.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-studio-keyboard-'));
afterAll(() => {
  endStudios();
  rmSync(folder, { recursive: true, force: true });
});

/** More than any page has. */
const mostStops = 600;

interface Stop {
  readonly name: string;
  readonly isSeen: boolean;
  readonly isMarked: boolean;
}

/** What has the focus now: null where nothing of the page has. */
const stopNow = (page: Page): Promise<Stop | null> =>
  page.evaluate(async () => {
    const element = document.activeElement as HTMLElement | null;
    if (!element || element === document.body) return null;
    element.dataset['reached'] = 'yes';
    const isSeen = (): boolean => {
      const { height, left, top, width } = element.getBoundingClientRect();
      return width > 0 && height > 0 && top < innerHeight && top + height > 0 && left < innerWidth && left + width > 0;
    };
    // What has the focus is scrolled to, smoothly.
    for (let frame = 0; frame < 120 && !isSeen(); frame++)
      await new Promise((resolve) => requestAnimationFrame(resolve));
    const styles = getComputedStyle(element);
    const isMarked = styles.outlineStyle !== 'none' && Number.parseFloat(styles.outlineWidth) > 0;
    return {
      name: `${element.tagName.toLowerCase()} ${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 60)}`,
      isSeen: isSeen(),
      isMarked: isMarked || styles.boxShadow !== 'none',
    };
  });

/** Goes through the page by tabulator keys; resolves with what is wrong with the way, in sentences. */
async function faultsOfWay(page: Page, name: string): Promise<string[]> {
  await page.evaluate(() => {
    // From the beginning of the page, wherever the focus was.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
    scrollTo(0, 0);
  });
  const faults: string[] = [];
  let stops = 0;
  for (; stops < mostStops; stops++) {
    await page.keyboard.press('Tab');
    const stop = await stopNow(page);
    if (stop === null) break;
    if (!stop.isSeen) faults.push(`${name}: ${stop.name} has the focus and is not seen`);
    if (!stop.isMarked) faults.push(`${name}: ${stop.name} has the focus and no mark`);
  }
  if (stops < 8 || stops === mostStops) faults.push(`${name}: ${stops} stops`);
  const missed = await page.evaluate(() => {
    const all = document.querySelectorAll<HTMLElement>(
      'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex="0"]',
    );
    return (
      [...all]
        .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.dataset['reached'])
        // Of a group of radio buttons one is reached, and arrows go to the others.
        .filter((each) => !(each instanceof HTMLInputElement && each.type === 'radio' && !each.checked))
        .map(
          (each) =>
            `${each.tagName} ${(each.getAttribute('aria-label') ?? each.textContent ?? '').trim().slice(0, 60)}`,
        )
    );
  });
  return [...faults, ...missed.map((each) => `${name}: ${each} is not reached`)];
}

/** Goes on by tabulator keys until what is named has the focus. */
async function reach(page: Page, name: string | RegExp): Promise<void> {
  for (let i = 0; i < mostStops; i++) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      const labels = element?.labels ? [...element.labels].map((label) => label.textContent ?? '') : [];
      return [element?.getAttribute('aria-label') ?? '', element?.textContent ?? '', ...labels].map((each) =>
        each.trim(),
      );
    });
    if (now.some((each) => (typeof name === 'string' ? each === name : name.test(each)))) return;
  }
  throw new Error(`${name} is not reached by the tabulator key`);
}

const press = async (page: Page, name: string | RegExp, key = 'Enter'): Promise<void> => {
  await reach(page, name);
  await page.keyboard.press(key);
};

describe.skipIf(!chromiumPath)('in chromium (skipped where there is none: apt-get install chromium)', () => {
  let opened: Awaited<ReturnType<typeof openPage>>;
  beforeEach(async () => {
    opened = await openPage();
  });
  afterEach(() => opened.browser.close());

  test('from data to a marked answer, and every page on the way', { timeout: 400_000 }, async () => {
    const cwd = mkdtempSync(join(folder, 'walk-'));
    const { url } = await startStudio(cwd, join(folder, 'home'));
    const { origin } = new URL(url);
    const { faults, page } = opened;
    const look = async (name: string): Promise<void> => void faults.push(...(await faultsOfWay(page, name)));
    await page.goto(url);
    await page.waitForSelector('.drop');
    await look('home');
    await press(page, /^Try an example: answers in capitals/);
    await page.waitForSelector('.tokens b');
    await page.waitForSelector('.findings, .notice.good');
    await look('data');
    await press(page, 'Choose a model and see what it takes');
    await reach(page, 'Passes over the data');
    await page.keyboard.type('1');
    await reach(page, 'Name of the run');
    await page.keyboard.type('keys');
    await press(page, 'Plan it');
    await page.waitForSelector('.plans .plan');
    await look('plan');
    await press(page, 'Start: As asked');
    await page.waitForURL(/\/studio\/runs\/[^/?]+$/);
    const run = new URL(page.url()).pathname.split('/').at(-1)!;
    await page.waitForSelector('a[href$="/result"].button');
    await look('followed');
    await press(page, 'See whether it worked');
    await page.waitForSelector('.verdict');
    await look('result');
    await press(page, /^Talk to it/);
    await page.waitForSelector('.models select >> nth=1');
    await reach(page, 'Write a message');
    await page.keyboard.type('red');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.turn');
    await page.waitForSelector('.composer button[type=submit]');
    await look('chat');
    await press(page, /^✓?\s*Good$/);
    await page.waitForSelector('.marks [aria-pressed=true]');
    cpSync(join(cwd, 'runs', run), join(cwd, 'runs', 'second'), { recursive: true });
    const others: readonly (readonly [path: string, shown: string])[] = [
      ['pull', '.model'],
      ['tour', 'button'],
      ['make?as=table', '.written textarea'],
      ['make?as=chats', '.messages textarea'],
      ['make?as=said', '.list'],
      [`runs/${run}/inside`, '.heat-map'],
      [`runs/${run}/export`, '.choices'],
      [`compare?runs=${run},second`, 'table'],
      ['made', 'h1'],
      ['server', 'table'],
    ];
    for (const [path, shown] of others) {
      await page.goto(`${origin}/studio/${path}`);
      await page.waitForSelector(shown);
      await page.waitForTimeout(300);
      await look(path);
    }
    expect(faults).toEqual([]);
  });

  test('boxes, sliders, choices and forms are used by keys', { timeout: 400_000 }, async () => {
    const cwd = mkdtempSync(join(folder, 'forms-'));
    const { url } = await startStudio(cwd, join(folder, 'home'));
    const { origin } = new URL(url);
    const { page } = opened;
    await page.goto(url);
    await page.waitForSelector('.drop');
    const data = join(import.meta.dirname, '../../examples/colours.jsonl');
    await tuneBuilt({
      model: 'nomoat-mini',
      data,
      run: join(cwd, 'runs/one'),
      maxSteps: 2,
      safetyShare: 0,
      verdictShare: 0,
    });
    cpSync(join(cwd, 'runs/one'), join(cwd, 'runs/two'), { recursive: true });
    await page.goto(`${origin}/studio/runs`);
    await page.waitForSelector('table.runs tbody tr >> nth=1');
    await press(page, 'Choose one', 'Space');
    await press(page, /^Choose two/, 'Space');
    await press(page, 'On one chart');
    await page.waitForSelector('table.compared');
    await page.goto(`${origin}/studio/combine`);
    await page.waitForSelector('.adapters');
    for (const name of [/one/, /two/]) await press(page, name, 'Space');
    await page.waitForSelector('.slider >> nth=1');
    const before = await page.locator('.slider output').last().textContent();
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.slider output').last().textContent()).not.toBe(before);
    await page.goto(`${origin}/studio/runs/one/export`);
    await page.waitForSelector('.choices');
    await page.locator('.choices input:checked').focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('.choices input:checked').getAttribute('value')).toBe('peft');
    await page.goto(`${origin}/studio/server`);
    await page.waitForSelector('table');
    await reach(page, 'Name');
    await page.keyboard.type('program');
    await press(page, 'Make a key');
    await page.waitForSelector('.notice.good');
    await press(page, 'Take away program');
    await press(page, 'Take it away');
    await page.waitForSelector('text=No program has a key yet.');
  });
});
