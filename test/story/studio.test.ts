/**
 * The studio in chromium, against the built command line and the packaged model: the way of a first-time user from a CSV to an exported model, a run whose
 * server is killed, contents that would do harm. axe-core finds no fault on any page, nothing is wider than a phone, nothing leaves the machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../bench/chromium.mjs';
import { faultsOf, openPage, walk } from '../../bench/studio-pages.mjs';

const repo = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-studio-story-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
}

/** `nomoat studio`, once it says how it is opened. */
async function started(cwd: string, port = '0'): Promise<Started> {
  const child = spawn(process.execPath, [join(repo, 'dist/cli/main.js'), 'studio', '--port', port, '--no-open'], {
    cwd,
    env: { ...process.env, NOMOAT_HOME: join(folder, 'home') },
  });
  children.push(child);
  let said = '';
  child.stdout.on('data', (piece) => (said += String(piece)));
  child.stderr.on('data', (piece) => (said += String(piece)));
  for (;;) {
    const [, url] = /once: (http:\S+)/.exec(said) ?? [];
    if (url !== undefined) return { child, url };
    if (child.exitCode !== null) throw new Error(said);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Compressed, of what a browser loads before the first page can be used. */
const mostScriptBytes = 120e3;

test('the script that is sent first is small, and the map of its sources is there', () => {
  const assets = join(repo, 'dist/studio/assets');
  const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'));
  // The page's own, and what it imports before it runs; other pages come when they are gone to.
  const first = new Set([/assets\/([^"]+\.js)"/.exec(readFileSync(join(assets, '../index.html'), 'utf8'))![1]!]);
  for (const name of first)
    for (const [, other] of readFileSync(join(assets, name), 'utf8').matchAll(/\bfrom\s*"\.\/([^"]+\.js)"/g))
      first.add(other!);
  const bytes = [...first].reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length, 0);
  expect(bytes).toBeGreaterThan(20e3);
  expect(bytes).toBeLessThan(mostScriptBytes);
  for (const name of scripts) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(assets, `${name}.map`), 'utf8')) as {
      readonly sources: readonly string[];
      readonly sourcesContent: readonly string[];
    };
    expect(sources.some((source) => /studio\/|node_modules\/|src\//.test(source))).toBe(true);
    expect(sourcesContent).toHaveLength(sources.length);
  }
});

describe.skipIf(!chromiumPath)('in chromium (skipped where there is none: apt-get install chromium)', () => {
  let opened: Awaited<ReturnType<typeof openPage>>;
  beforeEach(async () => {
    opened = await openPage();
  });
  afterEach(() => opened.browser.close());

  test('from a dropped CSV to an exported model, with no fault on any page', { timeout: 400_000 }, async () => {
    const { child, url } = await started(mkdtempSync(join(folder, 'walk-')));
    const { faults, left, page } = opened;
    const seen: string[] = [];
    // Each page in one look here, in turn; bench/studio-pages.mjs looks at all.
    const looks = ['phone-dark-en', 'desktop-light-en', 'phone-light-zh', 'desktop-dark-zh'];
    await walk(page, url, async (name: string) => {
      seen.push(name);
      if (name !== 'follow')
        faults.push(...(await faultsOf(page, name, { names: [looks[seen.length % looks.length]!] })));
    });
    expect(seen).toEqual([
      'home',
      'pull',
      'tour',
      'data',
      'plan',
      'follow',
      'followed',
      'result',
      'chat',
      'voted',
      'said',
      'table',
      'chats',
      'export',
      'runs',
      'compare',
      'server',
    ]);
    expect(faults).toEqual([]);
    expect(left).toEqual([]);
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

  test('what would do harm is text', { timeout: 120_000 }, async () => {
    const { url } = await started(mkdtempSync(join(folder, 'harm-')));
    const { faults, left, page } = opened;
    await page.goto(url);
    const harm =
      '<img src=x onerror="globalThis.harmed=1"><script>globalThis.harmed=1</script><b>bold</b>\u202Etxt.exe [x](javascript:alert(1)) https://example.org/x.png';
    const rows = [harm, 'x'.repeat(100_000), 'plain'].map((text) => JSON.stringify({ prompt: text, completion: text }));
    await page.setInputFiles('input[type=file][multiple]', {
      name: '"><img src=x onerror=harmed=1>.jsonl',
      mimeType: 'text/plain',
      buffer: Buffer.from(rows.join('\n')),
    });
    await page.waitForSelector('.tokens b');
    await page.waitForSelector('.findings, .notice.good');
    expect(await page.locator('.tokens').nth(1).textContent()).toContain('<script>');
    faults.push(...(await faultsOf(page, 'harm', { names: ['phone-dark-en'] })));
    await page.goto(`${new URL(url).origin}/studio/chat?models=${encodeURIComponent('<img src=x onerror=harmed=1>')}`);
    await page.fill('.composer textarea', harm);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.column .notice.bad');
    expect(await page.locator('.said').textContent()).toContain('<script>');
    expect(await page.evaluate(() => 'harmed' in globalThis)).toBe(false);
    expect([...faults, ...left]).toEqual([]);
  });
});
