/** Reading an answer's body so that it can be stopped at any moment. */

/**
 * The answer's body, until one of the signals is aborted: then it throws. Node's own fetch (20.20) leaves who reads waiting for ever where it
 * is aborted between the arrival of the last bytes and their reading.
 */
export async function* heeding(
  response: Response,
  signals: readonly (AbortSignal | undefined)[],
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const heard = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    for (const signal of signals)
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: heard.signal });
  });
  stopped.catch(() => {});
  try {
    for (;;) {
      for (const signal of signals) signal?.throwIfAborted();
      const { done, value } = await Promise.race([reader.read(), stopped]);
      if (done) return;
      yield value;
    }
  } finally {
    heard.abort();
    reader.cancel().catch(() => {});
  }
}
