/** The other end of child-call.ts: a process that makes one call, says what came of it and ends. */
import { NomoatError } from '../errors.ts';
import { errorEvent } from '../events.ts';
import { type ChildAnswer, stopMessage } from './child-call.ts';

const known = (error: unknown, part: string): NomoatError =>
  error instanceof NomoatError
    ? error
    : new NomoatError({
        part,
        fault: error instanceof Error ? (error.stack ?? error.message) : String(error),
        remedy: 'This is a fault of nomoat: please report it.',
        kind: 'failed',
      });

/** How a call tells how far it is, and hears that it shall end. */
export interface Heard {
  readonly signal: AbortSignal;
  /** At most so often that nobody is kept busy by it. */
  readonly onProgress: (progress: object) => void;
}

/** Between two words on how far it is: a reader sees no more. */
const progressMilliseconds = 100;

/** Answers the one command that this process is sent; `part` is named where what is called fails by a fault of its own. */
export function answerCall<Command, Found>(
  part: string,
  make: (command: Command, heard: Heard) => Promise<Found>,
): void {
  const stop = new AbortController();
  let said = 0;
  const onProgress = (progress: object): void => {
    if (performance.now() - said < progressMilliseconds) return;
    said = performance.now();
    process.send!({ progress });
  };
  // A server that is gone wants no answer.
  process.on('disconnect', () => process.exit(1));
  // Ctrl-C reaches the whole group; the server decides what it means.
  process.on('SIGINT', () => {});
  process.on('message', (command: Command | typeof stopMessage) => {
    if (command === stopMessage) return stop.abort();
    void make(command as Command, { signal: stop.signal, onProgress })
      .then(
        (found): ChildAnswer<Found> => ({ found }),
        (error: unknown): ChildAnswer<Found> => ({ error: errorEvent(known(error, part)) }),
      )
      .then((answer) => process.send!(answer, () => process.exit(0)));
  });
}
