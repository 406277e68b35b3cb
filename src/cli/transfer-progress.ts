/** How far a pull or a push is, as lines on a terminal. */
import type { PullProgress } from '../store/pull-progress.ts';
import { harmless } from '../words/harmless.ts';
import { inCommandWords } from './words.ts';

/** A message beside the result, which may quote what others wrote. */
export const tell = (text: string): void => void process.stderr.write(`${harmless(inCommandWords(text))}\n`);

/** Numbers alone move too often to be shown each time. */
const everyMs = 2000;

/** What is to be said at once goes to `tell`; bytes every few seconds. */
export function transferProgress(tell: (text: string) => void): (progress: PullProgress) => void {
  let shown = Date.now();
  return ({ message, receivedBytes, totalBytes }) => {
    if (message) return tell(message);
    if (Date.now() - shown <= everyMs) return;
    shown = Date.now();
    const of = totalBytes ? ` of ${(totalBytes / 1e6).toFixed(0)}` : '';
    tell(`${(receivedBytes / 1e6).toFixed(0)}${of} MB`);
  };
}
