/** A text of several lines that is pasted into a chat is one message; the terminal is left as it was, however the chat ends. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repo, workspace } from './support.ts';

const { folder } = workspace();
const patience = 30_000;
const [asks, asksNoMore] = ['\u001b[?2004h', '\u001b[?2004l'];

interface Terminal {
  readonly text: () => string;
  readonly send: (text: string) => void;
  readonly until: (pattern: RegExp) => Promise<void>;
  readonly ended: Promise<number | null>;
}

/** A chat in a terminal of its own, which util-linux's `script` makes. */
function chat(environment: Record<string, string> = {}): Terminal {
  const command = `echo "pid $$"; exec '${process.execPath}' '${join(repo, 'dist/cli/main.js')}' chat --temperature 0 --max-tokens 6 --threads 1`;
  const env = { ...process.env, TERM: 'xterm', ...environment, NOMOAT_HOME: join(folder, 'home') };
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: folder, env });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += String(chunk);
  });
  const until = async (pattern: RegExp): Promise<void> => {
    for (const end = Date.now() + patience; !pattern.test(text) && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(text).toMatch(pattern);
  };
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { text: () => text, send: (keys) => void child.stdin.write(keys), until, ended };
}
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
  process.kill(Number(killed.text().match(/pid (\d+)/)![1]), 'SIGTERM');
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
  expect(text()).not.toContain('\u001b');
});
