/**
 * Contents that would do harm, on every page of the studio that shows them: markup, scripts, texts that turn their direction, lines of 10 MB, in data,
 * answers, names and what a run and an adapter say of themselves. All of it is text: nothing runs, nothing is asked for, nothing breaks the page.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../bench/chromium.mjs';
import { csv, faultsOf, openPage } from '../../bench/studio-pages.mjs';
import { endStudios, startStudio, tuneBuilt } from './start-studio.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-studio-hostile-'));
afterAll(() => {
  endStudios();
  rmSync(folder, { recursive: true, force: true });
});

const harm =
  '<img src=x onerror="globalThis.harmed=1"><script>globalThis.harmed=1</script><b>bold</b>\u202Etxt.exe \u0000 [x](javascript:alert(1)) ![x](https://example.org/x.png) <iframe src=https://example.org></iframe>';
/** One line, as long as no line is. */
const longLine = 'x'.repeat(10_000_000);
const longWord = `${harm} ${longLine}`;
/** What a folder may be called. */
const runName = '"><img src=x onerror=harmed=1>\u202Egnp';

/** A run whose log, record, report and lineage say what would do harm. */
async function hostileRun(cwd: string): Promise<void> {
  const data = join(cwd, 'data.csv');
  writeFileSync(data, csv);
  const first = join(cwd, 'runs', 'first');
  await tuneBuilt({ model: 'nomoat-mini', data, run: first, maxSteps: 2, validation: 0.1, safetyShare: 0 });
  const run = join(cwd, 'runs', runName);
  cpSync(first, run, { recursive: true });
  const log = join(run, 'events.jsonl');
  const events = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const said = [
    ...events.slice(0, -1),
    { type: 'notice', code: 'data', message: harm },
    { type: 'training-sample', step: 1, prompt: harm, expected: longWord, answer: longWord },
    { type: 'sample', prompt: longWord, expected: harm, before: harm, after: longWord },
    events.at(-1),
  ];
  writeFileSync(log, said.map((event) => `${JSON.stringify(event)}\n`).join(''));
  // Every text of the report and the lineage that is no digest, name of a file or kind.
  const poisoned = (text: string): string =>
    text.replace(
      /"(prompt|expected|text|name|verdict|message|source)":\s*"[^"]*"/g,
      (_, key: string) => `"${key}": ${JSON.stringify(harm)}`,
    );
  for (const file of ['report.json', 'adapter/nomoat.json', 'adapter/README.md']) {
    const path = join(run, file);
    if (existsSync(path)) writeFileSync(path, file.endsWith('.md') ? harm : poisoned(readFileSync(path, 'utf8')));
  }
}

