/** `nomoat studio`: starts it, opens the browser, and ends it at Ctrl-C. */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { studioOptions } from '../settings/command-settings.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { toldToEnd } from './told-to-end.ts';

/** What opens an address on each system. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [program: string, ...args: string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** A machine without a browser, or a screen, has the address on stdout. */
function openInBrowser(url: string): void {
  const [program, ...args] = openers[process.platform] ?? ['xdg-open'];
  spawn(program, [...args, url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}

export function command(): Command {
  const command = bare('studio');
  return addFlags(command, studioOptions).action(async () => {
    const { open, ...options } = flagsOf(command, studioOptions);
    const { studio } = await import('../server/studio.ts');
    const told = toldToEnd();
    const running = await studio({
      ...options,
      onLog: (entry) => {
        if (entry.type === 'failure') process.stderr.write(`${harmless(`${entry.id} failed: ${entry.message}`)}\n`);
      },
    });
    print(`The studio is at ${running.url}/studio (Ctrl-C ends it; what trains then goes on when it is started again)`);
    print(`This address opens it in one browser, once: ${running.openUrl}`);
    if (open) openInBrowser(running.openUrl);
    await told;
    await running.close();
  });
}
