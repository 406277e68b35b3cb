/**
 * A run's events from a byte on. Promises: whoever asks again with what they were told has each event once, in order, whatever happened meanwhile;
 * where the log was cut at a checkpoint and written on, it begins anew, and says so. What is half written is left for the next time.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { RunEvent } from '../../events.ts';
import { LogLines } from '../../run/event-log.ts';

/** What was known of a log: `after` is a byte of it, `mark` what stands before that. */
export interface Known {
  readonly after: number;
  readonly mark: string;
}

export interface LogPage extends Known {
  /** Whether these are the first: what was known before is to be forgotten. */
  readonly anew: boolean;
  readonly events: readonly RunEvent[];
  /** Whether there are further ones already. */
  readonly more: boolean;
}

/** At once: some ten thousand steps. */
const pageBytes = 4 << 20;
/** Before `after`, so many bytes are told apart: two logs that agree in them have the same last event. */
const markedBytes = 512;

const nothing: LogPage = { after: 0, mark: '', anew: true, events: [], more: false };

function bytesAt(file: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, length));
  return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
}

/** A page's bytes, and as many more as its first line has: an event may be longer than a page, and would end all that follows. */
function pageAt(file: number, from: number, size: number): Buffer {
  for (let length = pageBytes; ; length *= 2) {
    const bytes = bytesAt(file, from, Math.min(length, size - from));
    if (bytes.includes('\n') || length >= size - from) return bytes;
  }
}

function markOf(file: number, at: number): string {
  if (at === 0) return '';
  const from = Math.max(0, at - markedBytes);
  return createHash('sha256')
    .update(bytesAt(file, from, at - from))
    .digest('base64url');
}

/** What the log at `path` says behind what is known. */
export function logPage(path: string, { after, mark }: Known): LogPage {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return nothing;
  }
  try {
    const { size } = fstatSync(file);
    const goesOn = after > 0 && after <= size && markOf(file, after) === mark;
    const from = goesOn ? after : 0;
    const bytes = pageAt(file, from, size);
    const end = bytes.lastIndexOf('\n') + 1;
    const lines = new LogLines();
    const texts = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
    const events = texts.flatMap((line) => lines.read(line) ?? []);
    const at = from + end;
    return {
      after: at,
      mark: markOf(file, at),
      anew: !goesOn,
      events,
      more: end > 0 && at < size && size - from > bytes.length,
    };
  } finally {
    closeSync(file);
  }
}
