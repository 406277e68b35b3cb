/**
 * What becomes of the program when its output can no longer be written: a reader that has left (`| head -1`) ends it without a word, as
 * it ends other Unix tools; any other fault, such as a full disk, is said. Knows nothing of commands: a run asks to be told, and ends itself.
 */

/** 128 + SIGPIPE: what a shell reports of a tool whose reader has left. */
const readerLeftCode = 141;

/** What the system says of a reader that is gone, on Unix and on Windows. */
const readerLeft: readonly string[] = ['EPIPE', 'EOF', 'ERR_STREAM_DESTROYED'];

let code: number | null = null;
const listeners = new Set<() => void>();

/** The exit code that lost output gives the program, or null while all of it was written. */
export const lostOutputCode = (): number | null => code;

/** Calls `listener` when output is lost, in place of ending at once; returns what takes that back. */
export function onLostOutput(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function lost(name: string, error: NodeJS.ErrnoException): void {
  if (code !== null) return;
  const quiet = readerLeft.includes(error.code ?? '');
  code = quiet ? readerLeftCode : 1;
  if (!quiet && name !== 'standard error')
    process.stderr.write(`${name}: could not be written (${error.code}). Give it another place, or make room.\n`);
  if (listeners.size === 0) process.exit(code);
  for (const listener of listeners) listener();
}

/** From here on no write to standard output or error throws. */
export function watchOutput(): void {
  process.stdout.on('error', (error) => lost('standard output', error));
  process.stderr.on('error', (error) => lost('standard error', error));
}
