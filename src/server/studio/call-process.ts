/**
 * A process that makes one call of the library and says what came of it. Started by call-library.ts: reading and tokenising large data, or a probe of
 * the machine, takes seconds in which the server's own process would answer nobody.
 */
import { NomoatError } from '../../errors.ts';
import { errorEvent } from '../../events.ts';
import type { CallAnswer, LibraryCall } from './call-library.ts';

async function made(call: LibraryCall): Promise<object> {
  if (call.name === 'preview') return (await import('../../library/preview.ts')).preview(call.options);
  if (call.name === 'inspectData') return (await import('../../library/inspect-data.ts')).inspectData(call.options);
  if (call.name === 'plan') return (await import('../../library/plan.ts')).plan(call.options);
  return (await import('../../library/export-run.ts')).exportRun(call.run, call.options);
}

const known = (error: unknown): NomoatError =>
  error instanceof NomoatError
    ? error
    : new NomoatError({
        part: 'the library',
        fault: error instanceof Error ? (error.stack ?? error.message) : String(error),
        remedy: 'This is a fault of nomoat: please report it.',
        kind: 'failed',
      });

// A server that is gone wants no answer.
process.on('disconnect', () => process.exit(1));
// Ctrl-C reaches the whole group; the server decides what it means.
process.on('SIGINT', () => {});

process.on('message', (call: LibraryCall) => {
  void made(call)
    .then(
      (found): CallAnswer => ({ found }),
      (error: unknown): CallAnswer => ({ error: errorEvent(known(error)) }),
    )
    .then((answer) => process.send!(answer, () => process.exit(0)));
});
