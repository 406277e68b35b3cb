/** A log read in pages: each event once, whatever was cut and written on between two looks. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type LogPage, logPage } from './run-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'events.jsonl');

const line = (message: string): string => `${JSON.stringify({ type: 'notice', code: 'x', message })}\n`;
const none = { after: 0, mark: '' };
const said = ({ events }: LogPage): string[] => events.map((event) => (event.type === 'notice' ? event.message : ''));

test('each event once, half a line when it is whole', () => {
  expect(logPage(join(folder, 'missing'), none)).toMatchObject({ anew: true, events: [], after: 0 });
  writeFileSync(path, `${line('a')}${line('b').slice(0, 9)}`);
  const first = logPage(path, none);
  expect([said(first), first.anew, first.more]).toEqual([['a'], true, false]);
  expect(logPage(path, first)).toMatchObject({ events: [], anew: false, after: first.after });
  appendFileSync(path, `${line('b').slice(9)}${line('c')}`);
  expect([said(logPage(path, first)), logPage(path, first).anew]).toEqual([['b', 'c'], false]);
});

test('a log that was cut and written on is read anew, also where it is longer again', () => {
  writeFileSync(path, ['a', 'b', 'c'].map(line).join(''));
  const known = logPage(path, none);
  truncateSync(path, line('a').length);
  expect([said(logPage(path, known)), logPage(path, known).anew]).toEqual([['a'], true]);
  appendFileSync(path, ['d', 'e', 'f', 'g'].map(line).join(''));
  expect([said(logPage(path, known)), logPage(path, known).anew]).toEqual([['a', 'd', 'e', 'f', 'g'], true]);
});

test('a long log comes in pages that end with lines', () => {
  const long = 'x'.repeat(1000);
  writeFileSync(path, Array.from({ length: 9000 }, (_, i) => line(`${i} ${long}`)).join(''));
  expect(readFileSync(path).length).toBeGreaterThan(8 << 20);
  const found: string[] = [];
  let page = logPage(path, none);
  for (found.push(...said(page)); page.more; found.push(...said(page))) page = logPage(path, page);
  expect(found.map((text) => Number(text.split(' ')[0]))).toEqual(Array.from({ length: 9000 }, (_, i) => i));
});

test('an event that is longer than a page comes, and what follows it', () => {
  const long = 'x'.repeat(10_000_000);
  writeFileSync(path, ['a', long, 'b'].map(line).join(''));
  const found: string[] = [];
  let page = logPage(path, none);
  for (;;) {
    found.push(...said(page));
    if (!page.more) break;
    page = logPage(path, page);
  }
  expect(found.map(({ length }) => length)).toEqual([1, long.length, 1]);
});
