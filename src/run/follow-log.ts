/**
 * events.jsonl as it grows. Promises: each whole line once, in order; a line that is half written is waited for; what is no event is
 * counted in a notice; a log that was cut (a run that went on from a checkpoint) is read on from there. Knows nothing of who writes it.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../events.ts';
import { LogLines } from './event-log.ts';

/** How often the log is looked at: steps take longer, and people do not see less. */
const lookMilliseconds = 200;
/** Read at once. */
const chunkBytes = 1 << 16;
/** No event is as long; what is, is none. */
const maxLineBytes = 16 << 20;
const lineEnd = 0x0a;

export interface FollowLogOptions {
  /** Whether more can come; asked before each look. */
  readonly goesOn: () => boolean;
  readonly signal?: AbortSignal;
}

class LogReader {
  private at = 0;
  private rest = Buffer.alloc(0);
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The lines that became whole since the last call; none where there is no file. */
  *lines(): Generator<string> {
    let file: number;
    try {
      file = openSync(this.path, 'r');
    } catch {
      return;
    }
    try {
      const { size } = fstatSync(file);
      if (size < this.at) this.startFrom(size);
      for (;;) {
        const chunk = Buffer.alloc(chunkBytes);
        const read = readSync(file, chunk, 0, chunkBytes, this.at);
        if (read === 0) return;
        this.at += read;
        yield* this.split(chunk.subarray(0, read));
      }
    } finally {
      closeSync(file);
    }
  }

  private startFrom(size: number): void {
    this.at = size;
    this.rest = Buffer.alloc(0);
  }

  private *split(chunk: Buffer): Generator<string> {
    let bytes = Buffer.concat([this.rest, chunk]);
    for (let end = bytes.indexOf(lineEnd); end >= 0; end = bytes.indexOf(lineEnd)) {
      yield bytes.toString('utf8', 0, end);
      bytes = bytes.subarray(end + 1);
    }
    this.rest = bytes.length > maxLineBytes ? Buffer.alloc(0) : bytes;
  }
}

/** The events of the log at `path`; ends where nothing more can come, or where the signal says so. */
export async function* followLog(path: string, { goesOn, signal }: FollowLogOptions): AsyncGenerator<RunEvent, void> {
  const reader = new LogReader(path);
  const log = new LogLines();
  for (;;) {
    // Before the look, so that what was written last is not missed.
    const more = goesOn();
    for (const line of reader.lines()) {
      if (signal?.aborted) return;
      const event = log.read(line);
      if (event) yield event;
    }
    if (!more || signal?.aborted) break;
    await sleep(lookMilliseconds, undefined, signal ? { signal } : {}).catch(() => {});
  }
  yield* log.notices();
}
