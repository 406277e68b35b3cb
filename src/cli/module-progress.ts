/** How far work on an adapter's modules is, on stderr, and its end by Ctrl-C. */
import type { ModuleProgress } from '../library/convert-adapter.ts';
import { interruption } from './interruption.ts';
import { StatusLine } from './status-line.ts';

export function moduleProgress(): { signal: AbortSignal; onProgress: (progress: ModuleProgress) => void } {
  const status = new StatusLine(process.stderr);
  return {
    signal: interruption(),
    onProgress: ({ done, of = 'modules', total }) => status.progress(done, total, `${done} of ${total} ${of}`),
  };
}
