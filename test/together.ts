/** Processes that do the same at the same time, and hold on until all of them have tried. */
import { type ChildProcess, spawn } from 'node:child_process';

/** Time for a message to reach each of them. */
const togetherMilliseconds = 100;

/**
 * What `attempt` came to in each of `count` processes, which begin it at one moment, once all of them are up; they end when the last one has
 * answered, so that none finds what another one held a moment ago. `imports` is the text of their imports, `attempt` that of an expression.
 */
export async function together(count: number, imports: string, attempt: string): Promise<string[]> {
  const script = `${imports}
    process.on('message', (at) => {
      if (at === 'end') process.exit(0);
      while (Date.now() < at);
      try { process.send(String(${attempt})); } catch (error) { process.send(error.message); }
    });
    process.send('up');`;
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  );
  const said = (child: ChildProcess): Promise<string> => new Promise((resolve) => child.once('message', resolve));
  await Promise.all(children.map(said));
  const answers = Promise.all(children.map(said));
  const at = Date.now() + togetherMilliseconds;
  for (const child of children) child.send(at);
  const told = await answers;
  const ended = Promise.all(children.map((child) => new Promise((resolve) => child.on('close', resolve))));
  for (const child of children) child.send('end');
  await ended;
  return told;
}
