/**
 * What clients thought of answers, as conversations with marks, one a line: `collect()` reads the file. Promises: what was answered with success is
 * on the disk before the answer, as a line of its own whatever a kill left behind; the file stays within its bound.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { writeFailure } from '../../formats/atomic-write.ts';
import { ApiError } from '../api-error.ts';

const fileName = 'feedback.jsonl';
/** Some hundred thousand conversations: who could fill a disk with marks is refused before. */
const maxBytes = 256 << 20;
/** What is uploaded is nobody else's business on a machine of several users. */
const privateFile = 0o600;
const newline = 0x0a;
const fullStatus = 507;

/** Whether the file ends within a line. */
function isCut(descriptor: number, bytes: number): boolean {
  const last = Buffer.alloc(1);
  return bytes > 0 && readSync(descriptor, last, 0, 1, bytes - 1) === 1 && last[0] !== newline;
}

export class FeedbackFile {
  readonly path: string;
  private readonly maxBytes: number;

  constructor(folder: string, bound = maxBytes) {
    this.path = join(folder, fileName);
    this.maxBytes = bound;
  }

  /** Adds a record. Throws ApiError where the file is full, NomoatError where it cannot be written. */
  add(record: object): void {
    const descriptor = this.open();
    const { size } = fstatSync(descriptor);
    try {
      const bytes = Buffer.from(`${isCut(descriptor, size) ? '\n' : ''}${JSON.stringify(record)}\n`);
      if (size + bytes.length > this.maxBytes) throw this.full();
      for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
      fsyncSync(descriptor);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      ftruncateSync(descriptor, size);
      throw writeFailure(this.path, error);
    } finally {
      closeSync(descriptor);
    }
  }

  private open(): number {
    try {
      return openSync(this.path, 'a+', privateFile);
    } catch (error) {
      throw writeFailure(this.path, error);
    }
  }

  private full(): ApiError {
    const message = `The file of feedback has its ${this.maxBytes} bytes: whoever keeps the server may move it away.`;
    return new ApiError({ status: fullStatus, code: 'feedback_full', message });
  }
}
