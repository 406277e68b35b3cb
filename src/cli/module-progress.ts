/** How far work on an adapter's modules is, on stderr, and its end by Ctrl-C. */
import type { ModuleProgress } from '../library/convert-adapter.ts';
import { StatusLine } from './status-line.ts';

export function moduleProgress(): { signal: AbortSignal; onProgress: (progress: ModuleProgress) => void } {
  const status = new StatusLine(process.stderr);
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  return {
    signal: abort.signal,
    onProgress: ({ done, of = 'modules', total }) => status.progress(done, total, `${done} of ${total} ${of}`),
  };
}
