/** The other end of child-call.ts: a process that makes one call, says what came of it and ends. */
import { NomoatError } from '../errors.ts';
import { errorEvent } from '../events.ts';
import type { ChildAnswer } from './child-call.ts';

const known = (error: unknown, part: string): NomoatError =>
  error instanceof NomoatError
    ? error
    : new NomoatError({
        part,
        fault: error instanceof Error ? (error.stack ?? error.message) : String(error),
        remedy: 'This is a fault of nomoat: please report it.',
        kind: 'failed',
      });

/** Answers the one command that this process is sent; `part` is named where what is called fails by a fault of its own. */
export function answerCall<Command, Found>(part: string, make: (command: Command) => Promise<Found>): void {
  // A server that is gone wants no answer.
  process.on('disconnect', () => process.exit(1));
  // Ctrl-C reaches the whole group; the server decides what it means.
  process.on('SIGINT', () => {});
  process.on('message', (command: Command) => {
    void make(command)
      .then(
        (found): ChildAnswer<Found> => ({ found }),
        (error: unknown): ChildAnswer<Found> => ({ error: errorEvent(known(error, part)) }),
      )
      .then((answer) => process.send!(answer, () => process.exit(0)));
  });
}
