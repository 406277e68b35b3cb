/** How Ctrl-C reaches what a command calls. */

/** Aborted at the first Ctrl-C; the second ends the program. */
export function interruption(): AbortSignal {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  return abort.signal;
}
