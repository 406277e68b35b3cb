/** Resolves at Ctrl-C or SIGTERM; a second one ends the process at once, as if nobody listened. */
export const toldToEnd = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
