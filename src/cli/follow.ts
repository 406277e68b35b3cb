/** A run on the terminal until it ends: its events, its signals, its exit code. */
import type { RunHandle } from '../run/start-run.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { commandName } from './command-name.ts';
import { onLostOutput } from './output.ts';
import { Progress } from './progress.ts';
import { markReported } from './reported-errors.ts';
import { eventInCommandWords } from './words.ts';

/** As shells report a program that Ctrl-C ended. */
const interruptedCode = 130;

/** Of a run that ended, but whose result is not to be trusted. */
export const untrustedCode = 3;

/**
 * Calls `listener` when the terminal is closed; returns what takes that back. Who has no terminal loses none: under nohup the signal
 * changes nothing, though Node takes back what nohup asks for.
 */
function onHangUp(listener: () => void): () => void {
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  const heard = hasTerminal ? listener : (): void => {};
  process.on('SIGHUP', heard);
  return () => void process.off('SIGHUP', heard);
}

/** Shows a run until it ends; Ctrl-C once asks for a checkpoint, twice ends at once. Returns the exit code. */
export async function follow(
  handle: RunHandle,
  json: boolean,
  progress = new Progress(process.stderr),
  /** What goes on if it is stopped: the run, or the set of repeats that it is one of. */
  goesOn = handle.run,
): Promise<number> {
  let interruptRequested = false;
  const onSignal = (): void => {
    if (interruptRequested) handle.kill();
    else {
      interruptRequested = true;
      process.stderr.write('\nStopping with a checkpoint (Ctrl-C again stops at once) ...\n');
      handle.interrupt();
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const offHangUp = onHangUp(() => handle.interrupt());
  // Nobody sees what it says: it stops as at Ctrl-C, so that nothing that was computed is lost.
  const offLostOutput = onLostOutput(() => handle.interrupt());
  let code = 0;
  let ended = false;
  try {
    for await (const event of handle) {
      if (json) process.stdout.write(`${JSON.stringify(eventInCommandWords(event))}\n`);
      else progress.show(event);
      if (event.type !== 'run-end') continue;
      ended = true;
      if (event.verdict !== undefined) {
        code = untrustedCode;
        if (!json) process.stderr.write(`Report: ${handle.run}/report.html\n`);
      } else if (event.state === 'interrupted') {
        code = interruptedCode;
        process.stderr.write(`Go on with: ${commandName()} tune --resume ${shellQuote(goesOn)}\n`);
      } else if (!json)
        process.stderr.write(
          `Report: ${handle.run}/report.html\nNext:   ${commandName()} chat ${shellQuote(handle.run)}\n`,
        );
    }
  } catch (error) {
    if (json) markReported(error);
    throw error;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    offHangUp();
    offLostOutput();
  }
  // Stopped before there was anything to stop.
  return interruptRequested && !ended ? interruptedCode : code;
}
