/** A text of several lines that is pasted into a chat is one message; the terminal is left as it was, however the chat ends. */
import { expect, test } from 'vitest';
import { type InTerminal, inTerminal } from './in-terminal.ts';
import { workspace } from './support.ts';

const { folder } = workspace();
const patience = 60_000;
const [asks, asksNoMore] = ['\u001b[?2004h', '\u001b[?2004l'];

const chat = (environment: Record<string, string> = {}): InTerminal =>
  inTerminal(folder, ['chat', '--temperature', '0', '--max-tokens', '6', '--threads', '1'], environment);
const cuts = (text: string): number => text.match(/cut after/g)?.length ?? 0;

test('one message, one answer', { timeout: 2 * patience }, async () => {
  const { ended, send, text, until } = chat();
  await until(/> /);
  send('\u001b[200~first line\nsecond line\nthird line\u001b[201~\n');
  await until(/cut after 6 tokens/);
  send('/exit\n');
  expect(await ended).toBe(0);
  expect(cuts(text())).toBe(1);
  expect(text().indexOf(asks)).toBeGreaterThanOrEqual(0);
  expect(text().lastIndexOf(asksNoMore)).toBeGreaterThan(text().lastIndexOf(asks));
});

test('Ctrl-C twice, SIGTERM and the end of input leave the terminal as it was', { timeout: 4 * patience }, async () => {
  const twice = chat();
  await twice.until(/> /);
  twice.send('\u0003');
  await twice.until(/Ctrl-C again/);
  twice.send('\u0003');
  await twice.ended;
  const [ended, killed] = [chat(), chat()];
  await ended.until(/> /);
  ended.send('\u0004');
  await ended.ended;
  await killed.until(/> /);
  killed.kill('SIGTERM');
  await killed.ended;
  for (const { text } of [twice, ended, killed])
    expect(text().lastIndexOf(asksNoMore)).toBeGreaterThan(text().lastIndexOf(asks));
});

test('a dumb terminal is shown no codes', { timeout: 2 * patience }, async () => {
  const { ended, send, text, until } = chat({ TERM: 'dumb' });
  await until(/> /);
  send('hello\n');
  await until(/cut after 6 tokens/);
  send('/exit\n');
  expect(await ended).toBe(0);
  expect(text()).not.toContain(asks);
  expect(text()).not.toContain('\u001b');
});

test('marks that come unasked are understood, too', { timeout: 2 * patience }, async () => {
  const { ended, send, text, until } = chat({ TERM: 'dumb' });
  await until(/> /);
  send('see \u001b[200~first line\nsecond line\u001b[201~\n');
  await until(/cut after 6 tokens/);
  send('/exit\n');
  expect(await ended).toBe(0);
  expect(cuts(text())).toBe(1);
});
