/** `nomoat studio` as a user starts it, for the stories of its pages. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const repo = join(import.meta.dirname, '../..');

export interface StartedStudio {
  readonly child: ChildProcess;
  /** Opens it once. */
  readonly url: string;
}

const children: ChildProcess[] = [];
/** Ends all that were started. */
export function endStudios(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** Resolves once it says how it is opened; rejects with what it said where it ended before. */
export async function startStudio(cwd: string, home: string, port = '0'): Promise<StartedStudio> {
  const child = spawn(process.execPath, [join(repo, 'dist/cli/main.js'), 'studio', '--port', port, '--no-open'], {
    cwd,
    env: { ...process.env, NOMOAT_HOME: home },
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

/** Trains a run by the library as it is built, as the studio that is started runs it. */
export async function tuneBuilt(options: object): Promise<void> {
  const { tune } = (await import('../../dist/index.js' as string)) as {
    readonly tune: (options: object) => { readonly result: Promise<unknown> };
  };
  await tune(options).result;
}
