/** The built command line in a terminal of its own, which util-linux's `script` makes: what it shows, and keys as they are typed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { repo } from './support.ts';

/** A busy machine may take its time. */
const patience = 60_000;
const pollMilliseconds = 20;

export interface InTerminal {
  /** All that was shown. */
  readonly text: () => string;
  readonly send: (keys: string) => void;
  /** Waits until the text matches. */
  readonly until: (pattern: RegExp) => Promise<void>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Closes the terminal: the system tells all that run in it. */
  readonly hangUp: () => void;
  /** The exit code, once it has one. */
  readonly ended: Promise<number | null>;
}

const word = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export function inTerminal(
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): InTerminal {
  const words = [process.execPath, join(repo, 'dist/cli/main.js'), ...args].map(word).join(' ');
  const env = { ...process.env, TERM: 'xterm', ...environment, NOMOAT_HOME: join(folder, 'home') };
  const child = spawn('script', ['-qec', `echo "pid $$"; exec ${words}`, '/dev/null'], { cwd: folder, env });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += String(chunk);
  });
  const until = async (pattern: RegExp): Promise<void> => {
    for (const end = Date.now() + patience; !pattern.test(text) && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
    expect(text).toMatch(pattern);
  };
  return {
    text: () => text,
    send: (keys) => void child.stdin.write(keys),
    until,
    kill: (signal) => void process.kill(Number(text.match(/pid (\d+)/)![1]), signal),
    hangUp: () => void child.kill('SIGKILL'),
    ended: new Promise((resolve) => child.on('close', resolve)),
  };
}