describe.skipIf(!chromiumPath)('in chromium (skipped where there is none: apt-get install chromium)', () => {
  let opened: Awaited<ReturnType<typeof openPage>>;
  beforeEach(async () => {
    opened = await openPage();
  });
  afterEach(() => opened.browser.close());

  /** Nothing of it ran, became an element of its own or widened the page. */
  async function assertHarmless(name: string): Promise<void> {
    const { faults, left, page } = opened;
    faults.push(...(await faultsOf(page, name, { names: ['phone-dark-en'] })));
    expect(await page.evaluate(() => 'harmed' in globalThis), name).toBe(false);
    expect(await page.locator('main img, main script, main iframe:not([sandbox])').count(), name).toBe(0);
    expect(await page.evaluate(() => document.title), name).not.toBe('');
    expect([...faults, ...left], name).toEqual([]);
  }

  test('in data, with lines of 10 MB', { timeout: 240_000 }, async () => {
    const { url } = await startStudio(mkdtempSync(join(folder, 'data-')), join(folder, 'home'));
    const { page } = opened;
    await page.goto(url);
    const rows = [harm, 'x'.repeat(100_000), 'plain', longLine].map((text) =>
      JSON.stringify({ prompt: text, completion: text.slice(0, 1000) }),
    );
    await page.setInputFiles('input[type=file][multiple]', {
      name: '"><img src=x onerror=harmed=1>.jsonl',
      mimeType: 'text/plain',
      buffer: Buffer.from(rows.join('\n')),
    });
    await page.waitForSelector('.tokens b');
    await page.waitForSelector('.findings, .notice.good');
    expect(await page.locator('.tokens').nth(1).textContent()).toContain('<script>');
    await assertHarmless('data');
    await page.goto(`${new URL(url).origin}/studio/`);
    await page.waitForSelector('.list');
    await assertHarmless('home');
    // A file that is nothing but a line of 10 MB is refused in a sentence, or read; the page stays.
    await page.setInputFiles('input[type=file][multiple]', {
      name: 'line.jsonl',
      mimeType: 'text/plain',
      buffer: Buffer.from(longLine),
    });
    await page.waitForSelector('.notice.bad');
    await assertHarmless('line');
  });

  test('in chats: a question, an answer of megabytes, a title, the name of a model', { timeout: 240_000 }, async () => {
    const { url } = await startStudio(mkdtempSync(join(folder, 'chat-')), join(folder, 'home'));
    const { origin } = new URL(url);
    const { page } = opened;
    await page.goto(url);
    await page.waitForSelector('.drop');
    await page.goto(`${origin}/studio/chat?models=${encodeURIComponent('<img src=x onerror=harmed=1>')}`);
    await page.fill('.composer textarea', harm);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.column .notice.bad');
    expect(await page.locator('.said').textContent()).toContain('<script>');
    await assertHarmless('asked');
    const answer = { model: harm, thoughts: harm, cut: false, fault: null, mark: 'bad', better: harm };
    const turn = (text: string): object => ({
      prompt: harm,
      answers: [{ ...answer, text, calls: [{ name: harm, arguments: harm }] }],
      order: null,
      vote: null,
    });
    const kept = {
      title: harm.slice(0, 200),
      models: [harm],
      system: harm,
      sampling: { temperature: 0, topP: null, maxTokens: null, seed: null },
      blind: false,
      // As much as the server keeps of one chat.
      turns: [
        turn(harm),
        turn(longLine.slice(0, 3_500_000)),
        turn(`\`\`\`${harm}\n${harm}`),
        turn(`# ${harm}\n\n- ${harm}\n- **${harm}**`),
      ],
      saved: null,
    };
    const status = await page.evaluate(
      async (body) =>
        (
          await fetch('/studio/v1/chats/hostile-chat', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body,
          })
        ).status,
      JSON.stringify(kept),
    );
    expect(status).toBe(200);
    await page.goto(`${origin}/studio/chat/hostile-chat`);
    await page.waitForSelector('.turn >> nth=3');
    const began = Date.now();
    await page.getByRole('button', { name: 'Good', exact: true }).first().click();
    await page.waitForSelector('.marks [aria-pressed=true]');
    // It can be used, whatever is in it.
    expect(Date.now() - began).toBeLessThan(10_000);
    await assertHarmless('kept');
    await page.goto(`${origin}/studio/make?as=said&chats=hostile-chat`);
    await page.waitForSelector('fieldset .list, .list');
    await assertHarmless('said');
  });

  test('in the name of a run, in what it says, in its report and its lineage', { timeout: 300_000 }, async () => {
    const cwd = mkdtempSync(join(folder, 'run-'));
    await hostileRun(cwd);
    const { url } = await startStudio(cwd, join(folder, 'home'));
    const { origin } = new URL(url);
    const { page } = opened;
    await page.goto(url);
    await page.waitForSelector('.drop');
    const run = encodeURIComponent(runName);
    const pages: readonly (readonly [name: string, path: string, shown: string])[] = [
      ['runs', 'runs', 'table.runs tbody tr >> nth=1'],
      ['followed', `runs/${run}`, '#samples-title'],
      ['result', `runs/${run}/result`, '.verdict'],
      ['inside', `runs/${run}/inside`, '.tree, .notice.bad'],
      ['export', `runs/${run}/export`, '.choices'],
      ['compare', `compare?runs=first,${run}`, 'table'],
      ['combine', 'combine', '.adapters, .note'],
      ['made', 'made', 'h1'],
      ['server', 'server', 'table'],
      ['plan', `plan?files=${run}&settings=${encodeURIComponent(harm)}&name=${run}`, 'h1'],
    ];
    for (const [name, path, shown] of pages) {
      await page.goto(`${origin}/studio/${path}`);
      await page.waitForSelector(shown);
      await assertHarmless(name);
    }
    await page.goto(`${origin}/studio/runs/${run}`);
    await page.waitForSelector('#samples-title');
    expect(await page.locator('#notices-title + ul').textContent()).toContain('<script>');
    const notes = await page.locator('.foreign .note').allTextContents();
    expect(notes.join(' | ')).toContain('of 10,000,');
  });
});
