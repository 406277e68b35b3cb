/**
 * The studio in chromium, against the built command line and the packaged model: the way of a first-time user from a CSV to an exported model, a run whose
 * server is killed. axe-core finds no fault on any page, nothing is wider than a phone, nothing leaves the machine.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../bench/chromium.mjs';
import { faultsOf, openPage, walk, walkOn } from '../../bench/studio-pages.mjs';
import { endStudios, startStudio } from './start-studio.ts';

const repo = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-studio-story-'));
afterAll(() => {
  endStudios();
  rmSync(folder, { recursive: true, force: true });
});

const started = (cwd: string, port?: string) => startStudio(cwd, join(folder, 'home'), port);

/** Compressed, of what a browser loads before the first page can be used. */
const mostScriptBytes = 120e3;

const assets = join(repo, 'dist/studio/assets');
const textOf = (name: string): string => readFileSync(join(assets, name), 'utf8');

/** The scripts that a page loads before it can be used: that of the page, and what it imports at once. */
function firstScripts(): Set<string> {
  const page = readFileSync(join(repo, 'dist/studio/index.html'), 'utf8');
  const found = new Set([...page.matchAll(/assets\/([\w-]+\.js)/g)].map(([, name]) => name!));
  for (const name of found)
    for (const [, other] of textOf(name).matchAll(/(?:from|import)\s*"\.\/([\w-]+\.js)"/g)) found.add(other!);
  return found;
}

test('the script that is sent first is small, and the maps of all sources are there', () => {
  const first = firstScripts();
  const bytes = [...first].reduce((sum, name) => sum + gzipSync(textOf(name)).length, 0);
  expect(bytes).toBeGreaterThan(20e3);
  expect(bytes).toBeLessThan(mostScriptBytes);
  const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(first.size);
  const maps = scripts.map(
    (name) =>
      JSON.parse(textOf(`${name}.map`)) as {
        readonly sources: readonly string[];
        readonly sourcesContent: readonly string[];
      },
  );
  for (const page of ['main', 'inside', 'server'])
    expect(maps.some(({ sources }) => sources.some((source) => source.endsWith(`${page}.tsx`)))).toBe(true);
  for (const { sources, sourcesContent } of maps) expect(sourcesContent).toHaveLength(sources.length);
});

describe.skipIf(!chromiumPath)('in chromium (skipped where there is none: apt-get install chromium)', () => {
  let opened: Awaited<ReturnType<typeof openPage>>;
  beforeEach(async () => {
    opened = await openPage();
  });
  afterEach(() => opened.browser.close());

  test('from a dropped CSV to an exported model, with no fault on any page', { timeout: 400_000 }, async () => {
    const cwd = mkdtempSync(join(folder, 'walk-'));
    const { child, url } = await started(cwd);
    const { faults, left, page } = opened;
    const seen: string[] = [];
    // Each page in one look here, in turn; bench/studio-pages.mjs looks at all.
    const looks = ['phone-dark-en', 'desktop-light-en', 'phone-light-zh', 'desktop-dark-zh'];
    const at = async (name: string): Promise<void> => {
      seen.push(name);
      if (name !== 'follow')
        faults.push(...(await faultsOf(page, name, { names: [looks[seen.length % looks.length]!] })));
    };
    const run = await walk(page, url, at);
    cpSync(join(cwd, 'runs', run), join(cwd, 'runs', 'second'), { recursive: true });
    await walkOn(page, new URL(url).origin, run, at);
    expect(seen.join(' ')).toBe(
      'home pull tour data plan follow followed result chat voted said table chats export runs compare server inside combine share made keys',
    );
    expect(existsSync(join(cwd, 'shared/org/parity/adapter_model.safetensors'))).toBe(true);
    expect(faults).toEqual([]);
    expect(left).toEqual([]);
    child.kill();
  });

  test('of much data the first rows are shown at once, and all are counted when they are read', async () => {
    const { child, url } = await started(mkdtempSync(join(folder, 'much-')));
    const { page } = opened;
    await page.goto(url);
    const lines = Array.from({ length: 1500 }, (_, i) => `number ${i},${i % 2 ? 'odd' : 'even'}`);
    await page.setInputFiles('input[type=file][multiple]', {
      name: 'much.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(['prompt,completion', ...lines].join('\n')),
    });
    const note = page.getByText('Only the first 1000 of 1500 examples were looked at.');
    await note.waitFor();
    expect(await page.locator('.tokens b').count()).toBeGreaterThan(0);
    expect(await page.locator('.tiles').textContent()).toContain('1,000');
    await note.waitFor({ state: 'detached' });
    expect(await page.locator('.tiles').textContent()).toContain('1,500');
    child.kill();
  });

  test('a server that is killed and started again goes on, and the page with it', { timeout: 400_000 }, async () => {
    const cwd = mkdtempSync(join(folder, 'killed-'));
    const first = await started(cwd);
    const { page } = opened;
    await page.goto(first.url);
    const csv = [
      'prompt,completion',
      ...Array.from({ length: 200 }, (_, i) => `number ${i},${i % 2 ? 'odd' : 'even'}`),
    ];
    await page.setInputFiles('input[type=file][multiple]', {
      name: 'long.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(csv.join('\n')),
    });
    await page.waitForSelector('.tokens b');
    const [file] = await page.evaluate(
      async () => ((await (await fetch('/v1/files')).json()) as { data: { id: string }[] }).data,
    );
    const { run } = await page.evaluate(
      async (id) =>
        (await (
          await fetch('/studio/v1/runs', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({
              data: [id],
              model: 'nomoat-mini',
              settings: { maxSteps: 40, checkpointEvery: 5, validation: 0.1, verdictShare: 0 },
            }),
          })
        ).json()) as { run: string },
      file!.id,
    );
    const { origin, port } = new URL(first.url);
    await page.goto(`${origin}/studio/runs/${run}`);
    await page.waitForSelector('.uplot');
    const checkpoints = join(cwd, 'runs', run, 'checkpoints');
    while (!existsSync(checkpoints) || readdirSync(checkpoints).length === 0) await page.waitForTimeout(50);
    first.child.kill('SIGKILL');
    // The page says so where the reader is, and keeps what it has.
    await page.waitForSelector('.notice.bad');
    expect(await page.locator('.uplot').count()).toBeGreaterThan(0);
    await started(cwd, port);
    await page.waitForSelector('.notice.bad', { state: 'detached' });
    await page.waitForSelector('a[href$="/result"].button');
    // Each step once, in order, in the log that the page read.
    const steps = await page.evaluate(
      async (name) =>
        (
          (await (await fetch(`/studio/v1/runs/${name}/events`)).json()) as { events: { type: string; step: number }[] }
        ).events
          .filter(({ type }) => type === 'step-end')
          .map(({ step }) => step),
      run,
    );
    expect(steps).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(await page.locator('.progress').textContent()).toContain('Step 40 of 40');
  });
});
